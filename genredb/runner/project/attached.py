"""Reads the extensions and further databases that an output of a profile states."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from genredb.errors import Place, ProjectError
from genredb.runner.project.files import key_line, resolved, shown, text_of
from genredb.runner.project.reserved import DUCKDB_CATALOGS
from genredb.warehouse.settings import Attachment, Extension, SetUp

# The types of databases that are files, with the extension that reads each.
_TYPES = {"duckdb": "", "sqlite": "sqlite"}


def further_set_up(
    output: Mapping[str, Any], path: str, text: str, above: Sequence[str]
) -> Iterator[Extension | Attachment]:
    """Yield the extensions, then the databases to attach, with paths as they are stated."""
    for i, one in enumerate(_entries(output, "extensions", path)):
        place = Place(path, key_line(text, (*above, "extensions", i)) or None)
        name = one.get("name") if isinstance(one, Mapping) else one
        if not isinstance(name, str) or not name:
            raise ProjectError(f"an extension should be a name, not {shown(one)}", place=place)
        yield Extension(name, place)
    names: dict[str, None] = {}
    for i, one in enumerate(_entries(output, "attach", path)):
        found = _attachment(one, Place(path, key_line(text, (*above, "attach", i)) or None))
        if found.name.lower() in names:
            raise ProjectError(f"two databases are attached as '{found.name}'", place=found.place)
        names[found.name.lower()] = None
        yield found


def placed(stated: Iterable[SetUp], home: Path, database: Path) -> Iterator[SetUp]:
    """Yield what connections are given, with the absolute paths of attached databases.

    ProjectError if one has the name of the project's own ``database``.
    """
    for one in stated:
        if isinstance(one, Attachment) and one.name.lower() == database.name.split(".")[0].lower():
            what = f"{one.path} cannot be attached as '{one.name}', the name of the project's own database"
            raise ProjectError(what, place=one.place, cure="state another `alias:`")
        yield replace(one, path=resolved(home / one.path)) if isinstance(one, Attachment) else one


def _entries(output: Mapping[str, Any], key: str, path: str) -> Sequence[Any]:
    found = output.get(key) or ()
    if not isinstance(found, list | tuple):
        raise ProjectError(f"`{key}:` should be a list, not {shown(found)}", place=path)
    return found


def _attachment(entry: Any, place: Place) -> Attachment:
    if not isinstance(entry, Mapping) or not entry.get("path"):
        raise ProjectError(f"an entry of `attach:` should have a `path:`, not {shown(entry)}", place=place)
    try:
        path, kind, alias = (text_of(entry, key, "") for key in ("path", "type", "alias"))
    except ProjectError as error:
        raise error.at(place) from None
    kind = (kind or "duckdb").lower()
    if kind not in _TYPES or "://" in str(path) or str(path).startswith("md:"):
        what = f"'{path}' is of type {kind}; genredb attaches files of DuckDB and SQLite"
        raise ProjectError(what, place=place)
    read_only = entry.get("read_only", True)
    if not isinstance(read_only, bool) and str(read_only).lower() not in ("true", "false"):
        raise ProjectError(f"`read_only:` should be true or false, not {shown(read_only)}", place=place)
    name = alias or Path(str(path)).name.split(".")[0]
    if name.lower() in DUCKDB_CATALOGS:
        raise ProjectError(
            f"a database cannot be attached as '{name}'", place=place, cure="state an `alias:`"
        )
    return Attachment(name, Path(str(path)), _TYPES[kind], place)
