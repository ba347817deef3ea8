"""Opens the published database a second time, for SQL of a user, in a process that reads it already."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from genredb.warehouse.connection import Connection
from genredb.warehouse.database import literal, lock, open_empty, quote, spill_folder
from genredb.warehouse.duckdb_errors import translated_errors
from genredb.warehouse.settings import SetUp


@contextmanager
def open_beside(path: Path, engine: Sequence[SetUp] = ()) -> Iterator[Connection]:
    """Open a database file for reading, locked against file access, extensions and settings.

    DuckDB opens a file only once with the same settings, but a database in memory can attach it.
    """
    with translated_errors(path), closing(open_empty(spill_folder(path), engine)) as connection:
        name = quote(path.name.split(".")[0])
        attached = f"attach {literal(path)} as {name} (read_only)"
        connection.execute(f"{attached}; use {name}; set temp_directory = ''")
        lock(connection)
        yield connection
