"""What the columns of a CSV are: names for SQL, and types that every value fits as the loader reads it."""

import functools
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from genredb.errors import InputError
from genredb.project.nodes import Column, Source
from genredb.warehouse.column_types import TYPES, NearType, misfits_of, near_type
from genredb.warehouse.csvfile import Survey, likely_separator, survey
from genredb.warehouse.database import Connection, fetch_all, literal, open_memory
from genredb.warehouse.raw_table import RawTable

_YEAR = re.compile(r"(1[5-9]|20)\d\d")
_KEY = re.compile(r"(.*_)?(id|key)")


@dataclass(frozen=True)
class InferredColumn:
    """A column of a CSV: its name in SQL, its header, its type, whether each row has a value of its own.

    ``near`` says what keeps a column of text from being a number or a date, if it is nearly one.
    """

    name: str
    header: str
    data_type: str
    is_unique: bool
    near: NearType | None = None


@dataclass(frozen=True)
class InferredTable:
    """The columns of a CSV, and what separates them in the file.

    ``key`` is the one that names its rows, where one looks like it.
    """

    columns: tuple[InferredColumn, ...]
    key: str | None
    delimiter: str


def infer_table(path: Path) -> InferredTable:
    """Read a CSV whole and find out what its columns are; InputError where it is no CSV with a header."""
    found = survey(path, likely_separator(path))
    header = found.header
    names = [sql_name(text, f"column_{number}") for number, text in enumerate(header, start=1)]
    with open_memory() as connection:
        columns = tuple(_columns(connection, path, found, names))
    doubled = next((name for name in names if names.count(name) > 1), None)
    if doubled is not None:
        raise InputError(f"{path}: two columns would be called '{doubled}'; rename one in the header.")
    named = [one.name for one in columns if one.is_unique and _KEY.fullmatch(one.name)]
    is_numbered = columns[0].is_unique and columns[0].data_type == "bigint"
    return InferredTable(
        columns, next(iter(named), columns[0].name if is_numbered else None), found.separator
    )


def sql_name(text: str, fallback: str) -> str:
    """Return a text as a name that SQL need not quote; the fallback where nothing of it is left."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    letters = "".join(letter for letter in plain if not unicodedata.combining(letter))
    name = re.sub(r"[^a-z0-9]+", "_", letters).strip("_") or fallback
    return f"{name}_" if name in _reserved_words() else f"_{name}" if name[0].isdigit() else name


@functools.cache
def _reserved_words() -> frozenset[str]:
    with open_memory() as connection:
        rows = fetch_all(
            connection,
            "select keyword_name from duckdb_keywords()"
            " where keyword_category in ('reserved', 'type_function')",
        )
    return frozenset(word for (word,) in rows)


def _columns(connection: Connection, path: Path, found: Survey, names: Sequence[str]) -> list[InferredColumn]:
    texts = [f"c{place}" for place in range(len(names))]
    columns = tuple(Column(text, data_type="varchar") for text in texts)
    connection.execute("create schema raw")
    table = RawTable(connection, Source("raw", "texts", "raw", "", columns, str(path)), path, columns)
    table.load(found)
    if not table.count():
        raise InputError(f"{path} has a header and no rows, so its columns' types are anybody's guess.")
    misfits = [misfits_of(text, data_type) for text in texts for data_type in TYPES]
    full = [f"count(nullif(trim({text}), '')) = count(*)" for text in texts]
    unique = [f"count(distinct {text}) = count(*)" for text in texts]
    [row] = fetch_all(connection, f"select {', '.join([*misfits, *full, *unique])} from {table.relation}")
    inferred = []
    types = [_type(row, place) for place in range(len(texts))]
    _refuse_row_as_header(connection, path, found.header, types)
    for place, (name, header, text) in enumerate(zip(names, found.header, texts, strict=True)):
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
    """Raise InputError where each name of a column of numbers or dates is such a value itself.

    Several years may be names: that of a column in which each row has the figure of this year.
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
    if all(count == 0 for count in fetch_all(connection, f"select {misfits} from (select {named})")[0]):
        raise InputError(
            f"{path}:1 looks like a row, not like a header: {typed[0][0]!r} is a value as those below it. "
            "Write the columns' names on a line before it."
        )
