"""Infers the columns of a raw file: names for SQL, and types to which the loader can convert every value."""

import functools
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from genredb.errors import InputError, Place
from genredb.warehouse.column_types import TYPES, NearType, misfits_of, near_type
from genredb.warehouse.connection import Connection
from genredb.warehouse.database import literal, open_memory
from genredb.warehouse.declared import Column, SourceSpec
from genredb.warehouse.raw_table import RawTable
from genredb.warehouse.readers.formats import opened_source
from genredb.warehouse.readers.reading import Reading

_YEAR = re.compile(r"(1[5-9]|20)\d\d")
_KEY = re.compile(r"(.*_)?(id|key)")


@dataclass(frozen=True)
class InferredColumn:
    """A column of a raw file: its name in SQL, its header, its type, whether its values are unique.

    ``is_unique`` means that no value is missing, either. ``near`` tells why an almost numeric or date column
    is text.
    """

    name: str
    header: str
    data_type: str
    is_unique: bool
    near: NearType | None = None


@dataclass(frozen=True)
class InferredTable:
    """The columns of a raw file, and their separator in it.

    ``key`` is the column that identifies rows, if one looks like it.
    """

    columns: tuple[InferredColumn, ...]
    key: str | None
    delimiter: str


def infer_table(path: Path) -> InferredTable:
    """Read a whole file and infer its columns; InputError if it does not contain a table."""
    with open_memory() as connection, opened_source(connection, path, None) as reading:
        found = reading.found
        names = [sql_name(text, f"column_{number}") for number, text in enumerate(found.header, start=1)]
        columns = tuple(_columns(connection, reading, names))
    doubled = next((name for name in names if names.count(name) > 1), None)
    if doubled is not None:
        raise InputError(
            f"two columns would be called '{doubled}'", place=path, cure="rename one in the header"
        )
    named = [one.name for one in columns if one.is_unique and _KEY.fullmatch(one.name)]
    is_numbered = columns[0].is_unique and columns[0].data_type == "bigint"
    return InferredTable(
        columns, next(iter(named), columns[0].name if is_numbered else None), found.separator
    )


def sql_name(text: str, fallback: str) -> str:
    """Return a name for a text that needs no quotes in SQL; the fallback if no letter or digit is left."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    letters = "".join(letter for letter in plain if not unicodedata.combining(letter))
    name = re.sub(r"[^a-z0-9]+", "_", letters).strip("_") or fallback
    return f"{name}_" if name in _reserved_words() else f"_{name}" if name[0].isdigit() else name


@functools.cache
def _reserved_words() -> frozenset[str]:
    with open_memory() as connection:
        rows = connection.rows(
            "select keyword_name from duckdb_keywords()"
            " where keyword_category in ('reserved', 'type_function')",
        )
    return frozenset(word for (word,) in rows)


def _columns(connection: Connection, reading: Reading, names: Sequence[str]) -> list[InferredColumn]:
    path, headers = reading.path, reading.found.header
    reading.refuse_unusable(headers)
    texts = [f"c{place}" for place in range(len(names))]
    columns = tuple(Column(text, data_type="varchar") for text in texts)
    connection.execute("create schema raw")
    table = RawTable(connection, SourceSpec("raw", "texts", "raw", "", columns, str(path)), reading, columns)
    done = table.load()
    if done.faulty and not table.count():
        raise InputError(done.why_nothing_loaded(reading.unit), place=path)
    if not table.count():
        raise InputError(f"{path} has a header and no rows, so the types of its columns are unknown")
    misfits = [misfits_of(text, data_type) for text in texts for data_type in TYPES]
    full = [f"count(nullif(trim({text}), '')) = count(*)" for text in texts]
    unique = [f"count(distinct {text}) = count(*)" for text in texts]
    [row] = connection.rows(f"select {', '.join([*misfits, *full, *unique])} from {table.relation}")
    inferred = []
    types = [_type(row, place) for place in range(len(texts))]
    if reading.has_header_line:
        _refuse_row_as_header(connection, path, headers, types)
    for place, (name, header, text) in enumerate(zip(names, headers, texts, strict=True)):
        near = None
        if types[place] == "varchar":
            near = near_type(connection, table.relation, text, name)
        is_full, is_distinct = row[len(misfits) + place], row[len(misfits) + len(texts) + place]
        inferred.append(InferredColumn(name, header, types[place], bool(is_full and is_distinct), near))
    return inferred


def _type(misfits: Sequence[int | None], place: int) -> str:
    """Return the first type that all values of the column at this place fit."""
    counts = misfits[place * len(TYPES) : (place + 1) * len(TYPES)]
    return next((one for one, count in zip(TYPES, counts, strict=True) if count == 0), "varchar")


def _refuse_row_as_header(
    connection: Connection, path: Path, header: Sequence[str], types: Sequence[str]
) -> None:
    """Raise InputError if every numeric or date column has a header that is itself such a value.

    Several years are accepted as names: each may be a column with the figures of that year.
    """
    typed = [
        (name, "double" if data_type in ("bigint", "hugeint") else data_type)
        for name, data_type in zip(header, types, strict=True)
        if data_type not in ("varchar", "boolean")
    ]
    is_of_years = len(typed) > 1 and all(_YEAR.fullmatch(name.strip()) for name, _ in typed)
    if not typed or is_of_years:
        return
    named = ", ".join(f"{literal(name)} as n{place}" for place, (name, _) in enumerate(typed))
    misfits = ", ".join(misfits_of(f"n{place}", data_type) for place, (_, data_type) in enumerate(typed))
    if all(count == 0 for count in connection.rows(f"select {misfits} from (select {named})")[0]):
        raise InputError(
            f"the line looks like a row, not a header: {typed[0][0]!r} is a value like those below it",
            place=Place(str(path), 1),
            cure="add a line with the column names before it",
        )
