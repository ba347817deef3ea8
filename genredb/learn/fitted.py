"""A fitted classifier: what it was fitted as, and its answers for songs."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from genredb.learn.classifiers import ClassifierSpec
from genredb.learn.dataset import Songs, artist_codes
from genredb.learn.estimators import ArtistClassifier

RUNNER_UPS = 3


@dataclass(frozen=True)
class Predicted:
    """Predictions for n songs: genres with probabilities, likeliest first, and what decided."""

    genres: list[list[tuple[str, float]]]
    bases: list[str]


@dataclass(frozen=True)
class Fitted:
    """A fitted classifier. ``feature_names`` are the numeric columns that it reads, in order."""

    name: str
    estimator: Any
    feature_names: tuple[str, ...]

    @property
    def uses_artist(self) -> bool:
        """Whether the artist's code comes before the numeric columns."""
        return isinstance(self.estimator, ArtistClassifier)

    def predict(self, songs: Songs) -> Predicted:
        """Predict each song: by its artist where that is known, else by the audio columns."""
        probabilities, _ = class_scores(self.estimator, songs.matrix(uses_artist=self.uses_artist))
        classes = self.estimator.classes_
        # Stable: equal probabilities stand in the order of the genres' names.
        order = np.argsort(-probabilities, axis=1, kind="stable")[:, : RUNNER_UPS + 1]
        genres = [
            [(str(classes[column]), float(row[column])) for column in columns if row[column] > 0]
            for row, columns in zip(probabilities, order, strict=True)
        ]
        known = np.zeros(len(songs), dtype=bool)
        if self.uses_artist:
            known = self.estimator.knows(artist_codes(songs.artists))
        return Predicted(genres, ["artist" if is_known else "audio" for is_known in known])


def class_scores(estimator: Any, features: Any) -> tuple[Any, bool]:
    """Return a score for each class, and whether the scores are probabilities."""
    if hasattr(estimator, "predict_proba"):
        return estimator.predict_proba(features), True
    scores = np.asarray(estimator.decision_function(features))
    # What is summed by group must not be negative; the answer itself counts more than all the others.
    chosen = estimator.predict(features)[:, None] == estimator.classes_[None, :]
    lowest, highest = scores.min(axis=1, keepdims=True), scores.max(axis=1, keepdims=True)
    places = (scores - lowest) / np.maximum(highest - lowest, 1e-12)
    return chosen + places / (len(estimator.classes_) + 1), False


def fit(spec: ClassifierSpec, songs: Songs, min_genre_songs: int) -> Fitted:
    """Fit a classifier on labelled songs."""
    estimator = spec.make(len(songs))
    if spec.uses_artist:
        estimator.set_params(min_genre_songs=min_genre_songs)
    threads = {name: -1 for name in estimator.get_params() if name.split("__")[-1] == "n_jobs"}
    estimator.set_params(**threads)
    estimator.fit(songs.matrix(uses_artist=spec.uses_artist), songs.labels)
    # Threads would add the trees' votes in any order, and so break ties in any way.
    fitted = estimator.estimator_ if spec.uses_artist else estimator
    fitted.set_params(**{name: None for name in fitted.get_params() if name.split("__")[-1] == "n_jobs"})
    return Fitted(spec.name, estimator, songs.feature_names)
