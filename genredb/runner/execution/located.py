"""Locates invalid SQL in the project: the template's own line, if it can be determined."""

import contextlib
from collections.abc import Iterable
from dataclasses import replace

from genredb.errors import GenredbError, Place, SqlError
from genredb.runner.execution.runtime import Runtime
from genredb.runner.graph.nodes import Assertion, Check, Compiled, Model, Node
from genredb.runner.project.config import Config
from genredb.runner.project.files import key_line, read_text, yaml_line
from genredb.warehouse.declared import Column


def located(runtime: Runtime, node: Node, error: SqlError) -> SqlError:
    """Return the error with its place: in the template, else in the yml file, else in the SQL that ran."""
    file_place = _file_place(runtime, node)
    if error.offset is None:
        return error.at(file_place)
    place = _template_place(runtime, node, error) if isinstance(node, Compiled) else None
    if place is None:
        return error.at(_place_in_sql(file_place, error))
    found = error.at(replace(place, width=error.width))
    found.what += "" if place.path == node.path else f" (in {node.path})"
    return found


def column_place(config: Config, column: Column) -> Place:
    """Return the yml file and line that describe a column."""
    return Place(column.path, key_line(read_text(config.root / column.path), column.keys))


def _file_place(runtime: Runtime, node: Node) -> Place:
    """Return the file that defines a node, with the line if it is a yml file."""
    if not isinstance(node, Assertion) or not node.keys:
        return Place(node.path)
    text = read_text(runtime.compilation.project.config.root / node.path)
    return Place(node.path, yaml_line(text, node.keys))


def _template_place(runtime: Runtime, node: Compiled, error: SqlError) -> Place | None:
    """Return the place in a template that the invalid SQL came from, or None if unknown."""
    offset = error.offset or 0
    for sql in _texts(runtime, node):
        start = error.sql.find(sql) if sql else -1
        if 0 <= start <= offset < start + len(sql) and node.template:
            place = runtime.compilation.deferred.place(node, sql, offset - start, runtime.database)
            if place is not None:
                return place
    return None


def _texts(runtime: Runtime, node: Compiled) -> Iterable[str]:
    """Yield the SQL texts that a node may have run, without duplicates."""
    found = [node.sql, node.incremental_sql] if isinstance(node, Model) else [node.sql]
    if isinstance(node, Model | Check) and node.dynamic:
        with contextlib.suppress(GenredbError):
            found.append(runtime.sql(node))
    return dict.fromkeys(found)


def _place_in_sql(file_place: Place, error: SqlError) -> Place:
    """Return a place for an error that appears only in the SQL that ran, not in the file."""
    before = error.sql[: error.offset or 0]
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    return Place(file_place.path, line, column, error.sql, error.width, "SQL", file_place.line)
