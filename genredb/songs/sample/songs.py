"""Made-up songs: each has an artist from a pool, the artist's genre, and numbers that suit the genre."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from genredb.songs.sample.names import artist_name, mojibake, song_title
from genredb.songs.sample.profile import COLUMNS, CORRELATIONS, GROUPS, SCORES, VALUES

CHUNK_ROWS = 5_000
# The competition's proportions: artists per labelled song, and the defects in its files.
ARTISTS_PER_SONG = 1.69
MISSING_GENRE_SHARE = 15 / 453
MOJIBAKE_SHARE = 0.08
REPEAT_SHARE = 0.004

Row = list[Any]


class SongMaker:
    """Creates the songs of a sample in chunks; each chunk has its own random generator."""

    def __init__(self, rows: int, seed: int) -> None:
        self._seed = seed
        self._pool = max(1, round(rows * ARTISTS_PER_SONG))
        genres = [
            (genre, group, count)
            for group, profile in enumerate(GROUPS.values())
            for genre, count in profile.genres.items()
        ]
        self._genres = [genre for genre, _, _ in genres]
        self._group_of_genre = np.array([group for _, group, _ in genres])
        counts = np.array([count for _, _, count in genres], dtype=float)
        self._cumulative = np.cumsum(counts / counts.sum())
        shares = np.bincount(self._group_of_genre, counts / counts.sum())
        self._means = np.array([profile.means for profile in GROUPS.values()])
        self._within = np.linalg.cholesky(_correlations() - (self._means.T * shares) @ self._means)
        self._kept: list[Row] = []

    def chunks(self, file_number: int, first_id: int, count: int) -> Iterator[list[Row]]:
        """Yield the songs of one file, with Ids from ``first_id`` on."""
        for start in range(0, count, CHUNK_ROWS):
            rng = np.random.default_rng([self._seed, file_number, start])
            chunk = self._chunk(rng, first_id + start, min(CHUNK_ROWS, count - start))
            self._duplicate_some(rng, chunk)
            if not self._kept:
                self._kept = chunk[:1000]
            yield chunk

    def _chunk(self, rng: np.random.Generator, first_id: int, count: int) -> list[Row]:
        artists = rng.integers(0, self._pool, count)
        genres = np.searchsorted(self._cumulative, _uniform(artists, self._seed))
        scores = (
            self._means[self._group_of_genre[genres]]
            + rng.standard_normal((count, len(COLUMNS))) @ self._within.T
        )
        values = [
            np.rint(np.interp(scores[:, j], SCORES, VALUES[name])).astype(int)
            for j, name in enumerate(COLUMNS)
        ]
        audio = np.column_stack(values).tolist()
        draws = rng.random((count, 5))
        rows = []
        for i in range(count):
            name, title = artist_name(int(artists[i])), song_title(draws[i], audio[i][0])
            if draws[i, 3] < MOJIBAKE_SHARE:
                name, title = mojibake(name), mojibake(title)
            genre = "" if draws[i, 4] < MISSING_GENRE_SHARE else self._genres[genres[i]]
            rows.append([first_id + i, title, name, *audio[i], genre])
        return rows

    def _duplicate_some(self, rng: np.random.Generator, chunk: list[Row]) -> None:
        """Make some songs repeat an earlier one except for its Id, as in the competition's files."""
        for i in np.flatnonzero(rng.random(len(chunk)) < REPEAT_SHARE):
            earlier = [*self._kept, *chunk[:i]]
            if earlier:
                chunk[i][1:] = earlier[int(rng.integers(len(earlier)))][1:]


def _correlations() -> npt.NDArray[np.float64]:
    lower = np.zeros((len(COLUMNS), len(COLUMNS)))
    for i, row in enumerate(CORRELATIONS):
        lower[i, :i] = row
    return lower + lower.T + np.eye(len(COLUMNS))


def _uniform(numbers: npt.NDArray[np.int64], seed: int) -> npt.NDArray[np.float64]:
    """Hash each number to a float in [0, 1), so that an artist's genre depends only on the artist."""
    x = numbers.astype(np.uint64) + np.uint64((seed * 0x9E3779B97F4A7C15 + 1) % 2**64)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        x = (x ^ (x >> np.uint64(shift))) * np.uint64(factor)
    x = x ^ (x >> np.uint64(31))
    return (x >> np.uint64(11)).astype(np.float64) / 2.0**53
