"""Connections to DuckDB, and what is asked of them.

Every connection is closed to extensions from elsewhere: genredb needs none, and a file that is not
DuckDB's must not make it reach for the network.
"""

import contextlib
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import duckdb

from genredb.drafts import draft_of, temporary_folder
from genredb.errors import ProjectError, SqlError, UsageError, did_you_mean
from genredb.warehouse.duckdb_errors import noticed_damage, read_mistake, sql_errors, translated_errors

Connection = duckdb.DuckDBPyConnection

_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "python_enable_replacements": "false",
    "errors_as_json": "true",  # they name the place in the SQL
}
# What guards a reader against SQL that would read or write files, beyond read_only.
_LOCKED = _CONFIG | {
    "enable_external_access": "false",
    "temp_directory": "",
    "memory_limit": "1GiB",
}

BEFORE, AFTER = "before_", "after_"  # catalogs of :func:`open_pair`


def connect(path: Path, *, copy_of: Path | None = None) -> Connection:
    """Open a database file for writing, making it if there is none; errors name what it is a copy of."""
    with translated_errors(copy_of or path):
        return _quiet(duckdb.connect(str(path), config=_CONFIG))


def connect_read_only(path: Path, *, locked: bool = False) -> Connection:
    """Open a database file for reading; ``locked`` forbids files, extensions and settings as well."""
    config = _LOCKED if locked else _CONFIG | {"temp_directory": str(draft_of(spill_folder(path)))}
    with translated_errors(path):
        connection = _quiet(duckdb.connect(str(path), read_only=True, config=config))
    if locked:
        connection.execute("set lock_configuration = true")
    return connection


def spill_folder(path: Path) -> Path:
    """Return the folder whose drafts hold what readers of a database file cannot hold in memory."""
    return path.with_name(f"{path.name}.spill")


@contextlib.contextmanager
def scratch_folder(connection: Connection) -> Iterator[Path]:
    """Give an empty folder beside the database's file, where what a killed process leaves is swept."""
    [(file,)] = connection.execute(
        "select path from duckdb_databases() where database_name = current_database()"
    ).fetchall()
    with tempfile.TemporaryDirectory(dir=Path(file).parent if file else None) as folder:
        yield Path(folder)


def _quiet(connection: Connection) -> Connection:
    """Keep DuckDB from printing a progress bar among the data; that cannot be said when connecting.

    In a notebook that cannot show the bar, it is an error to speak of it at all.
    """
    with contextlib.suppress(duckdb.Error):
        connection.execute("set enable_progress_bar = false")
    return connection


@contextlib.contextmanager
def open_memory() -> Iterator[Connection]:
    """Open an empty database in memory, for one thread: what asks it runs beside others of its kind."""
    with contextlib.closing(duckdb.connect(config=_CONFIG | {"threads": 1})) as connection:
        yield connection


@contextlib.contextmanager
def open_reader(path: Path, *, locked: bool = False) -> Iterator[Connection]:
    """Open the published database for reading; UsageError says to build where there is none."""
    if not path.is_file():
        raise UsageError(f"There is no database {path} yet; run `genredb build` first.")
    with noticed_damage(path), contextlib.closing(connect_read_only(path, locked=locked)) as connection:
        yield connection


@contextlib.contextmanager
def open_pair(before: Path, after: Path) -> Iterator[Connection]:
    """Open two databases for reading, as the catalogs :data:`BEFORE` and :data:`AFTER` of one connection."""
    with contextlib.ExitStack() as stack:
        connection = _quiet(stack.enter_context(contextlib.closing(duckdb.connect(config=_CONFIG))))
        for path, catalog in ((before, BEFORE), (after, AFTER)):
            if not path.is_file():
                raise UsageError(f"There is no database {path}.")
            if catalog == AFTER and path.samefile(before):
                raise UsageError(f"{before} and {path} are the same file; name two databases.")
            with translated_errors(path):
                connection.execute(f"attach {literal(path)} as {catalog} (read_only)")
        with noticed_damage(before), noticed_damage(after):
            yield connection


