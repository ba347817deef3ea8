"""The bins of a calibration curve: how often predictions of about the same probability are right."""

from dataclasses import dataclass

from genredb.songs.learn.scores import BINS
from genredb.warehouse.connection import Connection
from genredb.warehouse.database import relation_exists

# Sums in a fixed order, so that the same scores give the same bins to the last digit.
_BINS = f"""
    with

    scores as (
        select *, least(floor(probability * {BINS}), {BINS - 1})::bigint as bin
        from ml.song_scores
        where probability is not null
    ),

    repeats as (
        select classifier, protocol, label, count(distinct repeat) as repeats
        from scores
        group by classifier, protocol, label
    )

    select
        classifier,
        protocol,
        label,
        scores.is_artist_known,
        scores.bin / {BINS} as at_least,
        (scores.bin + 1) / {BINS} as below,
        count(*) / any_value(repeats.repeats) as songs,
        avg(scores.probability order by scores.repeat, scores.song_key) as mean_probability,
        avg(scores.is_right::integer) as accuracy
    from scores
    inner join repeats using (classifier, protocol, label)
    group by classifier, protocol, label, scores.is_artist_known, scores.bin
"""


@dataclass(frozen=True)
class Bin:
    """The predictions, for known or for unknown artists, with a probability from ``at_least`` to ``below``.

    ``songs`` is their number, averaged over the repetitions; ``accuracy`` the share of right ones.
    """

    is_artist_known: bool
    at_least: float
    below: float
    songs: float
    mean_probability: float
    accuracy: float


def write_bins(connection: Connection) -> None:
    """Write the bins of every evaluation that has none, such as those of versions before the table."""
    connection.execute(
        f"""
        insert into ml.calibration
        from ({_BINS}) as bins
        anti join ml.calibration as written using (classifier, protocol, label)
        order by all
        """
    )


def read_bins(connection: Connection, name: str, protocol: str, label: str) -> list[Bin]:
    """Return the bins of an evaluation, unknown artists first; none without probabilities."""
    for source in ("ml.calibration", f"({_BINS})"):
        if source == "ml.calibration" and not relation_exists(connection, "ml", "calibration"):
            continue
        rows = connection.rows(
            f"""
            select is_artist_known, at_least, below, songs, mean_probability, accuracy
            from {source} as bins
            where classifier = ? and protocol = ? and label = ?
            order by is_artist_known, at_least
            """,
            [name, protocol, label],
        )
        if rows:
            return [Bin(*row) for row in rows]
    return []
