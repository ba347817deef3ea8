"""The artist look-up: on these data a genre is an attribute of the artist, so the artist decides first."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

# What the look-up leaves to other genres: the artists of the competition never have two, but a
# probability of exactly 1 would say that one is impossible.
TRUST = 0.98


@dataclass(frozen=True)
class ArtistLookup:
    """The genres of every labelled artist, most frequent first (ties by name), with their counts.

    ``artists``, ``genres`` and ``counts`` are parallel arrays, one entry per artist and genre.
    """

    artists: npt.NDArray[np.str_]
    genres: npt.NDArray[np.str_]
    counts: npt.NDArray[np.int64]

    @classmethod
    def fit(cls, artists: npt.NDArray[np.object_], labels: npt.NDArray[np.object_]) -> "ArtistLookup":
        """Count the genres of each artist; songs without an artist teach nothing."""
        counted: dict[tuple[str, str], int] = {}
        for artist, label in zip(artists, labels, strict=True):
            if artist:
                counted[artist, label] = counted.get((artist, label), 0) + 1
        rows = sorted(counted.items(), key=lambda row: (row[0][0], -row[1], row[0][1]))
        return cls(
            np.array([artist for (artist, _), _ in rows], dtype=np.str_),
            np.array([genre for (_, genre), _ in rows], dtype=np.str_),
            np.array([count for _, count in rows], dtype=np.int64),
        )

    @cached_property
    def by_artist(self) -> dict[str, list[tuple[str, float]]]:
        """Return each artist's genres with their probabilities, likeliest first."""
        found: dict[str, list[tuple[str, int]]] = {}
        for artist, genre, count in zip(self.artists, self.genres, self.counts, strict=True):
            found.setdefault(str(artist), []).append((str(genre), int(count)))
        return {
            artist: [(genre, TRUST * count / sum(n for _, n in genres)) for genre, count in genres]
            for artist, genres in found.items()
        }
