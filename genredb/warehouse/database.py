"""Connections to DuckDB, and DuckDB's errors as genredb's.

Every connection is closed to extensions from elsewhere: genredb needs none, and a file that is not
DuckDB's must not make it reach for the network.
"""

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb

from genredb.errors import DatabaseCorruptError, DatabaseLockedError, ProjectError, UsageError

Connection = duckdb.DuckDBPyConnection

_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "python_enable_replacements": "false",
}
# What guards a reader against SQL that would read or write files, beyond read_only.
_LOCKED = _CONFIG | {"enable_external_access": "false", "lock_configuration": "true", "temp_directory": ""}


def connect(path: Path) -> Connection:
    """Open a database file for writing, making it if there is none."""
    with translated_errors(path):
        return duckdb.connect(str(path), config=_CONFIG)


def connect_read_only(path: Path, *, locked: bool = False) -> Connection:
    """Open a database file for reading; ``locked`` forbids files, extensions and settings as well."""
    with translated_errors(path):
        return duckdb.connect(str(path), read_only=True, config=_LOCKED if locked else _CONFIG)


@contextlib.contextmanager
def open_reader(path: Path, *, locked: bool = False) -> Iterator[Connection]:
    """Open the published database for reading; UsageError says to build where there is none."""
    if not path.is_file():
        raise UsageError(f"There is no database {path} yet; run `genredb build` first.")
    with noticed_damage(path), contextlib.closing(connect_read_only(path, locked=locked)) as connection:
        yield connection


@contextlib.contextmanager
def translated_errors(path: Path) -> Iterator[None]:
    """Turn DuckDB's errors about opening a file into one sentence each."""
    try:
        yield
    except duckdb.IOException as error:
        message = str(error)
        if "Could not set lock" in message or "Conflicting lock" in message:
            pid = re.search(r"PID (\d+)", message)
            who = f"process {pid[1]}" if pid else "another process"
            raise DatabaseLockedError(
                f"{path} is being written by {who}; try again when it is done."
            ) from None
        if "Permission denied" in message:
            raise UsageError(f"{path} may not be opened: permission denied.") from None
        if re.search("not a (valid )?DuckDB database|sqlite", message):
            raise DatabaseCorruptError(
                f"{path} is not a DuckDB database; move it away and run `genredb build`."
            ) from None
        raise DatabaseCorruptError(f"{path} cannot be opened: {_first_line(error)}") from None
    except duckdb.Error as error:
        raise DatabaseCorruptError(f"{path} cannot be opened: {_first_line(error)}") from None


@contextlib.contextmanager
def noticed_damage(path: Path) -> Iterator[None]:
    """Turn the error that a damaged block raises, at whatever query reads it, into one sentence."""
    try:
        yield
    except duckdb.Error as error:
        if _is_damage(error):
            raise DatabaseCorruptError(
                f"{path} is damaged ({_first_line(error)}); move it away and run `genredb build`."
            ) from None
        raise


@contextlib.contextmanager
def located_sql_errors(place: str) -> Iterator[None]:
    """Turn an error in SQL of the project into a ProjectError that begins with its place."""
    try:
        yield
    except duckdb.Error as error:
        if _is_damage(error):
            raise
        raise ProjectError(f"{place}: {explain(error)}") from None


def explain(error: duckdb.Error) -> str:
    """Return DuckDB's message without the name of its class; the line that it quotes stays with it."""
    return re.sub(r"^[\w ]+ Error: ", "", str(error).strip())


def _is_damage(error: duckdb.Error) -> bool:
    kinds = (duckdb.SerializationException, duckdb.FatalException, duckdb.InternalException)
    return isinstance(error, kinds) or "Corrupt database file" in str(error)


def _first_line(error: duckdb.Error) -> str:
    return explain(error).splitlines()[0]


def quote(identifier: str) -> str:
    """Return the identifier in double quotes, safe in SQL."""
    return '"' + identifier.replace('"', '""') + '"'


def unglobbed(path: Path) -> str:
    """Return the path with glob characters escaped: a file's name must never name other files."""
    return re.sub(r"([*?\[\]])", r"[\1]", str(path))


def relation_exists(connection: Connection, schema: str, name: str) -> str | None:
    """Return ``table`` or ``view``, or None where there is no such relation."""
    row = connection.execute(
        "select table_type from information_schema.tables where table_schema = ? and table_name = ?",
        [schema, name],
    ).fetchone()
    return None if row is None else ("view" if row[0] == "VIEW" else "table")


def run_sql(connection: Connection, sql: str, place: str, parameters: list[Any] | None = None) -> int | None:
    """Execute a statement of the project; return the number of rows it wrote, where DuckDB says it.

    Raises ProjectError that begins with ``place`` where the SQL is wrong.
    """
    with located_sql_errors(place):
        row = connection.execute(sql, parameters or []).fetchone()
    return int(row[0]) if row and isinstance(row[0], int) else None


def fetch_sample(
    connection: Connection, sql: str, limit: int, place: str
) -> tuple[tuple[str, ...], tuple[tuple[Any, ...], ...], int]:
    """Return a query's columns, the ``limit`` first of its sorted rows, and how many rows it has in all."""
    with located_sql_errors(place):
        cursor = connection.execute(f"select * from (\n{sql}\n)")
        columns = tuple(column[0] for column in cursor.description or ())
        if cursor.fetchone() is None:
            return columns, (), 0
        rows = connection.execute(f"select * from (\n{sql}\n) order by all limit {limit}").fetchall()
        total = connection.execute(f"select count(*) from (\n{sql}\n)").fetchall()[0][0]
    return columns, tuple(rows), int(total)


@contextlib.contextmanager
def query_errors() -> Iterator[None]:
    """Turn an error in a user's own SQL into a UsageError with DuckDB's message and the line it quotes."""
    try:
        yield
    except duckdb.Error as error:
        if _is_damage(error):
            raise
        raise UsageError(explain(error)) from None


def fetch_all(connection: Connection, sql: str, parameters: list[Any] | None = None) -> list[tuple[Any, ...]]:
    """Return all rows of a query."""
    return connection.execute(sql, parameters or []).fetchall()


def relations(connection: Connection) -> dict[tuple[str, str], str]:
    """Return every table and view of the database by (schema, name), with which of both it is."""
    rows = connection.execute(
        "select table_schema, table_name, table_type from information_schema.tables"
        " where table_catalog = current_database() order by table_schema, table_name"
    ).fetchall()
    return {(schema, name): "view" if kind == "VIEW" else "table" for schema, name, kind in rows}


def column_types(connection: Connection, schema: str, name: str) -> dict[str, str]:
    """Return the columns of a relation with their types, in order."""
    rows = connection.execute(f"describe {quote(schema)}.{quote(name)}").fetchall()
    return {row[0]: row[1] for row in rows}


_FILE_OPTIONS = {"csv": "format csv, header", "parquet": "format parquet", "json": "format json, array"}


def write_file(connection: Connection, sql: str, path: Path, file_format: str) -> int:
    """Write a query's rows to a file in one of the formats csv, parquet, json; return their number."""
    target = str(path).replace("'", "''")
    row = connection.execute(f"copy ({sql}) to '{target}' ({_FILE_OPTIONS[file_format]})").fetchone()
    return int(row[0]) if row else 0
