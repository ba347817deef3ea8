"""A fitted classifier: what it was fitted as, and its answers for songs."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import joblib
import numpy as np
import numpy.typing as npt

from genredb.errors import GenredbError, InputError
from genredb.learn.classifiers import ClassifierSpec
from genredb.learn.dataset import Songs, artist_codes
from genredb.learn.estimators import ArtistClassifier
from genredb.learn.scores import by_group

RUNNER_UPS = 3


@dataclass(frozen=True)
class Predicted:
    """Predictions for n songs.

    ``genres`` are the likeliest ones with their probabilities, likeliest first; ``groups`` are all groups in
    the same way; ``bases`` what decided.
    """

    genres: list[list[tuple[str, float]]]
    groups: list[list[tuple[str, float]]]
    bases: list[str]


@dataclass(frozen=True)
class Fitted:
    """A fitted classifier. ``feature_names`` are the numeric columns that it reads, in order.

    ``groups`` maps its genres to the groups that they are condensed into.
    """

    name: str
    estimator: Any
    feature_names: tuple[str, ...]
    groups: Mapping[str, str]

    @property
    def uses_artist(self) -> bool:
        """Whether the artist's code comes before the numeric columns."""
        return isinstance(self.estimator, ArtistClassifier)

    @property
    def audio_genres(self) -> list[str]:
        """The genres that can be told from the audio alone."""
        part = self.estimator.estimator_ if self.uses_artist else self.estimator
        return [str(genre) for genre in part.classes_]

    def scores(self, songs: Songs) -> npt.NDArray[np.float64]:
        """Return each song's score for each genre, songs × genres; InputError where it cannot answer."""
        with estimator_errors(self.name, "answer"):
            scores: npt.NDArray[np.float64]
            scores, _ = class_scores(self.estimator, songs.matrix(uses_artist=self.uses_artist))
            return scores

    def predict(self, songs: Songs) -> Predicted:
        """Predict each song: by its artist where that is known, else by the audio columns."""
        probabilities = self.scores(songs)
        classes = self.estimator.classes_
        genres = _ranked(classes, probabilities, RUNNER_UPS + 1)
        groups = _ranked(*by_group(classes, probabilities, self.groups))
        known = np.zeros(len(songs), dtype=bool)
        if self.uses_artist:
            known = self.estimator.knows(artist_codes(songs.artists))
        return Predicted(genres, groups, ["artist" if is_known else "audio" for is_known in known])


def _ranked(names: Any, probabilities: Any, most: int | None = None) -> list[list[tuple[str, float]]]:
    """Return for each row the names that are possible with their probabilities, likeliest first.

    Equal probabilities stand in the order of the names.
    """
    order = np.argsort(-probabilities, axis=1, kind="stable")[:, :most]
    return [
        [(str(names[column]), float(row[column])) for column in columns if row[column] > 0]
        for row, columns in zip(probabilities, order, strict=True)
    ]


def class_scores(estimator: Any, features: Any, answers: Any = None) -> tuple[Any, bool]:
    """Return a score for each class, and whether the scores are probabilities.

    ``answers`` are what the estimator predicts, where that is known already. ValueError for scores that are
    no numbers.
    """
    if len(features) == 0:
        return np.empty((0, len(estimator.classes_))), hasattr(estimator, "predict_proba")
    if hasattr(estimator, "predict_proba"):
        probabilities = estimator.predict_proba(features)
        if not np.isfinite(probabilities).all():
            raise ValueError("some of its probabilities are no numbers")
        return probabilities, True
    scores = np.asarray(estimator.decision_function(features))
    if scores.ndim == 1:  # of two classes there is one score, the second one's
        scores = np.column_stack([-scores, scores])
    # What is summed by group must not be negative; the answer itself counts more than all the others.
    answers = estimator.predict(features) if answers is None else answers
    chosen = answers[:, None] == estimator.classes_[None, :]
    lowest, highest = scores.min(axis=1, keepdims=True), scores.max(axis=1, keepdims=True)
    places = (scores - lowest) / np.maximum(highest - lowest, 1e-12)
    return chosen + places / (len(estimator.classes_) + 1), False


@contextlib.contextmanager
def estimator_errors(name: str, what: str) -> Iterator[None]:
    """Turn what an estimator says of parameters and songs into an InputError: ``name`` cannot do ``what``."""
    try:
        yield
    except (GenredbError, MemoryError):
        raise
    except Exception as error:  # noqa: BLE001 - an estimator may raise anything over what was stated for it
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"{name} cannot {what}: {reason}") from None


def make(spec: ClassifierSpec, songs: int, min_genre_songs: int) -> Any:
    """Return an unfitted estimator for so many songs."""
    estimator = spec.make(songs)
    if "min_genre_songs" in spec.settings:
        estimator.set_params(min_genre_songs=min_genre_songs)
    return estimator


def fit(spec: ClassifierSpec, songs: Songs, groups: Mapping[str, str], min_genre_songs: int) -> Fitted:
    """Fit a classifier on labelled songs; ``groups`` maps their genres to groups."""
    estimator = make(spec, len(songs), min_genre_songs)
    # Threads for fitting alone: asked by threads, trees would add their votes in any order and break ties.
    with estimator_errors(spec.name, "be fitted"), joblib.parallel_config(backend="threading", n_jobs=-1):
        estimator.fit(songs.matrix(uses_artist=spec.uses_artist), songs.labels)
    return Fitted(spec.name, estimator, songs.feature_names, groups)
