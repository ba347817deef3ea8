"""What the columns of a CSV are: names for SQL, and types that every value fits as the loader reads it."""

import functools
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from genredb.errors import InputError
from genredb.project.nodes import Column, Source
from genredb.warehouse.csvfile import Survey, likely_separator, survey
from genredb.warehouse.database import Connection, fetch_all, open_memory
from genredb.warehouse.raw_table import RawTable
from genredb.warehouse.values import Field

# The first that all values fit is taken; text is what everything fits.
_TYPES = ("bigint", "hugeint", "double", "boolean", "date", "timestamp")
_KEY = re.compile(r"(.*_)?(id|key)")


@dataclass(frozen=True)
class InferredColumn:
    """A column of a CSV: its name in SQL, its header, its type, whether each row has a value of its own."""

    name: str
    header: str
    data_type: str
    is_unique: bool


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
    doubled = next((name for name in names if names.count(name) > 1), None)
    if doubled is not None:
        raise InputError(f"{path}: two columns would be called '{doubled}'; rename one in the header.")
    with open_memory() as connection:
        columns = tuple(_columns(connection, path, found, names))
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
    misfits = [_misfits(text, data_type) for text in texts for data_type in _TYPES]
    full = [f"count(nullif(trim({text}), '')) = count(*)" for text in texts]
    unique = [f"count(distinct {text}) = count(*)" for text in texts]
    [row] = fetch_all(connection, f"select {', '.join([*misfits, *full, *unique])} from {table.relation}")
    inferred = []
    for place, (name, text) in enumerate(zip(names, found.header, strict=True)):
        counts = row[place * len(_TYPES) : (place + 1) * len(_TYPES)]
        data_type = next((one for one, count in zip(_TYPES, counts, strict=True) if count == 0), "varchar")
        is_full, is_distinct = row[len(misfits) + place], row[len(misfits) + len(texts) + place]
        inferred.append(InferredColumn(name, text, data_type, bool(is_full and is_distinct)))
    return inferred


def _misfits(text: str, data_type: str) -> str:
    """Return the expression of how many values do not fit a type, null where there are none."""
    value = Field(Column(text, data_type=data_type), text).converted()
    fits = f"{value} is not null"
    if data_type in ("bigint", "hugeint", "double"):
        fits += f" and not regexp_matches({text}, '^\\s*[+-]?0\\d')"  # 0042 is a text: it has zeros to lose
    if data_type == "double":
        fits += f" and not regexp_matches({text}, '\\d{{18}}')"  # nor has it room for so many digits
    if data_type == "date":
        fits += f" and regexp_full_match({text}, '\\s*\\d+-\\d+-\\d+\\s*')"
    stated = f"nullif(trim({text}), '')"
    return f"case when count({stated}) > 0 then count({stated}) filter (where not ({fits})) end"
