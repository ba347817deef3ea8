"""Evaluation protocols: how songs are split into training and test songs; fixed before any tuning."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import GroupKFold, KFold, train_test_split

from genredb.errors import InputError
from genredb.songs.learn.dataset import LabelledSongs
from genredb.songs.staleness import MIN_GENRE_SONGS

REPEATS = range(6)
FOLDS = 5
Rows = npt.NDArray[np.intp]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Fold:
    """One fit: the training and the test songs, as indices into the data set."""

    repeat: int
    number: int
    train: Rows
    test: Rows


@dataclass(frozen=True)
class Protocol:
    """How classifiers are evaluated: ``takes_part`` selects the labelled songs, ``folds`` splits them.

    SPLIT_BY has the columns of ``songs`` that determine both.
    """

    name: str
    description: str
    takes_part: Callable[[LabelledSongs], Mask]
    folds: Callable[[LabelledSongs], Iterator[Fold]]
    fold_count: int
    knows_artists: bool = True


def _of_the_notebook(data: LabelledSongs) -> Mask:
    """Keep the training file's songs of genres that are common in it, duplicates included."""
    is_own = data.sources == "train"
    genres, counts = np.unique(data.songs.labels[is_own].astype(str), return_counts=True)
    return np.asarray(is_own & np.isin(data.songs.labels, genres[counts >= MIN_GENRE_SONGS]))


def _no_duplicate(data: LabelledSongs) -> Mask:
    return ~data.is_duplicate


def _seed(data: LabelledSongs) -> Iterator[Fold]:
    train, test = train_test_split(np.arange(len(data)), test_size=0.2, random_state=0)
    yield Fold(0, 0, train, test)


def _cv(data: LabelledSongs) -> Iterator[Fold]:
    """Split recordings, not songs: no recording is on both sides."""
    _, first, recording = np.unique(data.recordings, return_index=True, return_inverse=True)
    _refuse_few(len(first), "recordings")
    place = np.argsort(np.argsort(first))[recording]  # recordings in the order of their first songs
    for repeat in REPEATS:
        folds = KFold(FOLDS, shuffle=True, random_state=repeat).split(np.arange(len(first)))
        for number, (train, test) in enumerate(folds):
            yield Fold(repeat, number, *(np.flatnonzero(np.isin(place, side)) for side in (train, test)))


def _unseen(data: LabelledSongs) -> Iterator[Fold]:
    """Split artists; a song without an artist is its own group."""
    artists = data.artist_groups.astype(str)
    _refuse_few(len(set(artists)), "artists")
    for repeat in REPEATS:
        folds = GroupKFold(FOLDS, shuffle=True, random_state=repeat)
        for number, (train, test) in enumerate(folds.split(artists, groups=artists)):
            yield Fold(repeat, number, train, test)


def _refuse_few(count: int, what: str) -> None:
    if count < FOLDS:
        raise InputError(f"{count} {what} are too few to evaluate: {FOLDS} folds need as many")


PROTOCOLS: Mapping[str, Protocol] = {
    protocol.name: protocol
    for protocol in (
        Protocol(
            "seed",
            "the notebook's single 80/20 split: common genres, duplicates included, no artist",
            _of_the_notebook,
            _seed,
            fold_count=1,
            knows_artists=False,
        ),
        Protocol(
            "cv",
            "6 × 5 folds over all labelled songs without duplicates",
            _no_duplicate,
            _cv,
            fold_count=30,
        ),
        Protocol(
            "unseen",
            "6 × 5 folds, an artist's songs never on both sides",
            _no_duplicate,
            _unseen,
            fold_count=30,
        ),
    )
}
