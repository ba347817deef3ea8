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


def _fits(text: str) -> dict[str, str]:
    """Return the conditions under which a text is of a type, by type."""

    def full(pattern: str, options: str = "") -> str:
        return f"regexp_full_match({text}, {literal(pattern)}, {literal(options)})"

    return {
        "number": f"{full(_NUMBER, 'i')} and try_cast({text} as double) is not null",
        "whole": f"try_cast({text} as double) = trunc(try_cast({text} as double))",
        "integer": f"try_cast({text} as integer) is not null",
        "bigint": f"try_cast({text} as bigint) is not null",
        "date": f"{full(_DAY)} and try_cast({text} as date) is not null",
        "timestamp": f"{full(_TIMESTAMP)} and try_cast({text} as timestamp) is not null",
        "iso": f"{full(_ISO)} and try_cast({text} as timestamp) is not null",
        "boolean": f"lower({text}) in ('true', 'false')",
    }


def seed_types(connection: Connection, rows: str, path: str, columns: Sequence[str]) -> list[str]:
    """Return the types of columns of texts; ``rows`` is the SQL that reads them from ``path``."""
    texts = [f"nullif(trim({quote(column)}), '')" for column in columns]
    conditions = [_fits(text) for text in texts]
    facts = ", ".join(
        f"bool_and({one}) filter ({text} is not null)"
        for text, fits in zip(texts, conditions, strict=True)
        for one in fits.values()
    )
    values = iter(connection.row(f"select {facts} from {rows}", [path]) or ())
    return [_type_of(dict(zip(fits, values, strict=False))) for fits in conditions]


def _type_of(fits: dict[str, bool | None]) -> str:
    """Return the type that all values fit; none is known of a column without values."""
    if fits["number"] is not False:
        if fits["whole"] is False or fits["bigint"] is False:
            return "double"
        return "integer" if fits["integer"] is not False else "bigint"
    if fits["date"]:
        return "date"
    if fits["timestamp"] or fits["iso"]:
        return "timestamp"
    return "boolean" if fits["boolean"] else "varchar"
