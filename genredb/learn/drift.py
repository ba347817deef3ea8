"""How far the songs to predict are from those that a classifier learned from, column by column."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from genredb.build.freshness import PREDICT_VIEW, TRAIN_VIEW
from genredb.warehouse.database import Connection, fetch_all, quote

# How likely it is that songs of the same kind are called different in any column of a file.
FALSE_ALARM = 0.01


@dataclass(frozen=True)
class Drift:
    """A column in which the songs to predict of one file are unlike the labelled songs.

    ``outside`` of the ``songs`` lie below ``low`` or above ``high``, the labelled songs' extremes;
    ``is_outside`` says that chance seldom brings so many there. ``distance`` is the greatest difference of
    the shares of songs up to a value (Kolmogorov and Smirnov), ``chance`` what it seldom exceeds where
    nothing differs. Medians are in the column's unit.
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
                f"typically {self.median:g} in place of {self.labelled_median:g}, "
                f"distance {self.distance:.2f} in place of at most {self.chance:.2f}"
            )
        return f"{self.column} ({'; '.join(parts)})"


def describe_drift(found: Iterable[Drift]) -> list[str]:
    """Return a sentence for each file whose songs are unlike the labelled ones."""
    return [
        f"The songs to predict of {source} are unlike the labelled ones in {', '.join(map(str, drifts))}."
        for source, drifts in groupby(found, key=lambda drift: drift.source)
    ]


def find_drift(connection: Connection, columns: Sequence[str]) -> tuple[Drift, ...]:
    """Compare the feature views; return the columns of each file that differ, in order.

    A missing value is neither compared nor counted.
    """
    rows = fetch_all(connection, _sql(columns))
    found = []
    for source, column, songs, labelled, outside, low, high, distance, median, labelled_median in rows:
        alarm = FALSE_ALARM / len(columns) / 2  # either measure of any column may be a false one
        is_outside = _odds_outside(outside, songs, labelled) < alarm
        chance = _chance(songs, labelled, alarm)
        if is_outside or distance > chance:
            medians = (median, labelled_median)
            found.append(
                Drift(source, column, songs, outside, is_outside, low, high, distance, chance, *medians)
            )
    return tuple(found)


def _odds_outside(outside: int, count: int, other_count: int) -> float:
    """Return how likely at least so many of ``count`` songs lie outside the range of the others by chance.

    The number outside a range of samples is negative hypergeometric of two; here by its limit, a negative
    binomial distribution.
    """
    share = count / (count + other_count)
    return float(share**outside * (1 + outside * (1 - share)))


def _chance(count: int, other_count: int, alarm: float) -> float:
    """Return the distance that two samples of these sizes exceed with a probability of ``alarm``."""
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
