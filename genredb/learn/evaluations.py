"""The tables of evaluations: what came out of each fold is summed up, written, and read back."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass, fields, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from genredb.build.freshness import DEFAULT
from genredb.learn.dataset import LabelledSongs
from genredb.learn.protocols import Fold
from genredb.learn.scores import Answers, joined, measure, standard_error
from genredb.warehouse.database import Connection, fetch_all, insert_rows, relation_exists, transaction

LABELS = ("genre", "genre_group")


@dataclass(frozen=True)
class Judged:
    """Which evaluation it is: of a classifier under a protocol, on songs that ``digest`` tells."""

    classifier: str
    protocol: str
    digest: str


@dataclass(frozen=True)
class Evaluation:
    """A classifier under a protocol and a label, over all folds; errors are standard errors over songs.

    ``ceiling`` is the share of songs whose label was known to the fold. ``difference`` is the accuracy less
    that of the default classifier on the same songs, with its own error.
    """

    classifier: str
    protocol: str
    label: str
    songs: int
    accuracy: float
    accuracy_error: float
    seen_accuracy: float | None
    unseen_accuracy: float | None
    top_3: float
    macro_f1: float
    log_loss: float | None
    calibration_error: float | None
    ceiling: float
    fit_seconds: float
    predict_seconds: float
    difference: float | None = None
    difference_error: float | None = None


@dataclass(frozen=True)
class FoldAnswers:
    """What one fit said of its fold's songs, for each label.

    ``importances`` (columns × permutations) is the accuracy lost where a column's values were permuted.
    """

    fold: Fold
    answers: dict[str, Answers]
    ceilings: dict[str, float]
    importances: npt.NDArray[np.float64]
    fit_seconds: float
    predict_seconds: float


def is_known(connection: Connection, judged: Judged) -> bool:
    """Whether the tables hold this evaluation."""
    if not relation_exists(connection, "ml", "importances"):
        return False
    sql = """
        select 1
        from ml.evaluations
        semi join ml.importances using (classifier, protocol)
        where classifier = ? and protocol = ? and digest = ?
        """
    return bool(fetch_all(connection, sql, list(astuple(judged))))


def write(
    connection: Connection,
    judged: Judged,
    data: LabelledSongs,
    found: Sequence[FoldAnswers],
    columns: Sequence[str],
) -> None:
    """Replace what the tables hold of a classifier, which reads these columns, under a protocol."""
    with transaction(connection):
        for table in ("evaluations", "fold_scores", "confusion", "song_scores", "importances"):
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
            shares = _right_shares(data, found, label)
            songs = zip(data.songs.keys, data.songs.artists, shares, strict=True)
            insert_rows(
                connection, "ml.song_scores", [(*key, k, a, float(s)) for k, a, s in songs if not np.isnan(s)]
            )


def _right_shares(data: LabelledSongs, found: Sequence[FoldAnswers], label: str) -> Any:
    """Return for each song how often it was answered right, NaN where it was never asked."""
    asked, right = np.zeros(len(data)), np.zeros(len(data))
    for one in found:
        test = one.fold.test
        asked[test] += 1
        right[test] += one.answers[label].predicted == data.truth(label)[test]
    return np.where(asked > 0, right / np.maximum(asked, 1), np.nan)


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
    shares = _right_shares(data, found, label)
    is_asked = ~np.isnan(shares)
    seen, right = [], []
    for one in found:
        known = set(data.songs.artists[one.fold.train]) - {""}
        seen += [artist in known for artist in data.songs.artists[one.fold.test]]
        right += list(one.answers[label].predicted == truth[one.fold.test])
    is_seen, is_right = np.array(seen), np.array(right)
    return (
        int(is_asked.sum()),
        float(shares[is_asked].mean()),
        standard_error(shares[is_asked], data.singers[is_asked]),
        float(is_right[is_seen].mean()) if is_seen.any() else None,
        float(is_right[~is_seen].mean()) if not is_seen.all() else None,
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
    columns = [f.name for f in fields(Evaluation) if not f.name.startswith("difference")]
    where = "where classifier = ? and protocol = ? and label = ?"
    row = fetch_all(connection, f"select {', '.join(columns)} from ml.evaluations {where}", key)[0]
    alone = Evaluation(**dict(zip(columns, row, strict=True)))
    if name == DEFAULT:
        return alone
    pairs = fetch_all(
        connection,
        """
        select own.accuracy - other.accuracy, coalesce(nullif(own.artist_key, ''), own.song_key)
        from ml.song_scores as own
        inner join ml.song_scores as other
            on own.protocol = other.protocol and own.label = other.label and own.song_key = other.song_key
        where own.classifier = ? and own.protocol = ? and own.label = ? and other.classifier = ?
        """,
        [*key, DEFAULT],
    )
    differences = np.array([pair[0] for pair in pairs])
    artists = np.array([pair[1] for pair in pairs], dtype=object)
    error = standard_error(differences, artists)
    return replace(alone, difference=float(differences.mean()), difference_error=error)
