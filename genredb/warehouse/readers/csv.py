"""Reads CSV files."""

from collections.abc import Collection, Sequence
from pathlib import Path

from genredb.warehouse.connection import Connection
from genredb.warehouse.csvfile import likely_separator, survey
from genredb.warehouse.csvrecords import plain_records, split_records
from genredb.warehouse.readers.reading import Reading
from genredb.warehouse.sql_csv import read_csv


def read(_connection: Connection, content: Path, path: Path, separator: str | None) -> Reading:
    """Survey a CSV file; messages name ``path``."""
    found = survey(content, separator or likely_separator(content), shown=path)

    def in_one_go(texts: Sequence[str], _asked: Collection[int]) -> str:
        return read_csv(texts, found.separator, "header = true")

    return Reading(
        path,
        content,
        found,
        split=lambda _asked: split_records(content, found),
        in_one_go=None if found.records is None else in_one_go,
        texts=lambda: plain_records(content, found),
        has_header_line=True,
    )
