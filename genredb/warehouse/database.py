"""Opens connections to DuckDB and runs common queries on them.

No connection loads extensions that the profile does not name: genredb needs none, and opening a file that is
not a DuckDB database must not make DuckDB access the network.
"""

import contextlib
import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb

from genredb.drafts import draft_of, temporary_folder
from genredb.errors import Place, ProjectError, UsageError
from genredb.warehouse.connection import Connection
from genredb.warehouse.duckdb_errors import noticed_damage, read_mistake, sql_errors, translated_errors
from genredb.warehouse.file_formats import FileFormat
from genredb.warehouse.settings import CONFIG, MEMORY, OWN, Attachment, Extension, Setting, SetUp
from genredb.warehouse.view_files import named_files

# Beyond read_only and lock(): keeps a reader's SQL from reading or writing files.
_LOCKED = CONFIG | {
    "temp_directory": "",
    "memory_limit": "1GiB",
}


def connect(path: Path, engine: Sequence[SetUp] = (), *, copy_of: Path | None = None) -> Connection:
    """Open a database file for writing, creating it if missing; errors name ``copy_of`` if it is given."""
    with translated_errors(copy_of or path):
        return _set_up(duckdb.connect(str(path), config=CONFIG), engine)


def connect_read_only(path: Path, engine: Sequence[SetUp] = (), *, locked: bool = False) -> Connection:
    """Open a database file for reading; ``locked`` also forbids file access, extensions and settings."""
    config = _LOCKED if locked else CONFIG | {"temp_directory": str(draft_of(spill_folder(path)))}
    with translated_errors(path):
        connection = _set_up(duckdb.connect(str(path), read_only=True, config=config), engine)
    if locked:
        lock(connection)
    return connection


def lock(connection: Connection) -> None:
    """Forbid files, extensions and settings from now on, except reading the files that views name."""
    views = connection.rows("select sql from duckdb_views() where not internal")
    texts = {text for (sql,) in views for text in named_files(sql)}
    [(folders,)] = connection.rows("select current_setting('file_search_path')")
    allowed: set[str] = set()
    for text in sorted(text for text in texts if "://" not in text):
        if found := [file for (file,) in connection.rows("select file from glob(?)", [text])]:
            named = [str(Path(folder, text)) for folder in (".", *folders.split(",")) if folder]
            allowed.update((text, *named, *found))
    connection.execute(f"set allowed_paths = [{', '.join(map(literal, sorted(allowed)))}]")
    connection.execute("set enable_external_access = false; set lock_configuration = true")


def spill_folder(path: Path) -> Path:
    """Return the folder whose drafts hold what readers of a database file spill to disk."""
    return path.with_name(f"{path.name}.spill")


@contextlib.contextmanager
def scratch_folder(connection: Connection) -> Iterator[Path]:
    """Yield an empty folder next to the database file, where leftovers of killed processes are removed."""
    [(file,)] = connection.rows(
        "select path from duckdb_databases() where database_name = current_database()"
    )
    with tempfile.TemporaryDirectory(dir=Path(file).parent if file else None) as folder:
        yield Path(folder)


def _set_up(opened: duckdb.DuckDBPyConnection, engine: Sequence[SetUp]) -> Connection:
    """Apply the settings, and keep DuckDB's progress bar out of the output.

    The bar cannot be disabled on connecting. In a notebook that cannot show it, setting it is an error.
    """
    connection = Connection(opened)
    with contextlib.suppress(duckdb.Error):
        connection.execute("set enable_progress_bar = false")
    try:
        for one in engine:
            if isinstance(one, Setting):
                _apply(connection, one)
            elif isinstance(one, Extension):
                _load(connection, one.name, one.place)
            else:
                _attach(connection, one)
    except BaseException:
        connection.close()
        raise
    return connection


