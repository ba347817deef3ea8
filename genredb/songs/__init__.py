"""Everything about songs, on top of the runner: feature views, classifiers, predictions, the submission."""
