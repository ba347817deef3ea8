"""The tables of evaluations: what came out of each fold is summed up, written, and read back."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import MISSING, astuple, dataclass, fields, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from genredb.build.freshness import DEFAULT
from genredb.learn.dataset import LabelledSongs
from genredb.learn.group_sets import Asked, group_sets
from genredb.learn.protocols import Fold
from genredb.learn.scores import Answers, Floats, Texts, joined, measure, standard_error
from genredb.warehouse.database import Connection, fetch_all, insert_rows, relation_exists, transaction

LABELS = ("genre", "genre_group")
SIGNIFICANCE = 0.05


@dataclass(frozen=True)
class Judged:
    """Which evaluation it is: of a classifier under a protocol, on songs that ``digest`` tells.

    ``classifier_id`` is the one that is fitted on all of them; ``reads_artist`` says that a known artist
    decides its answers.
    """

    classifier: str
    protocol: str
    digest: str
    classifier_id: str
    reads_artist: bool


@dataclass(frozen=True)
class Evaluation:
    """A classifier under a protocol and a label, over all folds; errors are standard errors over songs.

    ``ceiling`` is the share of songs whose label was known to the fold. ``difference`` is the accuracy less
    that of the default classifier on the same songs, with its own error; ``is_noise`` says that it may well
    be chance, seen how many classifiers were compared.
    """

    classifier: str
    protocol: str
    label: str
    songs: int
    accuracy: float
    accuracy_error: float
    seen_accuracy: float | None
    unseen_accuracy: float | None
    unseen_error: float | None
    top_3: float
    macro_f1: float
    log_loss: float | None
    calibration_error: float | None
    ceiling: float
    fit_seconds: float
    predict_seconds: float
    difference: float | None = None
    difference_error: float | None = None
    is_noise: bool | None = None


@dataclass(frozen=True)
class FoldAnswers:
    """What one fit said of its fold's songs, for each label.

    ``group_probabilities`` are the names of the groups that the fit knew and their probabilities, songs ×
    groups, where it gives any. ``importances`` (columns × permutations) is the accuracy lost where a column's
    values were permuted.
    """

    fold: Fold
    answers: dict[str, Answers]
    ceilings: dict[str, float]
    group_probabilities: tuple[Texts, Floats] | None
    importances: npt.NDArray[np.float64]
    fit_seconds: float
    predict_seconds: float


def is_known(connection: Connection, judged: Judged) -> bool:
    """Whether the tables hold this evaluation."""
    if not relation_exists(connection, "ml", "past_song_scores"):
        return False
    sql = """
        select 1
        from ml.evaluations
        semi join ml.importances using (classifier, protocol)
        semi join ml.past_song_scores using (classifier, protocol, digest)
        where classifier = ? and protocol = ? and digest = ?
        """
    return bool(fetch_all(connection, sql, [judged.classifier, judged.protocol, judged.digest]))


def write(
    connection: Connection,
    judged: Judged,
    data: LabelledSongs,
    found: Sequence[FoldAnswers],
    columns: Sequence[str],
) -> None:
    """Replace what the tables hold of a classifier, which reads these columns, under a protocol."""
    with transaction(connection):
        for table in ("evaluations", "fold_scores", "confusion", "song_scores", "importances", "group_sets"):
            connection.execute(
                f"delete from ml.{table} where classifier = ? and protocol = ?",
                [judged.classifier, judged.protocol],
            )
        lost = np.concatenate([one.importances for one in found], axis=1)
        insert_rows(
            connection,
            "ml.importances",
            [
                (judged.classifier, judged.protocol, column, float(values.mean()), float(values.std()))
                for column, values in zip(columns, lost, strict=True)
            ],
        )
        for label in LABELS:
            key = (judged.classifier, judged.protocol, label)
            summary = _summary(data, found, label)
            insert_rows(connection, "ml.evaluations", [(*key, judged.digest, *summary, datetime.now(UTC))])
            insert_rows(
                connection, "ml.fold_scores", [(*key, *row) for row in _fold_rows(data, found, label)]
            )
            insert_rows(connection, "ml.confusion", [(*key, *row) for row in _confusion(data, found, label)])
            insert_rows(
                connection, "ml.song_scores", [(*key, *row) for row in _song_rows(data, found, label)]
            )
        has_groups = all(one.group_probabilities for one in found)
        sets = group_sets(_asked(data, found, reads_artist=judged.reads_artist)) if has_groups else ()
        insert_rows(
            connection,
            "ml.group_sets",
            [(judged.classifier, judged.protocol, judged.classifier_id, *astuple(one)) for one in sets],
        )


def _known_artists(data: LabelledSongs, fold: Fold) -> npt.NDArray[np.bool_]:
    """Mark the songs asked whose artist has songs among those learned from."""
    known = set(data.songs.artists[fold.train]) - {""}
    return np.array([artist in known for artist in data.songs.artists[fold.test]], dtype=bool)


def _shares(
    data: LabelledSongs, found: Sequence[FoldAnswers], label: str, *, is_unseen_only: bool = False
) -> Floats:
    """Return for each song how often it was answered right, NaN where it was never asked.

    ``is_unseen_only`` leaves out the times when the artist was known.
    """
    asked, right = np.zeros(len(data)), np.zeros(len(data))
    for one in found:
        counts = ~_known_artists(data, one.fold) if is_unseen_only else np.True_
        test = one.fold.test
        asked[test] += counts
        right[test] += (one.answers[label].predicted == data.truth(label)[test]) & counts
    return np.where(asked > 0, right / np.maximum(asked, 1), np.nan)


def _song_rows(data: LabelledSongs, found: Sequence[FoldAnswers], label: str) -> Iterator[tuple[Any, ...]]:
    """Yield what each fold said of each of its songs."""
    truth = data.truth(label)
    for one in found:
        answers = one.answers[label]
        columns = (
            data.songs.keys[one.fold.test],
            data.songs.artists[one.fold.test],
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


def _asked(data: LabelledSongs, found: Sequence[FoldAnswers], *, reads_artist: bool) -> Asked:
    """Return all songs that were asked, with the probabilities of all groups; 0 where a fold knew none."""
    groups = np.unique(data.groups.astype(str))
    parts = []
    for one in found:
        names, probabilities = one.group_probabilities or (groups[:0], np.empty((0, 0)))
        whole = np.zeros((len(one.fold.test), len(groups)))
        whole[:, np.searchsorted(groups, names.astype(str))] = probabilities
        places = np.searchsorted(groups, data.groups[one.fold.test].astype(str))
        true_probability = whole[np.arange(len(places)), places]
        fold = (np.full(len(places), value) for value in (one.fold.repeat, one.fold.number))
        artists = data.singers[one.fold.test]
        is_by_artist = _known_artists(data, one.fold) & reads_artist
        parts.append((one.fold.test, artists, *fold, is_by_artist, true_probability, whole))
    return Asked(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _summary(data: LabelledSongs, found: Sequence[FoldAnswers], label: str) -> tuple[Any, ...]:
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
        standard_error(shares[is_asked], data.singers[is_asked]),
        float(right[known].mean()) if known.any() else None,
        float(right[~known].mean()) if not known.all() else None,
        standard_error(unseen[is_unseen], data.singers[is_unseen]) if is_unseen.any() else None,
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


def _fold_rows(data: LabelledSongs, found: Sequence[FoldAnswers], label: str) -> Iterator[tuple[Any, ...]]:
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


def _confusion(
    data: LabelledSongs, found: Sequence[FoldAnswers], label: str
) -> Iterator[tuple[str, str, float]]:
    """Yield how many songs of a label were taken for which, on the average of the repeats."""
    truth = data.truth(label)
    counts: Counter[tuple[str, str]] = Counter()
    for one in found:
        pairs = zip(truth[one.fold.test], one.answers[label].predicted, strict=True)
        counts.update((str(actual), str(predicted)) for actual, predicted in pairs)
    repeats = len({one.fold.repeat for one in found})
    for (actual, predicted), count in sorted(counts.items()):
        yield actual, predicted, count / repeats


def read(connection: Connection, name: str, protocol: str, label: str) -> Evaluation:
    """Read an evaluation, and hold it against the default's on the same songs."""
    key = [name, protocol, label]
    columns = [f.name for f in fields(Evaluation) if f.default is MISSING]
    where = "where classifier = ? and protocol = ? and label = ?"
    row = fetch_all(connection, f"select {', '.join(columns)} from ml.evaluations {where}", key)[0]
    alone = Evaluation(**dict(zip(columns, row, strict=True)))
    if name == DEFAULT:
        return alone
    pairs = fetch_all(
        connection,
        """
        with

        scores as (
            select classifier, song_key, artist_key, avg(is_right::integer) as accuracy
            from ml.song_scores
            where protocol = ? and label = ? and classifier in (?, ?)
            group by classifier, song_key, artist_key
        )

        select own.accuracy - other.accuracy, coalesce(nullif(own.artist_key, ''), own.song_key)
        from scores as own
        inner join scores as other on own.song_key = other.song_key
        where own.classifier = ? and other.classifier = ?
        order by own.song_key
        """,
        [protocol, label, name, DEFAULT, name, DEFAULT],
    )
    differences = np.array([pair[0] for pair in pairs])
    artists = np.array([pair[1] for pair in pairs], dtype=object)
    error = standard_error(differences, artists)
    return replace(alone, difference=float(differences.mean()), difference_error=error)


def with_verdicts(found: Sequence[Evaluation]) -> list[Evaluation]:
    """Say of each difference whether it is noise, seen how many are compared."""
    verdicts = are_noise(
        {
            one.classifier: (one.difference, one.difference_error or 0.0)
            for one in found
            if one.difference is not None
        }
    )
    return [replace(one, is_noise=verdicts.get(one.classifier)) for one in found]


def are_noise(differences: Mapping[str, tuple[float, float]]) -> dict[str, bool]:
    """Say of each difference, given with its error, whether it is noise: Holm's test at 5 % over all."""
    chances = {name: _chance(*difference) for name, difference in differences.items()}
    verdicts: dict[str, bool] = {}
    for place, name in enumerate(sorted(chances, key=chances.__getitem__)):
        # Once one is noise, so are all that are less clear.
        verdicts[name] = any(verdicts.values()) or chances[name] * (len(chances) - place) > SIGNIFICANCE
    return verdicts


def _chance(difference: float, error: float) -> float:
    """Return how likely a difference as large as this is where there is none, by the normal distribution."""
    if not difference or not error:
        return 0.0 if difference else 1.0
    return math.erfc(abs(difference) / error / math.sqrt(2))
