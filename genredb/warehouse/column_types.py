"""Infers the type of a text column, and explains why an almost numeric or date column stays text."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum, auto

from genredb.warehouse.connection import Connection
from genredb.warehouse.database import literal, quote
from genredb.warehouse.declared import Column
from genredb.warehouse.values import Field

# The first type that fits all values wins; otherwise the column is text.
TYPES = ("bigint", "hugeint", "double", "boolean", "date", "timestamp")
_BLANK = r"(?i)#?n/?a|nan|null|none|nil|missing|unknown|-+|\?"


class Notation(StrEnum):
    """A notation that keeps a column from being a number or a date."""

    THOUSANDS_SEPARATORS = auto()
    DECIMAL_COMMAS = auto()
    OTHER_DATES = auto()
    MISSING_MARKS = auto()


@dataclass(frozen=True)
class NearType:
    """Why a column is text: its values have a notation, as in ``examples``; ``sql`` converts them."""

    notation: Notation
    examples: tuple[str, ...]
    sql: str

    def __str__(self) -> str:
        """Return the notation with its examples, in words."""
        words = _WORDS[self.notation]
        if self.notation is Notation.MISSING_MARKS and len(self.examples) == 1:
            words = "a mark of missing values"
        return f"{words} ({', '.join(self.examples)!r})"


_WORDS: Mapping[Notation, str] = {
    Notation.THOUSANDS_SEPARATORS: "thousands separators",
    Notation.DECIMAL_COMMAS: "decimal commas",
    Notation.OTHER_DATES: "dates that are not written as 2024-12-31",
    Notation.MISSING_MARKS: "marks of missing values",
}


@dataclass(frozen=True)
class _Form:
    """A notation for values. ``fits`` must hold for all, ``shows`` for at least one; {} is the text."""

    notation: Notation
    fits: str
    shows: str
    sql: str


def _dates(pattern: str) -> _Form:
    fits = (
        rf"try_strptime(trim({{0}}), '{pattern}') is not null and regexp_matches(trim({{0}}), '\d{{{{4}}}}$')"
    )
    return _Form(Notation.OTHER_DATES, fits, fits, f"strptime({{}}, '{pattern}')::date")


_FORMS = (
    _Form(
        Notation.THOUSANDS_SEPARATORS,
        r"regexp_full_match(trim({}), '[+-]?\d{{1,3}}(,\d{{3}})*')",
        "contains({}, ',')",
        "replace({}, ',', '')::bigint",
    ),
    _Form(
        Notation.DECIMAL_COMMAS,
        r"regexp_full_match(trim({}), '[+-]?(\d{{1,3}}(\.\d{{3}})+|\d+)(,\d+)?')",
        "contains({}, ',')",
        "replace(replace({}, '.', ''), ',', '.')::double",
    ),
    *(_dates(pattern) for pattern in ("%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y")),
)


def misfits_of(text: str, data_type: str) -> str:
    """Return SQL that counts the texts the loader could not convert to a type; NULL if all are blank."""
    value = Field(Column(text, data_type=data_type), text).converted()
    fits = f"{value} is not null"
    if data_type in ("bigint", "hugeint", "double"):
        fits += f" and not regexp_matches({text}, '^\\s*[+-]?0\\d')"  # a number would lose the zeros of 0042
    if data_type == "double":
        fits += f" and not regexp_matches({text}, '\\d{{18}}')"  # a double cannot hold so many digits
    if data_type == "date":
        fits += f" and regexp_full_match({text}, '\\s*\\d+-\\d+-\\d+\\s*')"
    stated = f"nullif(trim({text}), '')"
    return f"case when count({stated}) > 0 then count({stated}) filter (where not ({fits})) end"


def near_type(connection: Connection, relation: str, text: str, name: str) -> NearType | None:
    """Return what keeps a column of a relation from being a number or a date, if there is a single cause.

    ``text`` is the column, ``name`` its name in the returned SQL.
    """
    column = quote(text)
    stated = f"from {relation} where trim({column}) <> ''"
    for form in _FORMS:
        fits, shows = form.fits.format(column), form.shows.format(column)
        [(is_all, example)] = connection.rows(
            f"select bool_and({fits}), any_value({column}) filter (where {shows}) {stated}"
        )
        if is_all and example is not None:
            return NearType(form.notation, (example.strip(),), form.sql.format(name))
    is_blank = f"regexp_full_match(trim({column}), '{_BLANK}')"
    blanks = connection.rows(
        f"select distinct trim({column}) as blank {stated} and {is_blank} order by blank"
    )
    if blanks:
        marks = [blank for (blank,) in blanks]
        present = f"nullif(trim({name}), {literal(marks[0])})"
        if marks[1:]:
            present = (
                f"case when trim({name}) not in ({', '.join(map(literal, marks))}) then trim({name}) end"
            )
        misfits = ", ".join(misfits_of(column, data_type) for data_type in TYPES)
        [counts] = connection.rows(f"select {misfits} {stated} and not {is_blank}")
        for data_type in (one for one, count in zip(TYPES, counts, strict=True) if count == 0):
            return NearType(Notation.MISSING_MARKS, tuple(marks), f"cast({present} as {data_type})")
    return None
