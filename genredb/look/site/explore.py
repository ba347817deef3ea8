"""The page Explore: the plots of ``genredb plot``, of the columns that the reader chooses."""

from collections.abc import Iterator
from dataclasses import dataclass

from genredb.errors import GenredbError
from genredb.look.drawn import MOST_SONGS
from genredb.look.kinds import KINDS
from genredb.look.plot import template
from genredb.look.site.frame import File, Site
from genredb.look.site.pictures import Picture, picture
from genredb.look.site.song_table import DATA

PLACED = "map"  # has a page of its own


@dataclass(frozen=True)
class Shown:
    """A kind of plot with its default picture; without one, ``lacking`` says what to do about it."""

    name: str
    shows: str
    columns: tuple[str, ...]
    picture: Picture | None
    lacking: str = ""


def write(site: Site) -> Iterator[File]:
    """Yield the page."""
    kinds = [_shown(site, name) for name in KINDS if name != PLACED]
    by_columns = [one.name for one in kinds if one.columns and one.picture]
    given = {
        "specs": {name: template(name) for name in by_columns},
        "groups": site.groups,
        "most": MOST_SONGS,
    }
    names = [row["column_name"] for row in site.rows("select column_name from numeric_summary")]
    yield site.page("explore.html", "explore.html", kinds=kinds, given=given, names=names, data=DATA)


def _shown(site: Site, name: str) -> Shown:
    kind = KINDS[name]
    try:
        found = picture(site, name)
    except GenredbError as error:  # what it shows is not there, such as evaluations
        return Shown(name, kind.shows, kind.columns, None, str(error))
    return Shown(name, kind.shows, kind.columns, found)