def _apply(connection: Connection, setting: Setting) -> None:
    """Apply a setting; ProjectError if it is reserved for genredb, unknown to DuckDB or rejected by it."""
    name, place = setting.name, setting.place
    if name.lower() in OWN:
        raise ProjectError(f"the setting `{name}` is reserved for genredb and cannot be changed", place=place)
    if name.lower() in MEMORY and str(setting.value).strip().startswith("-"):  # DuckDB would take it for none
        raise ProjectError(
            f"`{name}:` should be a size such as 512MB or a share such as 80%, not {setting.value}",
            place=place,
        )
    try:
        connection.execute(f"set {quote(name)} = {literal(setting.value)}")
    except duckdb.CatalogException:
        known = [found for (found,) in connection.rows("select name from duckdb_settings()")]
        raise ProjectError(f"DuckDB has no setting `{name}`", name=name, choices=known, place=place) from None
    except duckdb.Error as error:
        reason = " ".join(read_mistake(error, "").parts()["what"].split())
        raise ProjectError(f"DuckDB rejects the setting `{name}`: {reason}", place=place) from None


def _load(connection: Connection, extension: str, place: Place) -> None:
    """Load an installed extension; ProjectError if it is missing."""
    try:
        connection.execute(f"load {literal(extension)}")
    except duckdb.Error:
        raise ProjectError(
            f"DuckDB's extension '{extension}' is not installed",
            place=place,
            cure=f"run `python -c \"import duckdb; duckdb.sql('install {extension}')\"` once",
        ) from None


def _attach(connection: Connection, one: Attachment) -> None:
    """Attach a database for reading; ProjectError if it cannot be."""
    if not one.path.is_file():
        raise ProjectError(f"there is no database {one.path} to attach", place=one.place)
    kind = f", type {quote(one.extension)}" if one.extension else ""
    if one.extension:
        _load(connection, one.extension, one.place)
    try:
        connection.execute(f"attach {literal(one.path)} as {quote(one.name)} (read_only{kind})")
    except duckdb.Error as error:
        reason = " ".join(read_mistake(error, "").parts()["what"].split())
        what = f"{one.path} cannot be attached as {one.name}: {reason}"
        raise ProjectError(what, place=one.place) from None


@contextlib.contextmanager
def open_memory() -> Iterator[Connection]:
    """Open an empty in-memory database with one thread, because its callers run in parallel."""
    with closing(Connection(duckdb.connect(config=CONFIG | {"threads": 1}))) as connection:
        yield connection


def open_empty(spilling_to: Path, engine: Sequence[SetUp]) -> Connection:
    """Open an empty in-memory database."""
    return _set_up(duckdb.connect(config=CONFIG | {"temp_directory": str(spilling_to)}), engine)


@contextlib.contextmanager
def open_reader(path: Path, engine: Sequence[SetUp] = (), *, locked: bool = False) -> Iterator[Connection]:
    """Open the published database for reading; if it is missing, UsageError says to run a build."""
    if not path.is_file():
        raise UsageError(f"There is no database {path} yet", cure="run `genredb build` first")
    with noticed_damage(path), closing(connect_read_only(path, engine, locked=locked)) as connection:
        yield connection


def quote(identifier: str) -> str:
    """Return the identifier in double quotes, safe in SQL."""
    return '"' + identifier.replace('"', '""') + '"'


def literal(value: object) -> str:
    """Return a value's text as an SQL string."""
    return "'" + str(value).replace("'", "''") + "'"


@contextlib.contextmanager
def plainly_named(path: Path) -> Iterator[str]:
    """Yield a path by which SQL reads exactly this file, however unusual its name is.

    DuckDB treats ``*?[`` as glob patterns, and they cannot be escaped next to a backslash.
    """
    if not re.search(r"[*?\[\]\\]", path.as_posix()):
        yield str(path.absolute())
        return
    with temporary_folder() as folder:
        link = folder / "file.csv"
        link.symlink_to(path.absolute())
        yield str(link)