def quote(identifier: str) -> str:
    """Return the identifier in double quotes, safe in SQL."""
    return '"' + identifier.replace('"', '""') + '"'


def literal(value: object) -> str:
    """Return a value's text as an SQL string."""
    return "'" + str(value).replace("'", "''") + "'"


@contextlib.contextmanager
def plainly_named(path: Path) -> Iterator[str]:
    """Give a name of the file for SQL that names no other file, however odd the path is.

    DuckDB takes ``*?[`` for patterns and cannot be told otherwise where a backslash is near.
    """
    if not re.search(r"[*?\[\]\\]", path.as_posix()):
        yield str(path.absolute())
        return
    with temporary_folder() as folder:
        link = folder / "file.csv"
        link.symlink_to(path.absolute())
        yield str(link)


def relation_exists(connection: Connection, schema: str, name: str) -> str | None:
    """Return ``table`` or ``view``, or None where there is no such relation."""
    row = connection.execute(
        "select table_type from information_schema.tables where table_schema = ? and table_name = ?",
        [schema, name],
    ).fetchone()
    return None if row is None else ("view" if row[0] == "VIEW" else "table")


def set_option(connection: Connection, name: str, value: object) -> None:
    """Set one of DuckDB's settings; ProjectError where there is none of that name, or not with that value."""
    if name.lower() in _CONFIG:
        raise ProjectError(f"the setting `{name}` is genredb's own and cannot be changed.")
    rows = connection.execute("select name from duckdb_settings()").fetchall()
    known = [found for (found,) in rows]
    if name.lower() not in (found.lower() for found in known):
        raise ProjectError(f"DuckDB has no setting `{name}`.{did_you_mean(name, known)}")
    try:
        connection.execute(f"set {quote(name)} = {literal(value)}")
    except duckdb.Error as error:
        reason = " ".join(read_mistake(error, "").sentence().split()).rstrip(".")
        raise ProjectError(f"DuckDB refuses the setting `{name}`: {reason}.") from None


@contextlib.contextmanager
def transaction(connection: Connection) -> Iterator[None]:
    """Run what is inside as one transaction: where it fails, it has changed nothing."""
    connection.execute("begin")
    try:
        yield
    except BaseException:
        with contextlib.suppress(duckdb.Error):  # what failed may have ended it already
            connection.execute("rollback")
        raise
    with sql_errors("commit"):  # the project's SQL may have ended it
        connection.execute("commit")


def run_sql(connection: Connection, sql: str, parameters: list[Any] | None = None) -> int | None:
    """Execute a statement of the project; return the number of rows it wrote, where DuckDB says it.

    Raises SqlError where the SQL is wrong.
    """
    with sql_errors(sql):
        row = connection.execute(sql, parameters or []).fetchone()
    return int(row[0]) if row and isinstance(row[0], int) else None


def run_query(connection: Connection, sql: str) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
    """Execute SQL of the project; return columns and rows. Raises SqlError where it is wrong."""
    with sql_errors(sql):
        cursor = connection.execute(sql)
        return tuple(column[0] for column in cursor.description or ()), cursor.fetchall()


def refuse_several(connection: Connection, statement: str) -> None:
    """Raise SqlError where a statement around a query is several, for the query was."""
    with sql_errors(statement):
        count = len(connection.extract_statements(statement))
    if count > 1:
        raise SqlError(f"it has {count} statements where one query should stand; remove the others.")


def fetch_sample(
    connection: Connection, sql: str, limit: int
) -> tuple[tuple[str, ...], tuple[tuple[Any, ...], ...], int]:
    """Return a query's columns, the ``limit`` first of its sorted rows, and how many rows it has in all.

    Raises SqlError where the SQL is wrong.
    """
    inside = f"select * from (\n{sql}\n)"
    refuse_several(connection, inside)
    with sql_errors(inside):
        cursor = connection.execute(inside)
        columns = tuple(column[0] for column in cursor.description or ())
        if cursor.fetchone() is None:
            return columns, (), 0
        rows = connection.execute(f"{inside} order by all limit {limit}").fetchall()
        total = connection.execute(f"select count(*) from (\n{sql}\n)").fetchall()[0][0]
    return columns, tuple(rows), int(total)


