"""Reports on one evaluation: a classifier's results by genre, group, artist, source or probability."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from genredb.errors import UsageError
from genredb.songs.learn.calibration import read_bins
from genredb.songs.learn.scores import Floats, calibration_error, standard_error
from genredb.warehouse.connection import Connection

DRAWS = 200


@dataclass(frozen=True)
class ValueReport:
    """A classifier's results on the songs of one genre, group, artist or source.

    ``songs`` and ``artists`` are counts. ``recall`` is the share of songs answered correctly,
    ``artist_recall`` the same with each artist counted once. ``precision`` is the share of right answers
    among those that give this value, None if there are none or if the value is not an answer.
    """

    value: str
    songs: int
    artists: int
    recall: float
    artist_recall: float
    precision: float | None


@dataclass(frozen=True)
class ProbabilityReport:
    """How often a classifier is right when its probability is from ``at_least`` to ``below``.

    ``answered`` is the share of the songs, of known or of unknown artists, that have at least this
    probability; ``answered_right`` is the share of right answers among them, with its standard error.
    """

    is_artist_known: bool
    at_least: float
    below: float
    songs: float
    mean_probability: float
    right: float
    answered: float
    answered_right: float
    answered_right_error: float


@dataclass(frozen=True)
class Calibration:
    """The calibration error, and the mean one that a perfectly calibrated classifier would show."""

    error: float
    perfect: float


@dataclass(frozen=True)
class Reliability:
    """The reliability of a classifier's probabilities, for known and for unknown artists."""

    probabilities: tuple[ProbabilityReport, ...]
    calibration: Calibration


_ARTIST = "coalesce(nullif(scores.artist_key, ''), scores.song_key)"
# The dimensions of a report: the SQL of the values, and the label that they are, if they are one.
BY: Mapping[str, tuple[str, str | None]] = {
    "genre": ("scores.actual", "genre"),
    "group": ("scores.actual", "genre_group"),
    # Different spellings of a name are one artist.
    "artist": (f"coalesce(min(songs.artist) over (partition by {_ARTIST}), scores.song_key)", None),
    "source": ("songs.source", None),
}


def report_by(connection: Connection, name: str, protocol: str, label: str, by: str) -> list[ValueReport]:
    """Return a classifier's results by genre, group, artist or source, values with most songs first.

    UsageError if values of one label are requested for answers of the other.
    """
    value, own_label = BY[by]
    is_label = own_label is not None
    if is_label and own_label != label:
        raise UsageError(f"A report by {by} needs the label {own_label}", cure=f"use --label {own_label}")
    rows = connection.rows(
        f"""
        with

        scores as (
            select
                {value} as value,
                scores.song_key,
                {_ARTIST} as artist,
                scores.predicted,
                scores.is_right::integer as is_right
            from ml.song_scores as scores
            inner join songs on scores.song_key = songs.song_key
            where scores.classifier = ? and scores.protocol = ? and scores.label = ?
        ),

        artists as (
            select value, artist, avg(is_right) as recall
            from scores
            group by value, artist
        ),

        by_artist as (
            select value, avg(recall order by artist) as artist_recall
            from artists
            group by value
        ),

        answers as (
            select predicted as value, avg(is_right) as answers_right
            from scores
            group by predicted
        )

        select
            scores.value,
            count(distinct scores.song_key) as song_count,
            count(distinct scores.artist),
            avg(scores.is_right),
            any_value(by_artist.artist_recall),
            {"any_value(answers.answers_right)" if is_label else "null"}
        from scores
        inner join by_artist on scores.value = by_artist.value
        left join answers on scores.value = answers.value
        group by scores.value
        order by song_count desc, scores.value
        """,
        [name, protocol, label],
    )
    return [ValueReport(*row) for row in rows]


def report_by_probability(connection: Connection, name: str, protocol: str, label: str) -> Reliability:
    """Return how reliable a classifier's probabilities are; UsageError if it gives none."""
    columns = connection.arrays(
        """
        select
            repeat,
            is_artist_known,
            probability,
            is_right,
            coalesce(nullif(artist_key, ''), song_key) as artist
        from ml.song_scores
        where classifier = ? and protocol = ? and label = ? and probability is not null
        order by repeat, song_key
        """,
        [name, protocol, label],
    )
    repeats, is_known, stated, right = (
        np.asarray(columns[key]) for key in ("repeat", "is_artist_known", "probability", "is_right")
    )
    if not len(stated):
        raise UsageError(f"{name} gives no probabilities")
    artists = np.asarray(columns["artist"], dtype=object)
    reports = []
    for one in read_bins(connection, name, protocol, label):
        own = is_known == one.is_artist_known
        answered = own & (stated >= one.at_least)
        reports.append(
            ProbabilityReport(
                one.is_artist_known,
                one.at_least,
                one.below,
                one.songs,
                one.mean_probability,
                one.accuracy,
                float(answered.sum() / own.sum()),
                float(right[answered].mean()),
                standard_error(right[answered].astype(np.float64), artists[answered]),
            )
        )
    return Reliability(tuple(reports), _calibration(repeats, stated, right.astype(np.float64)))


def _calibration(repeats: Floats, stated: Floats, right: Floats) -> Calibration:
    """Compare the calibration error with that of simulated answers, right exactly as often as predicted."""
    generator = np.random.default_rng(0)
    found, perfect = [], []
    for repeat in np.unique(repeats):
        own = stated[repeats == repeat]
        found.append(calibration_error(own, right[repeats == repeat]))
        draws = generator.random((DRAWS, len(own))) < own
        perfect.append(np.mean([calibration_error(own, draw.astype(np.float64)) for draw in draws]))
    return Calibration(float(np.mean(found)), float(np.mean(perfect)))