def relation_exists(
    connection: Connection, schema: str, name: str, database: str | None = None
) -> str | None:
    """Return ``table`` or ``view``, or None if there is no such relation; ``database`` may be attached."""
    row = connection.row(
        """
        select table_type from information_schema.tables
        where lower(table_catalog) = lower(coalesce(?, current_database()))
            and table_schema = ? and table_name = ?
        """,
        [database, schema, name],
    )
    return None if row is None else ("view" if row[0] == "VIEW" else "table")


@contextlib.contextmanager
def transaction(connection: Connection) -> Iterator[None]:
    """Run the block as one transaction: rolled back on an error."""
    connection.execute("begin")
    try:
        yield
    except BaseException:
        with contextlib.suppress(duckdb.Error):  # the error may have ended the transaction already
            connection.execute("rollback")
        raise
    with sql_errors("commit"):  # the project's SQL may have ended the transaction
        connection.execute("commit")


def run_sql(connection: Connection, sql: str, parameters: list[Any] | None = None) -> int | None:
    """Execute a statement of the project; return the number of rows it wrote, if DuckDB reports it.

    Raises SqlError if the SQL is invalid.
    """
    with sql_errors(sql):
        row = connection.row(sql, parameters or ())
    return int(row[0]) if row and isinstance(row[0], int) else None


def run_query(connection: Connection, sql: str) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
    """Run a query of the project; return column names and rows. Raises SqlError if the SQL is invalid."""
    with sql_errors(sql):
        return connection.answer(sql)


def relations(connection: Connection) -> dict[tuple[str, str], str]:
    """Return every relation of the database by (schema, name): ``table`` or ``view``."""
    rows = connection.rows(
        "select table_schema, table_name, table_type from information_schema.tables"
        " where table_catalog = current_database() order by table_schema, table_name"
    )
    return {(schema, name): "view" if kind == "VIEW" else "table" for schema, name, kind in rows}


def read_whole(connection: Connection, tables: Iterable[tuple[str, str]]) -> None:
    """Read every block of the tables (schema, name): damage shows only when a block is read."""
    for schema, name in tables:
        relation = f"{quote(schema)}.{quote(name)}"
        columns = (f"first({quote(column)})" for column in column_types(connection, schema, name))
        connection.rows(f"select {', '.join(columns)} from {relation}")


def relation_marks(connection: Connection) -> dict[str, str]:
    """Return the last line of every table's and view's comment (``schema.name``), empty if there is none."""
    rows = connection.rows(
        """
        select schema_name || '.' || table_name, coalesce(comment, '') from duckdb_tables()
        where not internal and database_name = current_database()
        union all
        select schema_name || '.' || view_name, coalesce(comment, '') from duckdb_views()
        where not internal and database_name = current_database()
        """
    )
    return {name: comment.rpartition("\n")[2] for name, comment in rows}


def own_macros(connection: Connection) -> set[str]:
    """Return the lower-case names of the user-defined macros of the database."""
    rows = connection.rows("select lower(function_name) from duckdb_functions() where not internal")
    return {name for (name,) in rows}


def insert_rows(connection: Connection, table: str, rows: Sequence[Sequence[Any]]) -> None:
    """Insert rows of plain values in one statement."""
    if not rows:
        return
    columns = [list(column) for column in zip(*rows, strict=True)]
    values = ", ".join(["unnest(?)"] * len(columns))
    connection.execute(f"insert into {table} select {values}", columns)


def column_types(connection: Connection, schema: str, name: str) -> dict[str, str]:
    """Return the types of a relation's columns by name, in order."""
    rows = connection.rows(f"describe {quote(schema)}.{quote(name)}")
    return {row[0]: row[1] for row in rows}


def write_file(connection: Connection, sql: str, path: Path, file_format: FileFormat) -> int:
    """Write a query's rows to a file; return the number of rows."""
    row = connection.row(f"copy ({sql}) to {literal(path)} ({file_format.options})")
    return int(row[0]) if row else 0
