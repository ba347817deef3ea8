"""What the plots of the songs show, read from the marts."""

from typing import TYPE_CHECKING

from genredb.look.drawn import Drawn, rows_of
from genredb.warehouse.database import quote

if TYPE_CHECKING:
    from genredb.catalog import Catalog

MOST_GENRES = 100


def heatmap(catalog: "Catalog", _columns: tuple[str, ...]) -> Drawn:
    """Read the correlation of each pair of audio columns."""
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
    return Drawn(rows_of(catalog, sql))


def scatter(catalog: "Catalog", columns: tuple[str, ...]) -> Drawn:
    """Read two columns of the labelled songs."""
    x, y = map(quote, columns)
    return _points(catalog, f"{x} as x, {y} as y", f"{x} is not null and {y} is not null")


def distribution(catalog: "Catalog", columns: tuple[str, ...]) -> Drawn:
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


def histogram(catalog: "Catalog", columns: tuple[str, ...]) -> Drawn:
    """Count the songs by the value of a column."""
    x = quote(columns[0])
    sql = f"select {x} as x, count(*) as songs from songs where {x} is not null group by {x} order by {x}"
    return Drawn(rows_of(catalog, sql))


def genres(catalog: "Catalog", _columns: tuple[str, ...]) -> Drawn:
    """Read the genres, most frequent first."""
    sql = """
        select
            genre,
            genre_group as "group",
            song_count as songs,
            artist_count as artists,
            if(is_common, 'yes', 'no') as kept
        from genres
        order by song_count desc, genre
    """
    rows = rows_of(catalog, sql)
    rare = sum(row["kept"] != "yes" for row in rows)
    note = f"Pale: {rare:,} of {len(rows):,} genres, too rare for features.train_common"
    if len(rows) > MOST_GENRES:
        note += f". Shown: the {MOST_GENRES} most frequent"
    return Drawn(rows[:MOST_GENRES], note)


def years(catalog: "Catalog", _columns: tuple[str, ...]) -> Drawn:
    """Count the labelled songs by year and group."""
    sql = """
        select year, genre_group as "group", count(*) as songs
        from songs
        where genre is not null and year is not null
        group by year, genre_group
        order by year, genre_group
    """
    return Drawn(rows_of(catalog, sql))


def _points(catalog: "Catalog", selected: str, where: str) -> Drawn:
    """Read a row per labelled song, in an order that has nothing to do with what is shown."""
    sql = f"""
        select song_key as song, title, artist, genre, genre_group as "group", {selected}
        from songs
        where genre is not null and {where}
        order by md5(song_key)
    """
    return Drawn.most(rows_of(catalog, sql))
