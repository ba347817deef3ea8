"""Finds the lines of a raw file that the rows of its table were loaded from."""

from collections.abc import Collection
from pathlib import Path

from genredb.errors import GenredbError
from genredb.warehouse.connection import Connection
from genredb.warehouse.rawfile import file_digest
from genredb.warehouse.readers.formats import opened_source


def record_lines(
    connection: Connection, path: Path, separator: str | None, sha256: str, quarantined: Collection[int]
) -> list[int] | None:
    """Return the line (in Parquet, the row number) of each loaded record of a file, in the order of the file.

    ``quarantined`` are the lines of the others. None if the file is gone or is not the one that was loaded.
    """
    try:
        with opened_source(connection, path, separator) as reading:
            if file_digest(path) != sha256:
                return None
            records = reading.split(range(len(reading.found.header)))
            return [record.line for record in records if record.line not in quarantined]
    except (GenredbError, OSError):
        return None
