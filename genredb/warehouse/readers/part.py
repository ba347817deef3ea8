"""Reads some of the records of a file, such as those that were added at its end since it was loaded."""

import codecs
import contextlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from genredb.errors import InputError
from genredb.warehouse.connection import Connection
from genredb.warehouse.csvfile import MAX_HEADER_BYTES, likely_separator
from genredb.warehouse.csvgrammar import Grammar
from genredb.warehouse.csvrecords import Record
from genredb.warehouse.database import scratch_folder
from genredb.warehouse.rawfile import CHUNK_BYTES, Span, file_stamp, opened
from genredb.warehouse.readers.formats import CSV, format_of, opened_source
from genredb.warehouse.readers.reading import Reading


@contextlib.contextmanager
def part_of_source(
    connection: Connection, path: Path, separator: str | None, span: Span
) -> Iterator[Reading]:
    """Yield a Reading of the records in a span of a file; their lines are those of the whole file.

    InputError if the file has another size, or cannot be read from there.
    """
    stamp = file_stamp(path)
    with scratch_folder(connection) as folder:
        content = folder / path.name
        header = header_of(path, separator)
        with opened(path) as file, content.open("wb") as target:
            target.write(header)
            file.seek(span.start)
            left = span.end - span.start
            while chunk := file.read(min(CHUNK_BYTES, left)):
                target.write(chunk)
                left -= len(chunk)
        with opened_source(connection, content, separator) as part:
            if part.found.line_end != b"\n" or stamp[1] != span.size:
                raise InputError(f"{path} cannot be read on from its byte {span.start:,}")
            found = replace(part.found, size=span.size, stamp=stamp)
            whole = replace(part, path=path, found=found, records_before=span.records, sha256=span.sha256)
            yield _moved(whole, span.lines - header.count(b"\n"))


def _moved(reading: Reading, lines: int) -> Reading:
    """Return the reading with each record so many lines further down."""

    def moved(records: Iterator[Record]) -> Iterator[Record]:
        return (replace(record, line=record.line + lines) for record in records)

    split, texts = reading.split, reading.texts
    return replace(
        reading,
        split=lambda asked: moved(split(asked)),
        texts=None if texts is None else lambda: moved(texts()),
    )


def header_of(path: Path, separator: str | None) -> bytes:
    """Return the bytes of a CSV's header, with its line end; of another format nothing."""
    if format_of(path.name) is not CSV:
        return b""
    with opened(path) as file:
        head = file.read(MAX_HEADER_BYTES)
    mark = len(codecs.BOM_UTF8) if head.startswith(codecs.BOM_UTF8) else 0
    grammar = Grammar((separator or likely_separator(path)).encode(), b"\n")
    return head[: mark + grammar.cut(head[mark:], 0).end]
