"""Fits classifiers on the feature views, stores them in the database, and predicts.

Nothing is imported here: scikit-learn takes over a second to import, and code that only checks whether
predictions are current (``genredb.songs.staleness``) does not need it.
"""
