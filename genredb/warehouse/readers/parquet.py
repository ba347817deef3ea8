"""Reads Parquet files. Records are numbered by row."""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from genredb.errors import InputError
from genredb.warehouse.connection import Connection
from genredb.warehouse.csvfile import MAX_RECORD_BYTES, Survey
from genredb.warehouse.csvrecords import Record
from genredb.warehouse.database import plainly_named, quote
from genredb.warehouse.duckdb_errors import first_line
from genredb.warehouse.rawfile import file_stamp, opened
from genredb.warehouse.readers.reading import Reading, record_of

_FILE = "read_parquet(?, hive_partitioning = false)"
_NESTED = re.compile(r"(STRUCT|MAP|UNION)\b|.*\]$", re.DOTALL)
_PLAIN = re.compile(
    r"\"NULL\"|VARCHAR|ENUM.*|BOOLEAN|U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|FLOAT|DOUBLE|DECIMAL.*|DATE|TIME.*|UUID"
)
_TEXTUAL = ("VARCHAR", "ENUM")
_LONGEST_VALUE = 64
_BATCH = 2048


@dataclass(frozen=True)
class _Column:
    """A column: its quoted name, whether it holds text, and whether its values are not plain."""

    name: str
    is_text: bool
    is_unusable: bool


def read(connection: Connection, content: Path, path: Path, _separator: str | None) -> Reading:
    """Survey a Parquet file by its metadata; messages name ``path``."""
    stamp = file_stamp(content)
    with opened(content) as file:
        head = file.read(4)
    if not stamp[1]:
        raise InputError(f"{path} is empty (0 bytes)", cure="save or download it again")
    if head != b"PAR1":
        raise InputError(f"{path} is not a Parquet file", cure="give it the extension of its format")
    types = _ask(connection, content, path, f"select column_name, column_type from (describe from {_FILE})")
    schema = _ask(connection, content, path, "select name, num_children from parquet_schema(?)")
    [(records,)] = _ask(connection, content, path, "select num_rows from parquet_file_metadata(?)")
    header = _top_level(schema)
    kinds = {name: what for name, (_, kind) in zip(header, types, strict=True) if (what := _unusable(kind))}
    columns = [
        _Column(quote(read_name), kind.startswith(_TEXTUAL), name in kinds)
        for name, (read_name, kind) in zip(header, types, strict=True)
    ]
    return Reading(
        path,
        content,
        Survey(stamp[1], header, ",", b"\n", 0, records, stamp),
        split=lambda asked: _split(connection, content, path, _fields(columns, asked)),
        in_one_go=lambda texts, asked: _in_one_go(texts, columns, asked),
        unusable=kinds,
        unit="row",
    )


def _top_level(schema: Sequence[tuple[str, int | None]]) -> tuple[str, ...]:
    """Return the names of the columns as they are in the file: DuckDB renames duplicates."""
    names: list[str] = []
    depth = [schema[0][1] or 0] if schema else []
    for name, children in schema[1:]:
        while depth and depth[-1] == 0:
            depth.pop()
        depth[-1] -= 1
        if len(depth) == 1:
            names.append(name)
        depth.append(children or 0)
    return tuple(names)


def _unusable(kind: str) -> str:
    if _NESTED.match(kind):
        return "lists or structs"
    return "" if _PLAIN.fullmatch(kind) else f"values of the type {kind}"


def _fields(columns: Sequence[_Column], asked: Collection[int]) -> list[str]:
    """Return the expression of each column as text; empty text is NULL, as in a CSV."""
    return [
        f"nullif({column.name}::varchar, '')"
        if place in asked and not column.is_unusable
        else "null::varchar"
        for place, column in enumerate(columns)
    ]


def _in_one_go(texts: Sequence[str], columns: Sequence[_Column], asked: Collection[int]) -> str:
    fields = _fields(columns, asked)
    named = ", ".join(f"{field} as {quote(text)}" for field, text in zip(fields, texts, strict=True))
    textual = [columns[place].name for place in sorted(asked) if columns[place].is_text]
    return f"(select {named} from {_FILE} where {_is_surely_readable(textual, len(columns))})"


def _is_surely_readable(textual: Sequence[str], columns: int) -> str:
    """Return a condition that raises an error for a row that ``record_of`` might find faulty."""
    if not textual:
        return "true"
    has_nul = " or ".join(f"contains({name}::varchar, chr(0))" for name in textual)
    # Quoting doubles a text at most; no other value is as long as _LONGEST_VALUE.
    length = " + ".join(f"2 * coalesce(strlen({name}::varchar), 0)" for name in textual)
    most = MAX_RECORD_BYTES - columns * _LONGEST_VALUE
    return f"case when {has_nul} or {length} > {most} then error('refused') else true end"


def _split(connection: Connection, content: Path, path: Path, fields: Sequence[str]) -> Iterator[Record]:
    try:
        with plainly_named(content) as name, connection.duplicate() as other:
            found = other.engine.execute(f"select {', '.join(fields)} from {_FILE}", [name])
            number = 0
            while rows := found.fetchmany(_BATCH):
                for row in rows:
                    number += 1
                    yield record_of(number, [text or "" for text in row])
    except (duckdb.OutOfMemoryException, duckdb.InterruptException):
        raise
    except duckdb.Error as error:
        raise _damaged(path, error) from None


def _ask(connection: Connection, content: Path, path: Path, sql: str) -> list[tuple[Any, ...]]:
    try:
        with plainly_named(content) as name:
            return connection.rows(sql, [name])
    except (duckdb.OutOfMemoryException, duckdb.InterruptException):
        raise
    except duckdb.Error as error:
        raise _damaged(path, error) from None


def _damaged(path: Path, error: duckdb.Error) -> InputError:
    cause = first_line(error).rstrip(".")
    return InputError(f"{path} is a damaged Parquet file ({cause})", cure="download or write it again")
