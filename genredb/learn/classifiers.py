"""The registry of classifiers: one function and one line for each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import RandomForestClassifier

from genredb.build.freshness import COMMON_VIEW
from genredb.learn.artist import ArtistLookup
from genredb.learn.dataset import Songs

SEED = 0
RUNNER_UPS = 3
TREE_SONGS = 20_000
TREE_LEAVES = 500


@dataclass(frozen=True)
class ClassifierSpec:
    """A classifier that can be fitted: the view its audio part is fitted on, and how that part is made.

    ``make_audio`` is told the number of songs it will be fitted on.
    """

    name: str
    description: str
    audio_view: str
    make_audio: Callable[[int], Any]


def _forest(songs: int) -> Any:
    # Leaves of at least three songs smooth the few songs there are per genre. A tree keeps a share for
    # every genre in every node, so trees of many songs are bounded: in the songs they see, and in leaves.
    seen = min(songs, TREE_SONGS)
    return RandomForestClassifier(
        n_estimators=300,
        min_samples_leaf=max(3, seen // TREE_LEAVES),
        max_samples=seen if seen < songs else None,
        random_state=SEED,
        n_jobs=-1,
    )


CLASSIFIERS: Mapping[str, ClassifierSpec] = {
    "artist_forest": ClassifierSpec(
        "artist_forest",
        "The genre of the artist's labelled songs; a random forest on the audio columns for other artists.",
        COMMON_VIEW,
        _forest,
    ),
}
DEFAULT = "artist_forest"


@dataclass(frozen=True)
class Predicted:
    """Predictions for n songs: genres with probabilities, likeliest first, and what decided."""

    genres: list[list[tuple[str, float]]]
    bases: list[str]


@dataclass(frozen=True)
class Fitted:
    """A fitted classifier: an artist look-up and an estimator on the audio columns."""

    name: str
    lookup: ArtistLookup
    audio: Any
    feature_names: tuple[str, ...]

    def predict(self, songs: Songs) -> Predicted:
        """Predict each song: by its artist where that is known, else by the audio columns."""
        known = self.lookup.by_artist
        genres = [known.get(artist, []) for artist in songs.artists]
        open_rows = np.array([not found for found in genres], dtype=bool)
        for row, likeliest in zip(
            np.flatnonzero(open_rows), self._predict_audio(songs.features[open_rows]), strict=True
        ):
            genres[row] = likeliest
        return Predicted(
            [found[: RUNNER_UPS + 1] for found in genres],
            ["audio" if is_open else "artist" for is_open in open_rows],
        )

    def _predict_audio(self, features: npt.NDArray[np.float64]) -> list[list[tuple[str, float]]]:
        if not len(features):
            return []
        probabilities = self.audio.predict_proba(features)
        classes = self.audio.classes_
        # Stable: equal probabilities stand in the order of the genres' names.
        order = np.argsort(-probabilities, axis=1, kind="stable")[:, : RUNNER_UPS + 1]
        return [
            [(str(classes[column]), float(row[column])) for column in columns if row[column] > 0]
            for row, columns in zip(probabilities, order, strict=True)
        ]


def fit(spec: ClassifierSpec, labelled: Songs, audio: Songs) -> Fitted:
    """Fit a classifier: its look-up on ``labelled``, its audio part on ``audio``."""
    estimator = spec.make_audio(len(audio))
    estimator.fit(audio.features, audio.labels)
    # Threads would add the trees' votes in any order, and so break ties in any way.
    estimator.set_params(n_jobs=1)
    lookup = ArtistLookup.fit(labelled.artists, labelled.labels)
    return Fitted(spec.name, lookup, estimator, labelled.feature_names)
