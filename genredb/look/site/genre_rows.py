"""What the pages of genres and groups show, each part of all of them read in one query."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from genredb.look.of_classifiers import PROTOCOL
from genredb.look.site.frame import Site
from genredb.warehouse.database import column_types, quote

LABELS = ("genre", "genre_group")
TYPICAL, ARTISTS, PAIRS, SONGS_OF_PAIR, NEIGHBOURS = 5, 10, 4, 2, 3

Rows = list[dict[str, Any]]
Key = tuple[str, str]  # a label, genre or genre_group, and its value


@dataclass(frozen=True)
class AudioColumn:
    """An audio column, its mean and standard deviation over all labelled songs."""

    name: str
    mean: float
    deviation: float | None

    def standardised(self, mean: float | None) -> float | None:
        """Return how many standard deviations a mean lies above that of all songs."""
        if mean is None or not self.deviation:
            return None
        return (mean - self.mean) / self.deviation


def read_columns(site: Site) -> list[AudioColumn]:
    """Return the audio columns, as features order them."""
    sql = "select column_name, mean, standard_deviation from numeric_summary where mean is not null"
    connection = site.catalog.connection
    there = column_types(connection, "main", "songs")
    return [AudioColumn(*row) for row in connection.rows(sql) if row[0] in there]


def read_genres(site: Site) -> Rows:
    """Return each genre and group with its numbers, the most frequent first; ``label`` says which it is."""
    return site.rows("""
        with

        labels as (
            select 'genre' as label, genre as name, genre as of_genre, genre_group
            from genres
            union all
            select 'genre_group', genre_group, genre, genre_group
            from genres
        ),

        counted as (
            select
                labels.label,
                labels.name,
                any_value(labels.genre_group) as genre_group,
                count(*) as songs,
                count(distinct songs.artist_key) as artists,
                count(distinct songs.genre) as genres,
                min(songs.year) as first_year,
                median(songs.year)::integer as median_year,
                max(songs.year) as last_year
            from labels
            inner join songs on labels.of_genre = songs.genre
            group by labels.label, labels.name
        )

        select
            counted.*,
            counted.songs / sum(counted.songs) over (partition by counted.label) as share,
            coalesce(genres.is_common, true) as is_common
        from counted
        left join genres on counted.label = 'genre' and counted.name = genres.genre
        order by counted.songs desc, counted.name
    """)


def read_means(site: Site) -> Mapping[Key, Mapping[str, float]]:
    """Return the mean of each audio column by genre and group."""
    sql = """
        with

        profiles as (
            select genre_profiles.*, genres.genre_group
            from genre_profiles
            inner join genres on genre_profiles.genre = genres.genre
            where genre_profiles.mean is not null
        )

        select 'genre', genre, column_name, mean
        from profiles
        union all
        select 'genre_group', genre_group, column_name, sum(mean * value_count) / sum(value_count)
        from profiles
        group by genre_group, column_name
    """
    found: dict[Key, dict[str, float]] = defaultdict(dict)
    for label, name, column, mean in site.catalog.connection.rows(sql):
        found[label, name][column] = mean
    return found


def read_typical(site: Site, columns: Sequence[AudioColumn]) -> Mapping[Key, Rows]:
    """Return the songs nearest to the mean of each genre and group, in standard deviations."""
    scaled = [
        f"songs.{quote(one.name)} / {one.deviation!r}::double as c{place}"
        for place, one in enumerate(columns)
        if one.deviation
    ]
    names = [one.rpartition(" as ")[2] for one in scaled]
    if not names:
        return {}

    def distance(label: str) -> str:
        squares = " + ".join(f"coalesce(pow({c} - avg({c}) over by_{label}, 2), 0)" for c in names)
        # Rounded, so that the order of songs as far apart does not depend on that of the sums.
        return f"round(sqrt(({squares}) / {len(names)}), 9) as {label}_distance"

    rows = site.rows(f"""
        with

        scaled as (
            select
                songs.song_key, songs.title, songs.artist, songs.year, songs.duplicate_of,
                songs.genre, songs.genre_group,
                {", ".join(scaled)}
            from songs
            where songs.genre is not null
        ),

        measured as (
            select *, {distance("genre")}, {distance("genre_group")}
            from scaled
            window by_genre as (partition by genre), by_genre_group as (partition by genre_group)
        ),

        labels as (
            select 'genre' as label, genre as name, genre_distance as distance, measured.*
            from measured
            union all
            select 'genre_group', genre_group, genre_group_distance, measured.*
            from measured
        )

        select label, name, song_key, title, artist, year, genre, distance
        from labels
        where duplicate_of is null
        qualify row_number() over (partition by label, name order by distance, song_key) <= {TYPICAL}
        order by label, name, distance, song_key
    """)
    return _by_key(rows)


def read_artists(site: Site) -> Mapping[Key, Rows]:
    """Return the artists with most songs of each genre and group."""
    return _by_key(
        site.rows(f"""
        with

        labels as (
            select 'genre' as label, genre as name, artist_key, artist from songs where genre is not null
            union all
            select 'genre_group', genre_group, artist_key, artist from songs where genre is not null
        )

        select label, name, min(artist) as artist, count(*) as songs
        from labels
        where artist is not null
        group by label, name, artist_key
        qualify row_number() over (partition by label, name order by count(*) desc, artist_key) <= {ARTISTS}
        order by label, name, songs desc, artist_key
    """)
    )


def read_pairs(site: Site, classifier: str) -> Rows:
    """Return how often a label is predicted for songs of another or the same one, averaged over repetitions.

    ``examples`` are the songs for which it is predicted most often.
    """
    return site.rows(
        f"""
        with

        counted as (
            select
                label, actual, predicted, song_key,
                count(*) as times,
                max(max(repeat)) over () + 1 as repeats
            from ml.song_scores
            where classifier = $1 and protocol = $2
            group by label, actual, predicted, song_key
        )

        select
            counted.label,
            counted.actual,
            counted.predicted,
            -- Whole numbers until here: sums of fractions depend on their order.
            sum(counted.times) / any_value(counted.repeats) as songs,
            list(
                {{
                    'song_key': counted.song_key, 'title': songs.title, 'artist': songs.artist
                }}
                order by counted.times desc, counted.song_key
            )[:{SONGS_OF_PAIR}] as examples
        from counted
        left join songs on counted.song_key = songs.song_key
        group by counted.label, counted.actual, counted.predicted
        order by sum(counted.times) desc, counted.actual, counted.predicted
        """,
        classifier,
        PROTOCOL,
    )


def _by_key(rows: Rows) -> Mapping[Key, Rows]:
    found: dict[Key, Rows] = defaultdict(list)
    for row in rows:
        found[row.pop("label"), row.pop("name")].append(row)
    return found
