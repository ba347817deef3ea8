"""The views that the Python layer refers to by name: those that classifiers read, and the submission."""

TRAIN_VIEW = "train"
COMMON_VIEW = "train_common"
PREDICT_VIEW = "predict"
VIEWS = (TRAIN_VIEW, COMMON_VIEW, PREDICT_VIEW)
SUBMISSION = "submission"
