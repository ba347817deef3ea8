"""The kinds of plots, one entry each, with the SQL of their rows.

To add a kind, write ``specs/NAME.json``, a Vega-Lite specification without data, and an entry in ``KINDS``.
In a specification, ``$x`` and ``$y`` stand for the columns that the reader named, ``$groups`` for the groups,
largest first, so that each has the same colour in every plot, and ``$note`` for what is left out.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from genredb.warehouse.database import quote

if TYPE_CHECKING:
    from genredb.catalog import Catalog

MOST_SONGS = 5_000  # in a plot with one point per song
MOST_GENRES = 100

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Drawn:
    """The rows of a plot, and what ``$note`` says of rows that are left out."""

    rows: Rows
    note: str = ""


@dataclass(frozen=True)
class Kind:
    """A kind of plot: what it shows, how its rows are read, and the default of each column it takes."""

    shows: str
    read: Callable[["Catalog", tuple[str, ...]], Drawn]
    columns: tuple[str, ...] = field(default=())


def _heatmap(catalog: "Catalog", _columns: tuple[str, ...]) -> Drawn:
    sql = """
        select
            column_name as x,
            other_column_name as y,
            round(correlation, 4) + 0 as correlation
        from correlations
        inner join (select column_name, row_number() over () as place from numeric_summary) as columns
            using (column_name)
        inner join (select column_name, row_number() over () as place from numeric_summary) as others
            on correlations.other_column_name = others.column_name
        order by columns.place, others.place
    """
    return Drawn(_rows(catalog, sql))


def _scatter(catalog: "Catalog", columns: tuple[str, ...]) -> Drawn:
    x, y = map(quote, columns)
    return _points(catalog, f"{x} as x, {y} as y", f"{x} is not null and {y} is not null")


def _distribution(catalog: "Catalog", columns: tuple[str, ...]) -> Drawn:
    """Spread the songs of a group that lie at about the same height evenly to both sides."""
    x = quote(columns[0])
    found = _points(catalog, f"{x} as x", f"{x} is not null")
    step = (max(values) - min(values)) / 60 if (values := [row["x"] for row in found.rows]) else 0
    beside: dict[tuple[str, int], int] = {}
    for row in found.rows:
        place = (row["group"], int(row["x"] / step) if step else 0)
        number = beside[place] = beside.get(place, -1) + 1
        row["offset"] = (number + 1) // 2 * (1 if number % 2 else -1)
    return found


def _histogram(catalog: "Catalog", columns: tuple[str, ...]) -> Drawn:
    x = quote(columns[0])
    sql = f"select {x} as x, count(*) as songs from songs where {x} is not null group by {x} order by {x}"
    return Drawn(_rows(catalog, sql))


def _genres(catalog: "Catalog", _columns: tuple[str, ...]) -> Drawn:
    sql = """
        select
            genre,
            genre_group as "group",
            song_count as songs,
            artist_count as artists,
            if(is_common, 'yes', 'no, too rare') as kept
        from genres
        order by song_count desc, genre
    """
    rows = _rows(catalog, sql)
    rare = sum(row["kept"] != "yes" for row in rows)
    note = f"{rare:,} of {len(rows):,} genres have too few songs to train on"
    if len(rows) > MOST_GENRES:
        note += f"; the {MOST_GENRES} most frequent are shown"
    return Drawn(rows[:MOST_GENRES], note)


def _years(catalog: "Catalog", _columns: tuple[str, ...]) -> Drawn:
    sql = """
        select year, genre_group as "group", count(*) as songs
        from songs
        where genre is not null and year is not null
        group by year, genre_group
        order by year, genre_group
    """
    return Drawn(_rows(catalog, sql))


def _points(catalog: "Catalog", selected: str, where: str) -> Drawn:
    """Read a row per labelled song; of very many, a part that is the same each time."""
    sql = f"""
        select song_key as song, title, artist, genre, genre_group as "group", {selected}
        from songs
        where genre is not null and {where}
        order by md5(song_key)
        limit {MOST_SONGS}
    """
    rows = sorted(_rows(catalog, sql), key=lambda row: str(row["song"]))
    [[songs]] = catalog.connection.rows(f"select count(*) from songs where genre is not null and {where}")
    return Drawn(rows, "" if songs <= len(rows) else f"{len(rows):,} of {songs:,} songs, chosen at random")


def _rows(catalog: "Catalog", sql: str) -> Rows:
    names, rows = catalog.connection.answer(sql)
    return [dict(zip(names, row, strict=True)) for row in rows]


KINDS = {
    "heatmap": Kind("Correlations of the audio columns.", _heatmap),
    "scatter": Kind("Two columns, a point per labelled song, coloured by group.", _scatter, ("nrgy", "db")),
    "histogram": Kind("How many songs have which value of a column.", _histogram, ("bpm",)),
    "distribution": Kind("A column by group, a point per labelled song.", _distribution, ("acous",)),
    "genres": Kind("Songs per genre, and which genres are too rare.", _genres),
    "years": Kind("Songs per year, by group.", _years),
}
