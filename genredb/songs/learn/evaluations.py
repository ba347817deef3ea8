"""The tables of evaluations: summarizes the results of the folds and writes them."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from datetime import UTC, datetime

import numpy as np

from genredb.songs.learn.calibration import write_bins
from genredb.songs.learn.dataset import LabelledSongs
from genredb.songs.learn.fold_answers import FoldAnswers, asked, confusion, fold_rows, song_rows, summary
from genredb.songs.learn.group_sets import group_sets
from genredb.songs.learn.leaderboard import LABELS
from genredb.warehouse.connection import Connection
from genredb.warehouse.database import insert_rows, relation_exists, transaction

_TABLES = (
    "evaluations",
    "fold_scores",
    "confusion",
    "song_scores",
    "calibration",
    "importances",
    "group_sets",
)


@dataclass(frozen=True)
class Judged:
    """Identifies an evaluation: a classifier under a protocol, with ``digest`` identifying the songs.

    ``classifier_id`` is the classifier fitted on all of them; ``reads_artist`` means that a known artist
    decides its answers.
    """

    classifier: str
    protocol: str
    digest: str
    classifier_id: str
    reads_artist: bool


def is_known(connection: Connection, judged: Judged) -> bool:
    """Return True if the tables contain this evaluation."""
    if not relation_exists(connection, "ml", "past_song_scores"):
        return False
    sql = """
        select 1
        from ml.evaluations
        semi join ml.importances using (classifier, protocol)
        semi join ml.past_song_scores using (classifier, protocol, digest)
        where classifier = ? and protocol = ? and digest = ?
        """
    return bool(connection.rows(sql, [judged.classifier, judged.protocol, judged.digest]))


def write(
    connection: Connection,
    judged: Judged,
    data: LabelledSongs,
    found: Sequence[FoldAnswers],
    columns: Sequence[str],
) -> None:
    """Replace the results in the tables of a classifier, which reads these columns, under a protocol."""
    with transaction(connection):
        for table in _TABLES:
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
            sums = summary(data, found, label)
            insert_rows(connection, "ml.evaluations", [(*key, judged.digest, *sums, datetime.now(UTC))])
            insert_rows(connection, "ml.fold_scores", [(*key, *row) for row in fold_rows(data, found, label)])
            insert_rows(connection, "ml.confusion", [(*key, *row) for row in confusion(data, found, label)])
            insert_rows(connection, "ml.song_scores", [(*key, *row) for row in song_rows(data, found, label)])
        write_bins(connection)
        has_groups = all(one.group_probabilities for one in found)
        sets = group_sets(asked(data, found, reads_artist=judged.reads_artist)) if has_groups else ()
        insert_rows(
            connection,
            "ml.group_sets",
            [(judged.classifier, judged.protocol, judged.classifier_id, *astuple(one)) for one in sets],
        )
