"""Drift: how much the songs to predict differ from a classifier's training songs, column by column."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from genredb.songs.views import PREDICT_VIEW, TRAIN_VIEW
from genredb.warehouse.connection import Connection
from genredb.warehouse.database import quote

# The probability of reporting any drift in a file whose songs do not differ.
FALSE_ALARM = 0.01


@dataclass(frozen=True)
class Drift:
    """A column in which one file's songs to predict differ from the labelled songs.

    Of ``songs`` songs, ``outside`` lie below ``low`` or above ``high``, the range of the labelled songs;
    ``is_outside`` means that so many are unlikely by chance. ``distance`` is the Kolmogorov–Smirnov
    statistic, ``chance`` its critical value if the distributions are equal. Medians are in the column's unit.
    """

    source: str
    column: str
    songs: int
    outside: int
    is_outside: bool
    low: float
    high: float
    distance: float
    chance: float
    median: float
    labelled_median: float

    def __str__(self) -> str:
        parts = []
        if self.is_outside:
            parts.append(f"{self.outside} of {self.songs} outside {self.low:g} to {self.high:g}")
        if self.distance > self.chance:
            parts.append(
                f"median {self.median:g} vs {self.labelled_median:g} in training, "
                f"KS distance {self.distance:.2f} > {self.chance:.2f}"
            )
        return f"{self.column} ({'; '.join(parts)})"


def describe_drift(found: Iterable[Drift]) -> list[str]:
    """Return a clause for each file whose songs differ from the labelled ones."""
    return [
        f"Drift in the songs to predict of {source}: {', '.join(map(str, drifts))}"
        for source, drifts in groupby(found, key=lambda drift: drift.source)
    ]


def find_drift(connection: Connection, columns: Sequence[str]) -> tuple[Drift, ...]:
    """Compare the feature views; return the columns of each file that differ, in order.

    Missing values are ignored.
    """
    rows = connection.rows(_sql(columns))
    found = []
    for source, column, songs, labelled, outside, low, high, distance, median, labelled_median in rows:
        alarm = FALSE_ALARM / len(columns) / 2  # either statistic of any column can be a false alarm
        is_outside = _odds_outside(outside, songs, labelled) < alarm
        chance = _chance(songs, labelled, alarm)
        if is_outside or distance > chance:
            medians = (median, labelled_median)
            found.append(
                Drift(source, column, songs, outside, is_outside, low, high, distance, chance, *medians)
            )
    return tuple(found)


def _odds_outside(outside: int, count: int, other_count: int) -> float:
    """Return the probability that, by chance, at least so many of ``count`` songs are out of range.

    The number outside a sample's range follows a negative hypergeometric distribution with parameter two; its
    limit, a negative binomial distribution, is used here.
    """
    share = count / (count + other_count)
    return float(share**outside * (1 + outside * (1 - share)))


def _chance(count: int, other_count: int, alarm: float) -> float:
    """Return the distance that two samples of these sizes exceed with probability ``alarm``."""
    return math.sqrt(-math.log(alarm / 2) / 2 * (count + other_count) / (count * other_count))


def _sql(columns: Sequence[str]) -> str:
    names = ", ".join(quote(column) for column in columns)
    values = ", ".join(f"{quote(column)}::double as {quote(column)}" for column in columns)
    return f"""
        with
        labelled as (
            select column_name, amount, count(*) as songs
            from (unpivot (select {values} from features.{TRAIN_VIEW})
                on {names} into name column_name value amount)
            group by all
        ),
        asked as (
            select source, column_name, amount, count(*) as songs
            from (unpivot (select source, {values} from features.{PREDICT_VIEW})
                on {names} into name column_name value amount)
            group by all
        ),
        counted as (
            select source, column_name, amount, sum(songs) as songs, sum(labelled_songs) as labelled_songs
            from (
                select source, column_name, amount, songs, 0 as labelled_songs from asked
                union all
                select sources.source, labelled.column_name, labelled.amount, 0, labelled.songs
                from labelled
                inner join (select distinct source, column_name from asked) as sources
                    on labelled.column_name = sources.column_name
            )
            group by all
        ),
        shares as (
            select
                *,
                sum(songs) over up_to / sum(songs) over whole as share,
                sum(labelled_songs) over up_to / sum(labelled_songs) over whole as labelled_share,
                min(amount) filter (labelled_songs > 0) over whole as low,
                max(amount) filter (labelled_songs > 0) over whole as high
            from counted
            window
                whole as (partition by source, column_name),
                up_to as (partition by source, column_name order by amount)
        )
        select
            source,
            column_name,
            sum(songs)::bigint,
            sum(labelled_songs)::bigint,
            coalesce(sum(songs) filter (amount < low or amount > high), 0)::bigint,
            any_value(low),
            any_value(high),
            max(abs(share - labelled_share)),
            min(amount) filter (share >= 0.5),
            min(amount) filter (labelled_share >= 0.5)
        from shares
        group by source, column_name
        having sum(labelled_songs) > 0
        order by source, column_name
        """
