"""What all pages of the report share: the frame around each, and the files that they become."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from jinja2 import Environment, PackageLoader, StrictUndefined

from genredb.look.drawn import groups_of, rows_of
from genredb.look.site import filters
from genredb.runner.planning.built_with import BuiltWith, read_built_with
from genredb.values import json_text
from genredb.version import __version__
from genredb.warehouse.database import column_types, relation_exists

if TYPE_CHECKING:
    from genredb.catalog import Catalog
    from genredb.look.drawn import Rows

T = TypeVar("T")

# What makes a table named "songs" one of songs with genres.
SONG_COLUMNS = {"song_key", "genre", "genre_group", "split"}

# Nothing is fetched from elsewhere, and no script or style runs that is not a file of the folder.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'"
)


@dataclass(frozen=True)
class File:
    """A file of the report; ``path`` is relative to its folder, with slashes."""

    path: str
    content: bytes


@dataclass(frozen=True)
class Link:
    """An entry of the navigation."""

    title: str
    path: str


@dataclass(frozen=True)
class Site:
    """The report of one project and the state of its database; ``links`` are the pages that it has.

    ``live_sql`` is the folder of DuckDB-Wasm, if the page of questions shall answer others.
    """

    catalog: "Catalog"
    links: tuple[Link, ...]
    live_sql: Path | None = None
    _kept: dict[Any, Any] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def has_songs(self) -> bool:
        """Whether the database has songs."""
        return has_songs(self.catalog)

    @cached_property
    def built_with(self) -> BuiltWith:
        """The settings of the last build."""
        return read_built_with(self.catalog.connection)

    @cached_property
    def groups(self) -> tuple[str, ...]:
        """The genre groups, the largest first: the order of their colours."""
        return tuple(groups_of(self.catalog))

    def once(self, read: "Callable[[Site], T]") -> "T":
        """Return what a function reads, which several pages show but one reads."""
        if read not in self._kept:
            self._kept[read] = read(self)
        found: T = self._kept[read]
        return found

    def rows(self, sql: str, *parameters: object) -> "Rows":
        """Return the rows of a query on the published database by column."""
        return rows_of(self.catalog, sql, *parameters)

    def page(self, path: str, template: str, *, section: str = "", **values: Any) -> File:
        """Return a page: a template, which extends ``base.html``, filled with values.

        ``section`` is the entry of the navigation that it belongs to, its own by default. Values may replace
        those that all pages have, such as ``policy``.
        """
        shared = {
            "section": section or path,
            "root": "../" * path.count("/"),
            "links": self.links,
            "policy": POLICY,
            "project": self.catalog.config.name,
            "is_sample": self.built_with.is_sample,
            "version": __version__,
            "built_at": self._built_at,
            "groups": self.groups if self.has_songs else (),
        }
        text = self._environment.get_template(template).render(shared | values)
        return File(path, text.encode("utf-8", errors="backslashreplace"))

    @staticmethod
    def script(path: str, call: str, *values: Any) -> File:
        """Return a script that passes values to a function of ``genredb``, for data too large for a page.

        A page opened from disk can read no other kind of file.
        """
        given = ", ".join(json_text(value) for value in values)
        escaped = given.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
        return File(path, f"genredb.{call}({escaped});\n".encode("utf-8", errors="backslashreplace"))

    @cached_property
    def _built_at(self) -> str:
        """When the database last changed: the only time in a page that is not the data's own."""
        return f"{self.catalog.runs[0].started_at:%Y-%m-%d %H:%M} UTC" if self.catalog.runs else ""

    @cached_property
    def _environment(self) -> Environment:
        found = Environment(
            loader=PackageLoader("genredb.look.site"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        found.filters |= filters.FILTERS
        return found


def has_songs(catalog: "Catalog") -> bool:
    """Return whether the database has a table of songs with genres, which others may not mean by it."""
    if not relation_exists(catalog.connection, "main", "songs"):
        return False
    return column_types(catalog.connection, "main", "songs").keys() >= SONG_COLUMNS
