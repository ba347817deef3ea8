"""The tables of classifiers, predictions and evaluations (schema ml)."""

from genredb.warehouse.declared import Column
from genredb.warehouse.tables import OwnTable

# The key of an evaluation, in each of its tables.
_CLASSIFIER = Column("classifier", "The name of the classifier that was evaluated.", "varchar")
_PROTOCOL = Column("protocol", "How songs were split into folds: cv, unseen or seed.", "varchar")
_LABEL = Column("label", "The predicted label: genre or genre_group.", "varchar")
_EVALUATION = (_CLASSIFIER, _PROTOCOL, _LABEL)
_DIGEST = Column("digest", "Digest of the data, folds and parameters.", "varchar")

_REPEAT = Column("repeat", "Number of the repetition of the cross-validation, from 0.", "bigint")
_FOLD = Column("fold", "Number of the fold within the repetition, from 0.", "bigint")

_TOP_3 = Column("top_3", "Share of songs whose true label is among the three most likely.", "double")
_MACRO_F1 = Column(
    "macro_f1", "Mean over labels of the harmonic mean of precision and recall, from 0 to 1.", "double"
)
_LOG_LOSS = Column(
    "log_loss",
    "Mean of −ln of the true label's probability; lower is better, NULL without probabilities.",
    "double",
)
_CALIBRATION_ERROR = Column(
    "calibration_error",
    "Mean gap between predicted probability and accuracy; NULL without probabilities.",
    "double",
)
_CEILING = Column(
    "ceiling", "Share of songs whose label occurs in the training folds: an upper bound.", "double"
)
_FIT_SECONDS = Column("fit_seconds", "Fitting time in seconds.", "double")
_PREDICT_SECONDS = Column("predict_seconds", "Prediction time in seconds.", "double")

_SONG_KEY = Column("song_key", "The song's key, such as test:454.", "varchar")
_ARTIST_KEY = Column("artist_key", "The key of the song's artist; empty if it has none.", "varchar")

