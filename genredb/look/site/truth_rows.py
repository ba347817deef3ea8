"""What the page Truth reads about one classifier: what it mistakes for what, and for whom it is right."""

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from genredb.look.of_classifiers import PROTOCOL

if TYPE_CHECKING:
    from genredb.look.drawn import Rows
    from genredb.look.site.frame import Site
    from genredb.songs.learn.leaderboard import Evaluation

MOST_OF_A_CELL = 250  # songs that a cell of the matrix lists
MISTAKES = 20
PAIRS = 40
SHADES = 9

_CELLS = """
    with

    scores as (
        select * from ml.song_scores
        where classifier = $1 and protocol = $2 and repeat = 0
    )

    select
        groups.actual,
        groups.predicted,
        songs.song_key as song,
        songs.title,
        songs.artist,
        genres.actual as genre,
        genres.predicted as predicted_genre,
        round(groups.probability, 3) as probability
    from scores as groups
    inner join scores as genres on groups.song_key = genres.song_key and genres.label = 'genre'
    inner join songs on groups.song_key = songs.song_key
    where groups.label = 'genre_group'
    order by groups.actual, groups.predicted, groups.probability desc, songs.song_key
"""

_MISTAKES = f"""
    with

    wrong as (
        select
            song_key,
            actual,
            predicted,
            count(*) as times,
            avg(probability order by repeat) as probability,
            min(probability) as lowest,
            max(probability) as highest,
            avg(rank) as rank
        from ml.song_scores
        where classifier = $1 and protocol = $2 and label = 'genre' and not is_right
        group by song_key, actual, predicted
    ),

    worst as (
        select *
        from wrong
        qualify row_number() over (
            partition by song_key order by times desc, probability desc, predicted
        ) = 1
    ),

    surest as (
        select *
        from worst
        order by times * coalesce(probability, 1) desc, song_key
        limit {MISTAKES}
    )

    select
        surest.*,
        songs.title,
        songs.artist,
        (select count(*) from songs as others where others.genre = surest.actual) as labelled,
        (
            select list(others.title order by others.title)[:3]
            from songs as others
            where others.artist_key = songs.artist_key and songs.artist_key != ''
                and others.song_key != songs.song_key and others.genre = surest.actual
        ) as same_genre,
        (
            select list(distinct others.genre order by others.genre)
            from songs as others
            where others.artist_key = songs.artist_key and songs.artist_key != ''
                and others.genre != surest.actual
        ) as other_genres
    from surest
    inner join songs on surest.song_key = songs.song_key
    order by surest.times * coalesce(surest.probability, 1) desc, surest.song_key
"""


@dataclass(frozen=True)
class Cell:
    """The songs of one group for which one group is predicted; ``shade`` is from 0 to 9."""

    predicted: str
    songs: int
    shade: int


@dataclass(frozen=True)
class Matrix:
    """The predictions of one repetition: rows of cells by true group, and the songs of each cell."""

    groups: tuple[str, ...]
    rows: tuple[tuple[str, int, tuple[Cell, ...]], ...]
    songs: dict[str, list[list[Any]]]

    @property
    def counts(self) -> dict[str, int]:
        """The number of songs of each cell, of which the first ones are listed."""
        found = {
            f"{row}-{column}": cell.songs
            for row, (_, _, cells) in enumerate(self.rows)
            for column, cell in enumerate(cells)
        }
        return {key: count for key, count in found.items() if count}


def matrix(site: "Site", name: str) -> Matrix:
    """Read the confusion matrix of the groups, of the first repetition, in which each song is tested once."""
    found = site.rows(
        _CELLS,
        name,
        PROTOCOL,
    )
    cells: defaultdict[tuple[str, str], Rows] = defaultdict(list)
    for row in found:
        cells[row.pop("actual"), row.pop("predicted")].append(row)
    named = {group for pair in cells for group in pair}
    groups = tuple(group for group in site.groups if group in named)
    groups += tuple(sorted(named - {*groups}))
    return Matrix(groups, tuple(_row(group, groups, cells) for group in groups), _listed(groups, cells))


def _row(
    actual: str, groups: tuple[str, ...], cells: "dict[tuple[str, str], Rows]"
) -> tuple[str, int, tuple[Cell, ...]]:
    counts = [len(cells.get((actual, group), ())) for group in groups]
    total = sum(counts)
    made = (
        Cell(group, count, -(-SHADES * count // total) if total else 0)
        for group, count in zip(groups, counts, strict=True)
    )
    return actual, total, tuple(made)


def _listed(groups: tuple[str, ...], cells: "dict[tuple[str, str], Rows]") -> dict[str, list[list[Any]]]:
    """Return the songs of each cell by its row and column, as lists of values."""
    return {
        f"{groups.index(actual)}-{groups.index(predicted)}": [[*row.values()] for row in own[:MOST_OF_A_CELL]]
        for (actual, predicted), own in sorted(cells.items())
    }


def confused_genres(site: "Site", name: str) -> "Rows":
    """Read the pairs of genres that are mistaken most often, averaged over the repetitions."""
    return site.rows(
        f"""
        select actual, predicted, songs, songs / sum(songs) over (partition by actual) as share
        from ml.confusion
        where classifier = $1 and protocol = $2 and label = 'genre'
        qualify actual != predicted
        order by songs desc, actual, predicted
        limit {PAIRS}
        """,
        name,
        PROTOCOL,
    )


def mistakes(site: "Site", name: str) -> "Rows":
    """Read the songs of which the classifier is surest, and wrong, with the artist's other genres."""
    return site.rows(
        _MISTAKES,
        name,
        PROTOCOL,
    )


@dataclass(frozen=True)
class Asked:
    """The songs to predict of one file: how many there are, how many have an artist with a known genre.

    ``expected`` is the accuracy if each kind were as easy as in cross-validation.
    """

    source: str
    songs: int
    known: int
    expected: float | None


def asked(site: "Site", judged: "Evaluation") -> list[Asked]:
    """Count the songs to predict with a known artist by file."""
    rows = site.rows(
        """
        select
            source,
            count(*) as songs,
            count(*) filter (
                artist_key in (select artist_key from songs where genre is not null and artist_key != '')
            ) as known
        from songs
        where genre is null
        group by source
        order by source desc
        """
    )
    seen, unseen = judged.seen_accuracy, judged.unseen_accuracy
    return [
        Asked(
            **row,
            expected=(row["known"] * seen + (row["songs"] - row["known"]) * unseen) / row["songs"]
            if seen is not None and unseen is not None
            else None,
        )
        for row in rows
    ]


def repeats(site: "Site", name: str) -> int:
    """Return how often each song was tested."""
    sql = "select max(repeat) + 1 as repeats from ml.song_scores where classifier = $1 and protocol = $2"
    return int(site.rows(sql, name, PROTOCOL)[0]["repeats"])


def share_known(site: "Site", name: str) -> float:
    """Return the share of tested songs whose artist has labelled songs in the training folds."""
    [row] = site.rows(
        """
        select avg(is_artist_known::integer) as share
        from ml.song_scores
        where classifier = $1 and protocol = $2 and label = 'genre'
        """,
        name,
        PROTOCOL,
    )
    return float(row["share"])


def sets(site: "Site", name: str) -> "Rows":
    """Read how often the sets of groups held the true group, by basis and stated coverage."""
    return site.rows(
        """
        select basis, coverage, held, held_error, mean_size, songs
        from ml.group_sets
        where classifier = $1 and protocol = $2
        order by basis, coverage
        """,
        name,
        PROTOCOL,
    )
