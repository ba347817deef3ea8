"""Estimators that scikit-learn lacks. Each passes scikit-learn's own estimator checks.

Everything learned from labels is learned in ``fit``, so that in a fold only the fold's songs are used.
"""

import copy
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import label_binarize
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils import _safe_indexing, check_consistent_length, check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _num_samples, check_is_fitted, validate_data

Numbers = npt.NDArray[np.float64]


def _artist_numbers(codes: Numbers) -> npt.NDArray[np.intp]:
    """Return a small integer for each artist's code; each song without an artist has its own."""
    numbers = np.unique(codes, return_inverse=True)[1].astype(np.intp)
    unknown = np.isnan(codes)
    numbers[unknown] = numbers.max(initial=0) + 1 + np.arange(int(unknown.sum()))
    return np.unique(numbers, return_inverse=True)[1].astype(np.intp)


def _weight_parameter(estimator: Any) -> str:
    """Return the name of the sample-weight parameter of ``fit``; in a pipeline the last step takes it."""
    return f"{estimator.steps[-1][0]}__sample_weight" if isinstance(estimator, Pipeline) else "sample_weight"


class ArtistClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Predicts the genre of the artist's labelled songs, or with another classifier if it is unknown.

    X is n × (1 + f): the artist's code (NaN if unknown), then the columns for ``estimator``. That one is
    fitted on the songs of genres with at least ``min_genre_songs`` songs by at least ``min_genre_artists``
    artists, if there are two such genres, else on all; with ``weigh_artists`` each artist counts once there,
    regardless of the number of songs.

    Both answers are smoothed by rates that ``fit`` estimates from its songs: ``error_`` is how often an
    artist's other songs give the wrong genre, averaged over artists with several songs; ``rare_`` is how
    often the genre of a song, and so of an unknown artist, is a rare one.
    """

    def __init__(
        self,
        estimator: Any = None,
        min_genre_songs: int = 3,
        min_genre_artists: int = 1,
        *,
        weigh_artists: bool = False,
    ) -> None:
        self.estimator = estimator
        self.min_genre_songs = min_genre_songs
        self.min_genre_artists = min_genre_artists
        self.weigh_artists = weigh_artists

    def fit(self, X: Any, y: Any) -> "ArtistClassifier":
        """Count each artist's genres; fit the estimator on the songs of common genres."""
        X, y = validate_data(
            self, X, y, ensure_all_finite="allow-nan", ensure_min_features=2, dtype=np.float64
        )
        check_classification_targets(y)
        self.classes_, genres = np.unique(y, return_inverse=True)
        counts = np.bincount(genres)
        artists = _artist_numbers(X[:, 0])
        common = self._is_common(genres, artists)
        estimator = clone(self._audio_estimator(len(np.unique(y[common]))))
        weights = {}
        if self.weigh_artists:
            weights = {_weight_parameter(estimator): (1 / np.bincount(artists))[artists][common]}
        self.estimator_ = estimator.fit(X[common, 1:], y[common], **weights)
        self.common_ = np.searchsorted(self.classes_, self.estimator_.classes_)
        self.prior_ = counts / counts.sum()
        self.rare_ = float((~common).sum() / len(y)) if len(self.common_) < len(self.classes_) else 0.0
        self._count_artists(X[:, 0], genres)
        return self

    def predict_proba(self, X: Any) -> Numbers:
        """Return the probability of each of ``classes_`` for each song."""
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, ensure_all_finite="allow-nan", dtype=np.float64)
        places = self._places(X[:, 0])
        is_known = places >= 0
        result = np.empty((len(X), len(self.classes_)))
        result[is_known] = self._by_artist(places[is_known])
        if not is_known.all():
            result[~is_known] = self._by_estimator(X[~is_known, 1:])
        return result

    def predict(self, X: Any) -> Any:
        """Return the most likely genre of each song."""
        check_is_fitted(self)
        return self.classes_[np.argmax(self.predict_proba(X), axis=1)]

    def knows(self, artists: Numbers) -> npt.NDArray[np.bool_]:
        """Return True for each artist's code with a labelled song in the training data."""
        return np.asarray(self._places(artists) >= 0)

    def with_artists(
        self, codes: Numbers, starts: npt.NDArray[np.intp], genres: npt.NDArray[np.intp], counts: Numbers
    ) -> "ArtistClassifier":
        """Return this fitted classifier with other artists: their codes in ascending order, and their songs.

        The entries of an artist, one for each genre of its songs, begin at its place in ``starts``.
        """
        other = copy.copy(self)
        other.artists_, other.starts_ = codes, starts
        other.artist_genres_, other.artist_counts_ = genres, counts
        return other

    def _audio_estimator(self, genres: int) -> Any:
        """Return the estimator for so many genres: a dummy for a single one, which many estimators reject."""
        if genres == 1:
            return DummyClassifier(strategy="prior")
        return RandomForestClassifier(random_state=0) if self.estimator is None else self.estimator

    def _is_common(
        self, genres: npt.NDArray[np.intp], artists: npt.NDArray[np.intp]
    ) -> npt.NDArray[np.bool_]:
        """Mark the songs of genres with enough songs and artists; all if there are not two such genres."""
        count = int(artists.max(initial=0)) + 1
        artist_counts = np.bincount(np.unique(genres * count + artists) // count)
        is_common = (np.bincount(genres) >= self.min_genre_songs) & (artist_counts >= self.min_genre_artists)
        return is_common[genres] if is_common.sum() > 1 else np.ones(len(genres), dtype=bool)

    def _count_artists(self, artists: Numbers, genres: npt.NDArray[np.intp]) -> None:
        """Store each artist's genres and their counts, one entry per artist and genre."""
        named = ~np.isnan(artists)
        self.artists_, places = np.unique(artists[named], return_inverse=True)
        pairs, counts = np.unique(places * len(self.classes_) + genres[named], return_counts=True)
        self.starts_ = np.unique(pairs // len(self.classes_), return_index=True)[1]
        self.artist_genres_ = pairs % len(self.classes_)
        self.artist_counts_ = counts.astype(np.float64)
        self.error_ = self._leave_one_out_error()

    def _leave_one_out_error(self) -> float:
        """Return how often an artist's other songs give a different genre than a song's, smoothed by two.

        The mean is over artists with several songs, since an artist's songs are not independent.
        """
        totals = np.add.reduceat(self.artist_counts_, self.starts_) if len(self.starts_) else np.empty(0)
        ends = np.append(self.starts_[1:], len(self.artist_counts_))
        wrong = 0.0
        for artist in np.flatnonzero(ends - self.starts_ > 1):  # an artist with one genre is never wrong
            counts = self.artist_counts_[self.starts_[artist] : ends[artist]]
            for place, count in enumerate(counts):
                others = counts.copy()
                others[place] -= 1
                wrong += count / totals[artist] * float(np.argmax(others) != place)
        return (wrong + 1) / (int((totals > 1).sum()) + 2)

    def _places(self, artists: Numbers) -> npt.NDArray[np.intp]:
        """Return the index of each artist in ``artists_``, -1 if it is not there."""
        if not len(self.artists_):
            return np.full(len(artists), -1)
        places = np.minimum(np.searchsorted(self.artists_, artists), len(self.artists_) - 1)
        return np.where(self.artists_[places] == artists, places, -1)

    def _by_artist(self, places: npt.NDArray[np.intp]) -> Numbers:
        result = np.repeat(self.error_ * self.prior_[None, :], len(places), axis=0)
        ends = np.append(self.starts_[1:], len(self.artist_counts_))
        lengths = ends[places] - self.starts_[places]
        rows = np.repeat(np.arange(len(places)), lengths)
        # The entries of each row's artist, concatenated.
        entries = np.arange(len(rows)) + np.repeat(
            self.starts_[places] - np.cumsum(lengths) + lengths, lengths
        )
        counts = self.artist_counts_[entries]
        totals = np.bincount(rows, counts, minlength=len(places))
        result[rows, self.artist_genres_[entries]] += (1 - self.error_) * counts / totals[rows]
        return result

    def _by_estimator(self, features: Numbers) -> Numbers:
        result = np.zeros((len(features), len(self.classes_)))
        result[:, self.common_] = (1 - self.rare_) * self.estimator_.predict_proba(features)
        rare = np.setdiff1d(np.arange(len(self.classes_)), self.common_)
        if len(rare):
            result[:, rare] = self.rare_ * self.prior_[rare] / self.prior_[rare].sum()
        return result

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


class SampledLogistic(LogisticRegression):  # type: ignore[misc]
    """scikit-learn's logistic regression, fitted on at most ``MOST_ROWS`` rows: a random draw of them.

    It has few numbers to learn: more rows cost much and change little (docs/scale.md). Every class has a row
    in the draw.
    """

    MOST_ROWS = 100_000

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> "SampledLogistic":
        """Fit it on all rows, or on the draw if there are more."""
        if _num_samples(X) > self.MOST_ROWS:
            check_consistent_length(X, y, sample_weight)
            drawn = check_random_state(self.random_state).permutation(_num_samples(X))[: self.MOST_ROWS]
            rows = np.union1d(drawn, np.unique(y, return_index=True)[1])
            X, y = _safe_indexing(X, rows), _safe_indexing(y, rows)
            sample_weight = None if sample_weight is None else _safe_indexing(sample_weight, rows)
        super().fit(X, y, sample_weight)
        return self


class BinarizedTree(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A decision tree with one binary target per genre, as in the competition's notebook."""

    def __init__(self, max_depth: int | None = 50, random_state: int | None = 0) -> None:
        self.max_depth = max_depth
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> "BinarizedTree":
        """Fit one tree to all binary targets."""
        X, y = validate_data(self, X, y)
        check_classification_targets(y)
        self.classes_ = np.unique(y)
        # With two classes label_binarize returns one column, so make it two.
        targets = label_binarize(y, classes=self.classes_)
        targets = np.hstack([1 - targets, targets]) if len(self.classes_) == 2 else targets
        self.tree_ = DecisionTreeClassifier(max_depth=self.max_depth, random_state=self.random_state)
        self.tree_.fit(X, targets)
        return self

    def predict_proba(self, X: Any) -> Numbers:
        """Return the share of each genre in the leaf of each song."""
        check_is_fitted(self)
        X = validate_data(self, X, reset=False)
        if len(self.classes_) == 1:
            return np.ones((len(X), 1))
        columns = [
            found[:, 1] if found.shape[1] == 2 else found[:, 0] * 0 for found in self.tree_.predict_proba(X)
        ]
        shares = np.stack(columns, axis=1)
        return np.asarray(shares / shares.sum(axis=1, keepdims=True))

    def predict(self, X: Any) -> Any:
        """Return the genre with the largest share."""
        check_is_fitted(self)
        return self.classes_[np.argmax(self.predict_proba(X), axis=1)]