def fetch_all(connection: Connection, sql: str, parameters: list[Any] | None = None) -> list[tuple[Any, ...]]:
    """Return all rows of a query."""
    return connection.execute(sql, parameters or []).fetchall()


def register_function(
    connection: Connection, name: str, function: Callable[..., Any], parameter: Any, result: Any
) -> None:
    """Let SQL call a function of one Arrow array, of the type ``parameter``, null or not."""
    from duckdb.func import FunctionNullHandling, PythonUDFType  # noqa: PLC0415 - few connections need it

    connection.create_function(
        name,
        function,
        [parameter],
        result,
        type=PythonUDFType.ARROW,
        null_handling=FunctionNullHandling.SPECIAL,
    )


def relations(connection: Connection) -> dict[tuple[str, str], str]:
    """Return every table and view of the database by (schema, name), with which of both it is."""
    rows = connection.execute(
        "select table_schema, table_name, table_type from information_schema.tables"
        " where table_catalog = current_database() order by table_schema, table_name"
    ).fetchall()
    return {(schema, name): "view" if kind == "VIEW" else "table" for schema, name, kind in rows}


def read_whole(connection: Connection, tables: Iterable[tuple[str, str]]) -> None:
    """Read every block of tables, given by (schema, name): damage shows only when a block is read."""
    for schema, name in tables:
        rows = f"from {quote(schema)}.{quote(name)} as t"
        connection.execute(f"select count(*) from (select hash(t) as h {rows}) where h is null").fetchall()


def asked_names(known: Iterable[tuple[str, str]]) -> list[str]:
    """Return what queries call relations, given by (schema, name): without the schema if it is ``main``."""
    return [name if schema == "main" else f"{schema}.{name}" for schema, name in known]


def find_relation(connection: Connection, asked: str) -> tuple[str, str]:
    """Return schema and name of a table or view, asked for with or without its schema; UsageError if none."""
    schema, _, name = asked.rpartition(".")
    known = relations(connection)
    plain = ((schema or "main").lower(), name.lower())
    found = next((one for one in known if (one[0].lower(), one[1].lower()) == plain), None)
    if found is None:
        raise UsageError(f"There is no table or view '{asked}'.{did_you_mean(asked, asked_names(known))}")
    return found


def relation_marks(connection: Connection) -> dict[str, str]:
    """Return the comment of every table and view (``schema.name``), empty where there is none."""
    rows = connection.execute(
        """
        select schema_name || '.' || table_name, coalesce(comment, '') from duckdb_tables() where not internal
        union all
        select schema_name || '.' || view_name, coalesce(comment, '') from duckdb_views() where not internal
        """
    ).fetchall()
    return dict(rows)


def own_macros(connection: Connection) -> set[str]:
    """Return the names, in lower case, of the macros that somebody made in the database."""
    rows = connection.execute(
        "select lower(function_name) from duckdb_functions() where not internal"
    ).fetchall()
    return {name for (name,) in rows}


def insert_rows(connection: Connection, table: str, rows: Sequence[Sequence[Any]]) -> None:
    """Insert rows of plain values, all in one statement."""
    if not rows:
        return
    columns = [list(column) for column in zip(*rows, strict=True)]
    values = ", ".join(["unnest(?)"] * len(columns))
    connection.execute(f"insert into {table} select {values}", columns)


def column_types(connection: Connection, schema: str, name: str) -> dict[str, str]:
    """Return the columns of a relation with their types, in order."""
    rows = connection.execute(f"describe {quote(schema)}.{quote(name)}").fetchall()
    return {row[0]: row[1] for row in rows}


_FILE_OPTIONS = {"csv": "format csv, header", "parquet": "format parquet", "json": "format json, array"}


def write_file(connection: Connection, sql: str, path: Path, file_format: str) -> int:
    """Write a query's rows to a file in one of the formats csv, parquet, json; return their number."""
    row = connection.execute(f"copy ({sql}) to {literal(path)} ({_FILE_OPTIONS[file_format]})").fetchone()
    return int(row[0]) if row else 0
