"""The rows that a plot shows."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from genredb.catalog import Catalog

MOST_SONGS = 5_000  # in a picture with a mark for each

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Drawn:
    """The rows of a plot, one per mark, and a note on what they leave out or stand for."""

    rows: Rows
    note: str = ""

    @classmethod
    def most(cls, songs: Rows) -> Self:
        """Draw the songs, the first ones if they are too many for a picture."""
        if len(songs) <= MOST_SONGS:
            return cls(songs)
        return cls(songs[:MOST_SONGS], f"{MOST_SONGS:,} of {len(songs):,} songs, chosen at random")


def groups_of(catalog: "Catalog") -> list[str]:
    """Return the genre groups, the largest first: the order of their colours."""
    sql = """
        select genre_group
        from songs
        where genre_group is not null
        group by genre_group
        order by count(*) desc, genre_group
    """
    return [group for (group,) in catalog.connection.rows(sql)]


def rows_of(catalog: "Catalog", sql: str, *parameters: object) -> Rows:
    """Return the rows of a query on the published database by column."""
    names, rows = catalog.connection.answer(sql, parameters)
    return [dict(zip(names, row, strict=True)) for row in rows]
