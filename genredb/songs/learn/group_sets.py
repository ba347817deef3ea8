"""Sets of genre groups that contain a song's true group with a given probability: conformal sets, by fold.

A set contains the groups whose probability reaches a threshold, and the most likely one. The threshold is a
quantile of the probabilities of the true groups, predicted by classifiers not fitted on those songs (Sadinle,
Lei and Wasserman 2019). Songs decided by the artist and songs decided by the audio have separate thresholds.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from genredb.songs.learn.scores import standard_error

COVERAGES = (0.8, 0.9, 0.95)
Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Asked:
    """Songs predicted by classifiers that were not fitted on them; parallel arrays of length n.

    ``songs`` are indices into the data set, a song once per repeat. ``true_probability`` is that of the true
    group, 0 if the fold did not know it; ``probabilities`` (n × groups) are those of all groups.
    ``is_by_artist`` marks songs decided by a known artist.
    """

    songs: npt.NDArray[np.intp]
    artists: npt.NDArray[np.object_]
    repeats: npt.NDArray[np.intp]
    folds: npt.NDArray[np.intp]
    is_by_artist: Mask
    true_probability: Floats
    probabilities: Floats


@dataclass(frozen=True)
class GroupSets:
    """Properties of the sets with one threshold, for songs decided on one ``basis``: artist or audio.

    ``coverage`` is nominal, ``held`` measured: the share of songs whose set contains the true group, each
    fold with a threshold from the other folds. ``mean_size`` counts groups.
    """

    basis: str
    coverage: float
    threshold: float
    songs: int
    held: float
    held_error: float
    mean_size: float


def group_sets(asked: Asked) -> Iterator[GroupSets]:
    """Yield the sets of each basis and coverage."""
    for basis, is_of_basis in (("artist", asked.is_by_artist), ("audio", ~asked.is_by_artist)):
        if is_of_basis.any():
            for coverage in COVERAGES:
                yield _judged(asked, basis, is_of_basis, coverage)


def _judged(asked: Asked, basis: str, is_of_basis: Mask, coverage: float) -> GroupSets:
    held, sizes = np.zeros(len(asked.songs)), np.zeros(len(asked.songs))
    whole = []
    for repeat in np.unique(asked.repeats):
        own = is_of_basis & (asked.repeats == repeat)
        whole.append(_threshold(asked.true_probability[own], coverage))
        for fold in np.unique(asked.folds[own]):
            test = own & (asked.folds == fold)
            least = _threshold(asked.true_probability[own & ~test], coverage)
            # The most likely group is always included, so that no set is empty.
            reached = np.minimum(least, asked.probabilities[test].max(axis=1))
            held[test] = asked.true_probability[test] >= reached
            sizes[test] = (asked.probabilities[test] >= reached[:, None]).sum(axis=1)
    songs, first, place = np.unique(asked.songs[is_of_basis], return_index=True, return_inverse=True)
    shares = np.bincount(place, held[is_of_basis]) / np.bincount(place)
    return GroupSets(
        basis,
        coverage,
        float(np.mean(whole)),
        len(songs),
        float(shares.mean()),
        standard_error(shares, asked.artists[is_of_basis][first]),
        float(sizes[is_of_basis].mean()),
    )


def _threshold(true_probability: Floats, coverage: float) -> float:
    """Return the threshold that a new song's true group reaches with this coverage; 0 for few songs."""
    below = int(np.floor((len(true_probability) + 1) * (1 - coverage) + 1e-9))
    return float(np.sort(true_probability)[below - 1]) if below else 0.0
