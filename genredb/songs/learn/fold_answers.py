"""The answers of an evaluation's fits for their test songs, and summaries of them: rows of the tables."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from genredb.songs.learn.dataset import LabelledSongs
from genredb.songs.learn.group_sets import Asked
from genredb.songs.learn.protocols import Fold
from genredb.songs.learn.scores import Answers, Floats, Texts, joined, measure, standard_error


@dataclass(frozen=True)
class FoldAnswers:
    """The answers of one fit for its fold's songs, for each label.

    ``group_probabilities`` are the names of the groups known to the fit and their probabilities, songs ×
    groups, if it gives any. ``importances`` (columns × permutations) is the accuracy lost when a column's
    values were permuted.
    """

    fold: Fold
    answers: dict[str, Answers]
    ceilings: dict[str, float]
    group_probabilities: tuple[Texts, Floats] | None
    importances: npt.NDArray[np.float64]
    fit_seconds: float
    predict_seconds: float


def _known_artists(data: LabelledSongs, fold: Fold) -> npt.NDArray[np.bool_]:
    """Mark the test songs whose artist has songs among the training songs."""
    known = set(data.artists[fold.train]) - {""}
    return np.array([artist in known for artist in data.artists[fold.test]], dtype=bool)


def _shares(
    data: LabelledSongs, found: Sequence[FoldAnswers], label: str, *, is_unseen_only: bool = False
) -> Floats:
    """Return for each song the share of right answers, NaN if it was never a test song.

    ``is_unseen_only`` excludes answers for songs with a known artist.
    """
    asked, right = np.zeros(len(data)), np.zeros(len(data))
    for one in found:
        counts = ~_known_artists(data, one.fold) if is_unseen_only else np.True_
        test = one.fold.test
        asked[test] += counts
        right[test] += (one.answers[label].predicted == data.truth(label)[test]) & counts
    return np.where(asked > 0, right / np.maximum(asked, 1), np.nan)


def song_rows(data: LabelledSongs, found: Sequence[FoldAnswers], label: str) -> Iterator[tuple[Any, ...]]:
    """Yield the answers of each fold for each of its songs."""
    truth = data.truth(label)
    for one in found:
        answers = one.answers[label]
        columns = (
            data.songs.keys[one.fold.test],
            data.artists[one.fold.test],
            _known_artists(data, one.fold).tolist(),
            truth[one.fold.test],
            answers.predicted,
            (answers.predicted == truth[one.fold.test]).tolist(),
            (answers.ranks + 1).tolist(),
            (None if np.isnan(value) else float(value) for value in answers.confidence),
            (None if np.isnan(value) else float(value) for value in answers.true_probability),
        )
        for row in zip(*columns, strict=True):
            yield one.fold.repeat, one.fold.number, *row


def asked(data: LabelledSongs, found: Sequence[FoldAnswers], *, reads_artist: bool) -> Asked:
    """Return all test songs with the probabilities of all groups, 0 for groups that the fold did not know."""
    groups = np.unique(data.groups.astype(str))
    parts = []
    for one in found:
        names, probabilities = one.group_probabilities or (groups[:0], np.empty((0, 0)))
        whole = np.zeros((len(one.fold.test), len(groups)))
        whole[:, np.searchsorted(groups, names.astype(str))] = probabilities
        places = np.searchsorted(groups, data.groups[one.fold.test].astype(str))
        true_probability = whole[np.arange(len(places)), places]
        fold = (np.full(len(places), value) for value in (one.fold.repeat, one.fold.number))
        artists = data.artist_groups[one.fold.test]
        is_by_artist = _known_artists(data, one.fold) & reads_artist
        parts.append((one.fold.test, artists, *fold, is_by_artist, true_probability, whole))
    return Asked(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def summary(data: LabelledSongs, found: Sequence[FoldAnswers], label: str) -> tuple[Any, ...]:
    """Return the measures over all folds, in the order of ml.evaluations."""
    truth = data.truth(label)
    repeats: dict[int, list[FoldAnswers]] = {}
    for one in found:
        repeats.setdefault(one.fold.repeat, []).append(one)
    pooled = [
        measure(
            joined([one.answers[label] for one in folds]),
            np.concatenate([truth[one.fold.test] for one in folds]),
        )
        for folds in repeats.values()
    ]
    shares = _shares(data, found, label)
    is_asked = ~np.isnan(shares)
    unseen = _shares(data, found, label, is_unseen_only=True)
    is_unseen = ~np.isnan(unseen)
    known = np.concatenate([_known_artists(data, one.fold) for one in found])
    right = np.concatenate([one.answers[label].predicted == truth[one.fold.test] for one in found])
    return (
        int(is_asked.sum()),
        float(shares[is_asked].mean()),
        standard_error(shares[is_asked], data.artist_groups[is_asked]),
        float(right[known].mean()) if known.any() else None,
        float(right[~known].mean()) if not known.all() else None,
        standard_error(unseen[is_unseen], data.artist_groups[is_unseen]) if is_unseen.any() else None,
        _mean(one.top_3 for one in pooled),
        _mean(one.macro_f1 for one in pooled),
        _mean(one.log_loss for one in pooled),
        _mean(one.calibration_error for one in pooled),
        _mean(one.ceilings[label] for one in found),
        sum(one.fit_seconds for one in found),
        sum(one.predict_seconds for one in found),
    )


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def fold_rows(data: LabelledSongs, found: Sequence[FoldAnswers], label: str) -> Iterator[tuple[Any, ...]]:
    """Yield the measures of each fold."""
    truth = data.truth(label)
    for one in found:
        measures = measure(one.answers[label], truth[one.fold.test])
        yield (
            one.fold.repeat,
            one.fold.number,
            len(one.fold.test),
            *astuple(measures),
            one.ceilings[label],
            one.fit_seconds,
            one.predict_seconds,
        )


def confusion(
    data: LabelledSongs, found: Sequence[FoldAnswers], label: str
) -> Iterator[tuple[str, str, float]]:
    """Yield true label, predicted label, and the number of such songs, averaged over repeats."""
    truth = data.truth(label)
    counts: Counter[tuple[str, str]] = Counter()
    for one in found:
        pairs = zip(truth[one.fold.test], one.answers[label].predicted, strict=True)
        counts.update((str(actual), str(predicted)) for actual, predicted in pairs)
    repeats = len({one.fold.repeat for one in found})
    for (actual, predicted), count in sorted(counts.items()):
        yield actual, predicted, count / repeats