ML_TABLES = (
    OwnTable(
        "ml.classifiers",
        "One row per fitted classifier.",
        (
            Column(
                "classifier_id",
                "The classifier's name and a digest of everything that determines its predictions.",
                "varchar primary key",
            ),
            Column("name", "The classifier's name.", "varchar"),
            Column("label", "What it predicts: genre.", "varchar"),
            Column("training_fingerprint", "Fingerprint of the songs it was fitted on.", "varchar"),
            Column("manifest", "Its parameters, features, classes, versions and golden rows.", "json"),
            Column("skops", "The fitted estimator, in the format of skops.", "blob"),
            Column("sha256", "SHA-256 of these bytes, checked before they are loaded.", "varchar"),
            Column("fitted_at", "When it was fitted.", "timestamptz"),
        ),
    ),
    OwnTable(
        "ml.predictions",
        "One row per predicted song.",
        (
            _SONG_KEY,
            Column("genre", "The most likely genre.", "varchar"),
            Column("probability", "Its probability, from 0 to 1.", "double"),
            Column("basis", "What decided the prediction: artist or audio.", "varchar"),
            Column("genre_group", "The most likely genre group.", "varchar"),
            Column("group_probability", "Its probability: the sum of its genres'.", "double"),
            Column(
                "group_probabilities",
                "Every group with its probability, most likely first.",
                "struct(genre_group varchar, probability double)[]",
            ),
            Column(
                "runner_ups",
                "The next most likely genres with their probabilities.",
                "struct(genre varchar, probability double)[]",
            ),
            Column(
                "min_probability", "Below this probability, `predictions` leaves the genre empty.", "double"
            ),
            Column("choice", "Digest of the chosen classifier and its definition.", "varchar"),
            Column(
                "classifier_id",
                "Id of the classifier that made the prediction, in ml.classifiers.",
                "varchar",
            ),
            Column("training_fingerprint", "Fingerprint of the songs it was fitted on.", "varchar"),
            Column("features_fingerprint", "Fingerprint of the songs that were predicted.", "varchar"),
        ),
        is_of_the_layout=True,
        told_by=(
            "min_probability",
            "choice",
            "classifier_id",
            "training_fingerprint",
            "features_fingerprint",
        ),
    ),
    OwnTable(
        "ml.evaluations",
        "One row per classifier, protocol and label that were evaluated.",
        (
            *_EVALUATION,
            _DIGEST,
            Column("songs", "Labelled songs that were tested.", "bigint"),
            Column("accuracy", "Share of correct predictions.", "double"),
            Column("accuracy_error", "Its standard error, clustered by artist.", "double"),
            Column(
                "seen_accuracy", "Accuracy for artists with labelled songs in the training folds.", "double"
            ),
            Column("unseen_accuracy", "Accuracy for artists without any.", "double"),
            Column("unseen_error", "Its standard error.", "double"),
            _TOP_3,
            _MACRO_F1,
            _LOG_LOSS,
            _CALIBRATION_ERROR,
            _CEILING,
            _FIT_SECONDS,
            _PREDICT_SECONDS,
            Column("evaluated_at", "When it was evaluated.", "timestamptz"),
        ),
        is_of_the_layout=True,
    ),
    OwnTable(
        "ml.chosen",
        "One row for the chosen classifier, if one was chosen.",
        (
            Column("classifier", "Its name.", "varchar"),
            Column("parameters", "The parameters set for it, by name.", "json"),
        ),
        is_of_the_layout=True,
    ),
    OwnTable(
        "ml.fold_scores",
        "One row per fold of an evaluation.",
        (
            *_EVALUATION,
            _REPEAT,
            _FOLD,
            Column("songs", "Songs that the fold tested.", "bigint"),
            Column("accuracy", "Share of correct predictions.", "double"),
            _TOP_3,
            _MACRO_F1,
            _LOG_LOSS,
            _CALIBRATION_ERROR,
            _CEILING,
            _FIT_SECONDS,
            _PREDICT_SECONDS,
        ),
        is_of_the_layout=True,
    ),
    OwnTable(
        "ml.confusion",
        "One row per pair of true and predicted label in an evaluation.",
        (
            *_EVALUATION,
            Column("actual", "The true label.", "varchar"),
            Column("predicted", "The predicted label.", "varchar"),
            Column("songs", "Songs of this pair, averaged over the repetitions.", "double"),
        ),
    ),
    OwnTable(
        "ml.song_scores",
        "One row per song and repetition of an evaluation, with its prediction.",
        (
            *_EVALUATION,
            _REPEAT,
            _FOLD,
            _SONG_KEY,
            _ARTIST_KEY,
            Column(
                "is_artist_known", "True if the artist has labelled songs in the training folds.", "boolean"
            ),
            Column("actual", "The true label.", "varchar"),
            Column("predicted", "The predicted label.", "varchar"),
            Column("is_right", "True if both are equal.", "boolean"),
            Column("rank", "Rank of the true label among those predicted, from 1.", "bigint"),
            Column("probability", "Probability of the predicted label, from 0 to 1.", "double"),
            Column("actual_probability", "Probability of the true label, from 0 to 1.", "double"),
        ),
        is_of_the_layout=True,
    ),
    OwnTable(
        "ml.calibration",
        "One row per bin of probabilities in an evaluation, for known and for unknown artists.",
        (
            *_EVALUATION,
            Column(
                "is_artist_known", "True if the artist has labelled songs in the training folds.", "boolean"
            ),
            Column("at_least", "The smallest probability in the bin.", "double"),
            Column("below", "The end of the bin, which the next one begins with.", "double"),
            Column("songs", "Songs in the bin, averaged over the repetitions.", "double"),
            Column("mean_probability", "Mean probability of the predicted label.", "double"),
            Column("accuracy", "Share of correct predictions.", "double"),
        ),
    ),
    OwnTable(
        "ml.past_song_scores",
        "One row per song and evaluation run: the scores of the last twenty runs.",
        (
            Column("run_id", "The run that evaluated it, in meta.runs.", "varchar"),
            *_EVALUATION,
            _DIGEST,
            Column("features", "The feature columns that the classifier read.", "varchar[]"),
            _SONG_KEY,
            _ARTIST_KEY,
            Column("accuracy", "Share of correct predictions over the repetitions.", "double"),
            Column("top_3", "Share of songs whose true label is among the three most likely.", "double"),
            Column("log_loss", "Mean of −ln of the true label's probability.", "double"),
        ),
    ),
    OwnTable(
        "ml.group_sets",
        "One row per nominal coverage of an evaluation: the threshold of its sets of groups.",
        (
            _CLASSIFIER,
            _PROTOCOL,
            Column(
                "classifier_id", "The classifier, fitted on all songs, that the sets belong to.", "varchar"
            ),
            Column("basis", "What decided the predictions: artist or audio.", "varchar"),
            Column("coverage", "Share of songs whose set should contain the true group.", "double"),
            Column("threshold", "Minimum probability of a group in the set.", "double"),
            Column("songs", "Songs that were tested.", "bigint"),
            Column(
                "held", "Share of songs whose set contained the true group in cross-validation.", "double"
            ),
            Column("held_error", "Its standard error over songs.", "double"),
            Column("mean_size", "Mean number of groups in a set.", "double"),
        ),
        is_of_the_layout=True,
    ),
    OwnTable(
        "ml.importances",
        "One row per column of an evaluated classifier: the accuracy lost without it.",
        (
            _CLASSIFIER,
            _PROTOCOL,
            Column("column_name", "The feature column.", "varchar"),
            Column("importance", "Mean loss of accuracy when its values are permuted.", "double"),
            Column("deviation", "Standard deviation of that loss over folds and permutations.", "double"),
        ),
    ),
)
