"""The per-song scores of earlier evaluations, with which later ones are compared (ml.past_song_scores)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from genredb.songs.learn.evaluations import Judged
from genredb.songs.learn.scores import Floats
from genredb.warehouse.connection import Connection

MEASURES = ("accuracy", "top 3", "log-loss")
KEPT_RUNS = 20  # per classifier and protocol


@dataclass(frozen=True)
class SongScores:
    """The inputs of an evaluation, what it read, and its scores: measures × songs, in the order of keys.

    ``artists`` are the songs' artists; a song without an artist is its own.
    """

    digest: str
    features: tuple[str, ...]
    keys: tuple[str, ...]
    artists: tuple[str, ...]
    scores: Mapping[str, Floats]

    @property
    def folds(self) -> str:
        """What determines the split of the songs; equal if the folds are equal."""
        return self.digest.split("-")[1]


def remember(connection: Connection, judged: Judged, run_id: str, features: Sequence[str]) -> None:
    """Store the song scores just written under their run's id, and delete the oldest run's."""
    connection.execute(
        """
        insert into ml.past_song_scores
        select
            ?, classifier, protocol, label, ?, ?, song_key, any_value(artist_key),
            avg(is_right::integer), avg((rank <= 3)::integer), avg(-ln(actual_probability))
        from ml.song_scores
        where classifier = ? and protocol = ?
        group by all
        """,
        [run_id, judged.digest, list(features), judged.classifier, judged.protocol],
    )
    connection.execute(
        """
        delete from ml.past_song_scores
        where classifier = ? and protocol = ? and run_id not in (
            select distinct run_id
            from ml.past_song_scores
            where classifier = ? and protocol = ?
            order by run_id desc
            limit ?
        )
        """,
        [*(judged.classifier, judged.protocol) * 2, KEPT_RUNS],
    )


def read_song_scores(
    connection: Connection, key: tuple[str, str, str], run_id: str | None = None
) -> SongScores:
    """Return a run's scores, by default the last one's, for a key of classifier, protocol and label."""
    rows = connection.rows(
        """
        select
            digest, features, song_key, coalesce(nullif(artist_key, ''), song_key), accuracy, top_3, log_loss
        from ml.past_song_scores
        where classifier = ? and protocol = ? and label = ?
        qualify run_id = coalesce(?, max(run_id) over ())
        order by song_key
        """,
        [*key, run_id],
    )
    digests, features, keys, artists, *scores = zip(*rows, strict=True)
    known = {
        measure: np.array(values, dtype=np.float64)
        for measure, values in zip(MEASURES, scores, strict=True)
        if None not in values  # without probabilities a classifier has no log loss
    }
    return SongScores(digests[0], tuple(features[0]), keys, artists, known)
