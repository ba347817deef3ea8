"""Says where in the project wrong SQL stands: the template's own line, where it can be told."""

from genredb.build.runtime import Runtime
from genredb.compile.nodes import Node
from genredb.errors import GenredbError, SqlError, excerpt, quoted
from genredb.project.config import Config
from genredb.project.files import key_line, read_text, yaml_line
from genredb.project.nodes import Column


def located(runtime: Runtime, node: Node, error: SqlError) -> str:
    """Return the error with its place: in the template, else in the yml, else in the SQL that ran."""
    compiler = runtime.compilation.compiler
    path = _path(runtime, node)
    if error.offset is None:
        return f"{path}: {error}"
    for sql in {node.sql: 0, node.incremental_sql: 0, _sql_now(runtime, node): 0}:
        start = error.sql.find(sql) if sql else -1
        if 0 <= start <= error.offset < start + len(sql) and node.template:
            place = compiler.place(node, sql, error.offset - start, runtime.database)
            if place is not None:
                found = (place.path, place.line, place.column)
                called = "" if place.path == node.path else f" (in {node.path})"
                return quoted(found, place.text, f"{error}{called}", error.width)
    return _quoted_sql(path, error)


def column_place(config: Config, column: Column) -> str:
    """Return the yml file and the line in which a column is described."""
    line = key_line(read_text(config.root / column.path), column.keys)
    return f"{column.path}:{line}" if line else column.path


def _path(runtime: Runtime, node: Node) -> str:
    """Return the file, and of a yml file the line, in which a node stands."""
    if not node.keys:
        return node.path
    line = yaml_line(read_text(runtime.compilation.project.config.root / node.path), node.keys)
    return f"{node.path}:{line}" if line else node.path


def _sql_now(runtime: Runtime, node: Node) -> str:
    """Return the SQL of a node that asks the database, as it is now."""
    if not node.dynamic:
        return ""
    try:
        return runtime.compilation.compiler.sql(node, runtime.database)
    except GenredbError:
        return ""


def _quoted_sql(path: str, error: SqlError) -> str:
    """Return the error with the line of the SQL that ran and a caret."""
    offset = error.offset or 0
    before = error.sql[:offset]
    column = offset - before.rfind("\n")
    line = error.sql.splitlines()[before.count("\n")] if error.sql else ""
    return f"{path}: {error}\n{excerpt('SQL', line, column, error.width)}"
