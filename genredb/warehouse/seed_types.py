"""Infers the types of a seed's columns as dbt does (by agate), from the text of all values.

A column has the first of these types that all its values fit: number, date, timestamp, boolean; else it is
text. Numbers without decimal places are integers, also if they are written as 007 or 12.0; a column without
values is of integers. Where dbt infers a type that DuckDB then cannot read, as for $5 or 1,000, the column is
text, and integers of more than 32 bits, which dbt cannot load, are bigints.
"""

from collections.abc import Sequence

from genredb.warehouse.connection import Connection
from genredb.warehouse.database import literal, quote

_NUMBER = r"[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?|[+-]?(nan|inf|infinity)"
_DAY = r"\d{4}-\d{1,2}-\d{1,2}"
_TIMESTAMP = rf"{_DAY} \d{{1,2}}:\d{{1,2}}:\d{{1,2}}"
# ISO 8601, the date and the time divided by a T.
_ISO = r"\d{4}-?\d{2}-?\d{2}T\d{2}(:?\d{2}(:?\d{2}([.,]\d+)?)?)?(Z|[+-]\d{2}(:?\d{2})?)?"


# What a value is, as bits, so that those of all values tell the type of a column.
_FRACTION, _HUGE, _BIGINT, _INTEGER, _DATE, _TIME, _ISO_TIME, _FLAG, _TEXT = (1 << n for n in range(9))
_NUMBERS = _FRACTION | _HUGE | _BIGINT | _INTEGER
_TYPES = {_DATE: "date", _TIME: "timestamp", _ISO_TIME: "timestamp", _FLAG: "boolean"}


def seed_types(connection: Connection, rows: str, path: str, columns: Sequence[str]) -> list[str]:
    """Return the types of columns of texts; ``rows`` is the SQL that reads them from ``path``."""
    if not columns:
        return []
    texts = ", ".join(f"nullif(trim({quote(column)}), '') as c{n}" for n, column in enumerate(columns))
    kinds = ", ".join(f"bit_or({_kind_of(f'c{n}')})" for n in range(len(columns)))
    found = connection.row(f"select {kinds} from (select {texts} from {rows})", [path])
    return [_type_of(kind or 0) for kind in found or ()]


def _kind_of(text: str) -> str:
    """Return the SQL of what a value is, NULL if there is none."""

    def fits(pattern: str, kind: str, options: str = "") -> str:
        is_full = f"regexp_full_match({text}, {literal(pattern)}, {literal(options)})"
        return f"{is_full} and try_cast({text} as {kind}) is not null"

    number = f"try_cast({text} as double)"
    return f"""case
        when {text} is null then null
        when {fits(_NUMBER, "double", "i")} then case
            when {number} <> trunc({number}) then {_FRACTION}
            when try_cast({text} as integer) is not null then {_INTEGER}
            when try_cast({text} as bigint) is not null then {_BIGINT}
            else {_HUGE}
        end
        when {fits(_DAY, "date")} then {_DATE}
        when {fits(_TIMESTAMP, "timestamp")} then {_TIME}
        when {fits(_ISO, "timestamp")} then {_ISO_TIME}
        when lower({text}) in ('true', 'false') then {_FLAG}
        else {_TEXT}
    end"""


def _type_of(kinds: int) -> str:
    """Return the type of a column by what its values are; none is known of one without values."""
    if kinds & ~_NUMBERS:
        return _TYPES.get(kinds, "varchar")
    if kinds & (_FRACTION | _HUGE):
        return "double"
    return "bigint" if kinds & _BIGINT else "integer"
