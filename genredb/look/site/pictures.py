"""The charts of the report's pages: the plots of ``genredb plot``, with their rows as tables."""

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Self

from genredb.look.kinds import KINDS
from genredb.look.plot import Plot, plot

if TYPE_CHECKING:
    from genredb.look.site.frame import Site

MOST_ROWS = 200  # of the table below a chart


@dataclass(frozen=True)
class Picture:
    """A chart and its rows, but for ``left_out`` of them; without a ``spec``, a script makes it."""

    name: str
    title: str
    note: str
    spec: dict[str, Any] | None
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    left_out: int

    @classmethod
    def of(cls, found: Plot, *, is_made_in_the_page: bool) -> Self:
        """Return the chart of a plot."""
        title = found.spec["title"]
        if isinstance(title, str):
            title = {"text": title}
        shown = found.spec["data"]["values"]
        columns = tuple(name for name in (shown[0] if shown else ()) if name != "offset")
        return cls(
            name=found.kind,
            title=title["text"],
            note=title.get("subtitle", ""),
            spec=None if is_made_in_the_page else found.spec,
            columns=columns,
            rows=tuple(tuple(row[name] for name in columns) for row in shown[:MOST_ROWS]),
            left_out=max(0, len(shown) - MOST_ROWS),
        )


def picture(site: "Site", kind: str) -> Picture:
    """Return the chart of a kind of plot, read once; UsageError if the database lacks what it shows."""
    return site.once(_READ[kind])


def _read(kind: str, site: "Site") -> Picture:
    return Picture.of(plot(site.catalog, kind), is_made_in_the_page=bool(KINDS[kind].columns))


_READ = {kind: partial(_read, kind) for kind in KINDS}
