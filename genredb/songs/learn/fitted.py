"""A fitted classifier: how it was fitted, and its predictions for songs."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import joblib
import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from genredb.errors import GenredbError, InputError, Place
from genredb.songs.learn.classifiers import ClassifierSpec
from genredb.songs.learn.dataset import Songs
from genredb.songs.learn.estimators import ArtistClassifier
from genredb.songs.learn.scores import by_group

RUNNER_UPS = 3


@dataclass(frozen=True)
class Ranked:
    """The possible names of n songs, most likely first; equal probabilities are ordered by name.

    ``places`` are indices into ``names`` and ``probabilities`` theirs, both n × m, of which the first
    ``counts`` of each song are above 0.
    """

    names: npt.NDArray[np.object_]
    places: npt.NDArray[np.intp]
    probabilities: npt.NDArray[np.float64]

    @property
    def counts(self) -> npt.NDArray[np.intp]:
        """The number of names with a probability above 0, by song."""
        return np.asarray((self.probabilities > 0).sum(axis=1))

    def of(self, song: int) -> list[tuple[str, float]]:
        """Return a song's names with their probabilities."""
        count = self.counts[song]
        found = zip(self.places[song, :count], self.probabilities[song, :count], strict=True)
        return [(str(self.names[place]), float(probability)) for place, probability in found]


@dataclass(frozen=True)
class Predicted:
    """Predictions for n songs: the most likely genres, all groups, and whether the artist decided."""

    genres: Ranked
    groups: Ranked
    is_by_artist: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Fitted:
    """A fitted classifier. ``feature_names`` are the numeric columns that it reads, in order.

    ``groups`` maps its genres to their groups.
    """

    name: str
    estimator: Any
    feature_names: tuple[str, ...]
    groups: Mapping[str, str]

    @property
    def uses_artist(self) -> bool:
        """True if the artist's code comes before the numeric columns."""
        return isinstance(self.estimator, ArtistClassifier)

    @property
    def audio_genres(self) -> list[str]:
        """The genres that can be predicted from the audio alone."""
        part = self.estimator.estimator_ if self.uses_artist else self.estimator
        return [str(genre) for genre in part.classes_]

    def scores(self, songs: Songs) -> npt.NDArray[np.float64]:
        """Return each song's score for each genre, songs × genres; InputError if prediction fails."""
        with estimator_errors(self.name, "answer"):
            scores: npt.NDArray[np.float64]
            scores, _ = class_scores(self.estimator, songs.matrix(uses_artist=self.uses_artist))
            return scores

    def predict(self, songs: Songs) -> Predicted:
        """Predict each song: by its artist if known, else by the audio columns."""
        probabilities = self.scores(songs)
        classes = self.estimator.classes_
        genres = _ranked(classes, probabilities, RUNNER_UPS + 1)
        groups = _ranked(*by_group(classes, probabilities, self.groups))
        known = np.zeros(len(songs), dtype=bool)
        if self.uses_artist:
            known = self.estimator.knows(songs.artists)
        return Predicted(genres, groups, known)


def _ranked(names: Any, probabilities: Any, most: int | None = None) -> Ranked:
    """Rank n × names, of which at most ``most`` are kept."""
    places = np.argsort(-probabilities, axis=1, kind="stable")[:, :most]
    return Ranked(names, places, np.take_along_axis(probabilities, places, axis=1))


def class_scores(estimator: Any, features: Any, answers: Any = None) -> tuple[Any, bool]:
    """Return a score for each class, and whether the scores are probabilities.

    ``answers`` are the estimator's predictions, if already known. ValueError for scores that are not numbers.
    """
    if len(features) == 0:
        return np.empty((0, len(estimator.classes_))), hasattr(estimator, "predict_proba")
    if hasattr(estimator, "predict_proba"):
        probabilities = estimator.predict_proba(features)
        if not np.isfinite(probabilities).all():
            raise ValueError("some of its probabilities are not numbers")
        return probabilities, True
    scores = np.asarray(estimator.decision_function(features))
    if scores.ndim == 1:  # with two classes there is one score, for the second
        scores = np.column_stack([-scores, scores])
    # Scores summed by group must not be negative; the answer itself must outweigh all others.
    answers = estimator.predict(features) if answers is None else answers
    chosen = answers[:, None] == estimator.classes_[None, :]
    lowest, highest = scores.min(axis=1, keepdims=True), scores.max(axis=1, keepdims=True)
    places = (scores - lowest) / np.maximum(highest - lowest, 1e-12)
    return chosen + places / (len(estimator.classes_) + 1), False


@contextlib.contextmanager
def estimator_errors(name: str, what: str, place: Place = Place("")) -> Iterator[None]:  # noqa: B008
    """Turn an estimator's errors on parameters and songs into an InputError: ``name`` cannot do ``what``."""
    try:
        yield
    except (GenredbError, MemoryError):
        raise
    except Exception as error:  # noqa: BLE001 - an estimator may raise anything over what was stated for it
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"{name} cannot {what}: {reason}", place=place) from None


def make(spec: ClassifierSpec, songs: int, min_genre_songs: int) -> Any:
    """Return an unfitted estimator for this number of songs."""
    estimator = spec.make(songs)
    if "min_genre_songs" in spec.settings:
        estimator.set_params(min_genre_songs=min_genre_songs)
    return estimator


def fit(spec: ClassifierSpec, songs: Songs, groups: Mapping[str, str], min_genre_songs: int) -> Fitted:
    """Fit a classifier on labelled songs; ``groups`` maps their genres to groups."""
    estimator = make(spec, len(songs), min_genre_songs)
    # Threads only for fitting: in predictions, threads would add the trees' votes in any order and break
    # ties. None of BLAS's own: they mostly wait for each other, and the last digits depend on their number.
    with (
        estimator_errors(spec.name, "be fitted"),
        joblib.parallel_config(backend="threading", n_jobs=-1),
        threadpool_limits(1, user_api="blas"),
    ):
        estimator.fit(songs.matrix(uses_artist=spec.uses_artist), songs.labels)
    return Fitted(spec.name, estimator, songs.feature_names, groups)
