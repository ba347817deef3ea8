"""Fits classifiers on the feature views, keeps them in the database, and predicts.

Nothing is imported here: scikit-learn takes over a second to import, and what only asks whether
predictions are current (``genredb.build.freshness``) does without it.
"""
