"""The verb ``plot``: fills the Vega-Lite specification of a kind of plot with rows of the database."""

import contextlib
import json
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genredb.ask.output import replaced
from genredb.errors import UsageError
from genredb.look.draw import DRAWN
from genredb.look.drawn import groups_of
from genredb.look.kinds import KINDS, Kind
from genredb.runner.planning.built_with import built_with
from genredb.warehouse.database import column_types, relation_exists
from genredb.warehouse.duckdb_errors import query_errors

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from genredb.catalog import Catalog
    from genredb.runner.project.config import Config

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
_NUMBERS = ("INT", "DOUBLE", "FLOAT", "DECIMAL", "REAL")


@dataclass(frozen=True)
class Plot:
    """A plot as a complete Vega-Lite specification, rows included; notebooks show it."""

    kind: str
    columns: tuple[str, ...]
    is_sample: bool
    spec: dict[str, Any]

    def _repr_mimebundle_(self, **_: object) -> dict[str, Any]:
        """Return the specification, and a picture if vl-convert is installed."""
        bundle: dict[str, Any] = {"application/vnd.vegalite.v6+json": self.spec, "text/plain": repr(self)}
        with contextlib.suppress(UsageError):
            bundle["image/svg+xml"] = DRAWN["svg"](self.spec).decode()
        return bundle

    def __repr__(self) -> str:
        return f"<plot {self.kind}: {len(self.spec['data']['values']):,} rows>"


@dataclass(frozen=True)
class PlotResult:
    """A plot that was written to a file; ``columns`` are those of ``songs`` that were named or assumed."""

    kind: str
    columns: tuple[str, ...]
    path: Path
    is_sample: bool


def plot(catalog: "Catalog", kind: str, columns: "Sequence[str]" = ()) -> Plot:
    """Return a plot of a kind; ``columns`` are columns of ``songs``, where the kind takes some.

    UsageError for an unknown kind or column, another number of columns, or a database without songs or
    without what the plot shows.
    """
    if kind not in KINDS:
        raise UsageError(f"There is no plot '{kind}'", name=kind, choices=KINDS)
    if not relation_exists(catalog.connection, "main", "songs"):
        raise UsageError("The project has no songs to plot", cure="`genredb init DIR` makes one that has")
    chosen = _columns(catalog, kind, KINDS[kind], columns)
    with query_errors():  # a project with songs may lack the marts
        drawn = KINDS[kind].read(catalog, chosen)
    values = dict(zip(("$x", "$y"), chosen, strict=False)) | {
        "$groups": groups_of(catalog),
        "$note": drawn.note,
    }
    spec = _filled(template(kind), values) | {"data": {"values": drawn.rows}}
    is_sample = built_with(catalog.config, catalog.connection).is_sample
    return Plot(kind, chosen, is_sample, spec)


def template(kind: str) -> dict[str, Any]:
    """Return the specification of a kind, without rows, in which ``$x`` and its like are yet to be filled."""
    return {"$schema": SCHEMA, "data": {"values": []}, "config": _read("config")} | _read(kind)


def write_plot(config: "Config", found: Plot, path: Path, *, is_forced: bool = False) -> PlotResult:
    """Write a plot as SVG, PNG or JSON, by the file's suffix, atomically.

    UsageError for another suffix, or if a picture needs vl-convert and it is not installed; ConsentError if
    the file is not genredb's, unless ``is_forced``.
    """
    suffix = path.suffix.lower().removeprefix(".")
    if suffix not in DRAWN:
        raise UsageError(
            f"A plot cannot be written as '{path.name}'", cure="end the name in .svg, .png or .json"
        )
    content = DRAWN[suffix](found.spec)
    with replaced(config, path, is_forced=is_forced) as draft:
        draft.write_bytes(content)
    return PlotResult(found.kind, found.columns, path, found.is_sample)


def _columns(catalog: "Catalog", name: str, kind: Kind, stated: "Sequence[str]") -> tuple[str, ...]:
    """Return the columns to plot, those of the entry if none is stated."""
    if not stated:
        return kind.columns
    if len(stated) != len(kind.columns):
        takes = ("no column", "one column", "two columns")[len(kind.columns)]
        raise UsageError(f"The plot {name} takes {takes}, not {len(stated)}")
    known = numbers_of_songs(catalog)
    for column in stated:
        if column.lower() not in known:
            raise UsageError(f"songs has no numeric column '{column}'", name=column, choices=known)
    return tuple(column.lower() for column in stated)


def numbers_of_songs(catalog: "Catalog") -> list[str]:
    """Return the numeric columns of ``songs``."""
    types = column_types(catalog.connection, "main", "songs")
    return [name for name, data_type in types.items() if any(word in data_type for word in _NUMBERS)]


def _read(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        resources.files("genredb.look.specs").joinpath(f"{name}.json").read_text("utf-8")
    )
    return found


def _filled(part: Any, values: "Mapping[str, Any]") -> Any:
    """Return a part of a specification with the values in the place of ``$x`` and its like."""
    if isinstance(part, dict):
        return {key: _filled(one, values) for key, one in part.items()}
    if isinstance(part, list):
        return [_filled(one, values) for one in part]
    if not isinstance(part, str):
        return part
    if part in values and not isinstance(values[part], str):
        return values[part]
    for name, value in values.items():
        if isinstance(value, str):
            part = part.replace(name, value)
    return part
