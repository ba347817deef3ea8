"""Generates the SQL that converts a text field strictly, accepts it, and describes its faults."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from genredb.errors import ProjectError
from genredb.warehouse.database import literal, quote
from genredb.warehouse.declared import Column
from genredb.warehouse.faults import FaultKind

INTEGERS = frozenset(
    "tinyint int1 smallint int2 short integer int int4 signed bigint int8 long hugeint "
    "utinyint usmallint uinteger ubigint".split()
)
FLOATS = frozenset("float float4 real double float8".split())
TEXTS = frozenset("varchar text string".split())
TIMES = frozenset("date timestamp".split())
_OFFSET = r":\d\d(?:\.\d+)?\s*([+-]\d\d(?::?\d\d)?)\s*$"  # of a timestamp, after its time
BOOLEANS = frozenset("boolean bool".split())

# The SQL type of a Fault.
FAULT = "struct(kind varchar, details varchar[], field varchar, text varchar)"


def fault_sql(kind: FaultKind, details: Sequence[str], field: str, text: str = "null::varchar") -> str:
    """Return the SQL of a fault; ``text`` is the expression of the field's content."""
    listed = f"[{', '.join(map(literal, details))}]::varchar[]"
    return (
        f"struct_pack(kind := {literal(kind)}, details := {listed},"
        f" field := {literal(field)}, text := {text})"
    )


@dataclass(frozen=True)
class Field:
    """A column of a raw table and the text field of the file that it is converted from.

    ``text`` is the SQL of that field. Integers may contain the ``thousands_separator``, if there is one.
    ``is_digits`` is the SQL of a condition, if any, under which an integer's text has only digits and signs.
    """

    column: Column
    text: str
    thousands_separator: str = ""
    is_digits: str = ""

    def __post_init__(self) -> None:
        known = INTEGERS | FLOATS | TEXTS | TIMES | BOOLEANS
        if self.data_type not in known:
            raise ProjectError(
                f"The column '{self.column.name}' has the data_type '{self.column.data_type}', which "
                "genredb does not load",
                name=self.data_type,
                choices=known,
            )
        if self.data_type not in INTEGERS | FLOATS and (self._low, self._high) != (None, None):
            raise ProjectError(f"The column '{self.column.name}' is not numeric and cannot have min or max")

    @property
    def data_type(self) -> str:
        """The declared type in lower case; varchar if none is declared."""
        return self.column.data_type.lower() or "varchar"

    @property
    def name(self) -> str:
        """The column's name, quoted."""
        return quote(self.column.name)

    @property
    def _low(self) -> float | None:
        return self.column.range.low

    @property
    def _high(self) -> float | None:
        return self.column.range.high

    @property
    def _is_blank(self) -> str:
        return f"({self.text} is null or trim({self.text}) = '')"

    @property
    def is_separated(self) -> str:
        """The condition that the text is an integer with separators; empty if separators are not allowed."""
        if not self.thousands_separator or self.data_type not in INTEGERS:
            return ""
        form = f"\\s*[+-]?\\d{{1,3}}({re.escape(self.thousands_separator)}\\d{{3}})+\\s*"
        return f"regexp_full_match({self.text}, {literal(form)})"

    @property
    def _plain(self) -> str:
        """The text, without separators if they are allowed."""
        if not self.is_separated:
            return self.text
        plain = f"replace({self.text}, {literal(self.thousands_separator)}, '')"
        return f"case when {self.is_separated} then {plain} else {self.text} end"

    @property
    def _is_integer(self) -> str:
        # 107.0 is an integer but 1.5 is not: a cast alone would round it.
        return f"regexp_full_match({self._plain}, '\\s*[+-]?\\d+(\\.0*)?\\s*')"

    def converted(self) -> str:
        """Return the expression of the value; NULL if the text does not fit the type."""
        if self.data_type in TEXTS:
            return self.text
        value = f"try_cast({self._plain} as {self.data_type})"
        if self.data_type in INTEGERS:
            # Of digits and signs, a cast accepts what is an integer and nothing else.
            is_surely = f"{self.is_digits} or " if self.is_digits else ""
            return f"case when {is_surely}{self._is_integer} then {value} end"
        if self.data_type in FLOATS | TIMES:
            is_exact = f"isfinite({value})"
            if self.data_type == "date":  # a cast alone would drop the time of day
                moment = f"try_cast({self.text} as timestamp)"
                is_exact += f" and coalesce({moment} = try_cast({value} as timestamp), true)"
            if self.data_type == "timestamp":  # a cast alone would drop an offset from UTC
                offset = f"regexp_extract({self.text}, '{_OFFSET}', 1)"
                is_exact += f" and regexp_replace({offset}, '[^1-9]', '', 'g') = ''"
            return f"case when {is_exact} then {value} end"
        return value

    def accepted(self) -> str:
        """Return the expression of a good row's value; for a bad row it raises an error.

        It expects rows that contain the converted value under the column's name.
        """
        if self.data_type in TEXTS and not self.column.is_required:
            return self.name
        conditions = [f"{self.name} is not null"]
        conditions += [f"{self.name} >= {self._low}"] if self._low is not None else []
        conditions += [f"{self.name} <= {self._high}"] if self._high is not None else []
        if self.column.is_required:
            conditions += [f"not {self._is_blank}"] if self.data_type in TEXTS else []
            blank = ""
        else:
            blank = f"when {self._is_blank} then null"
        is_good = " and ".join(conditions)
        return f"case when {is_good} then {self.name} {blank} else error('refused') end as {self.name}"

    def fault(self) -> str:
        """Return the expression of this field's fault, of type FAULT, or NULL."""
        empty = fault_sql(FaultKind.EMPTY, (), self.column.header) if self.column.is_required else "null"
        cases = [f"when {self._is_blank} then {empty}"]
        if self.data_type in INTEGERS:
            is_too_large = f"{self.name} is null and {self._is_integer}"
            cases.append(f"when {is_too_large} then {self._shown(FaultKind.TOO_LARGE)}")
        cases.append(f"when {self.name} is null then {self._shown(FaultKind.OTHER_TYPE, self._kind())}")
        if self._low is not None:
            cases.append(f"when {self.name} < {self._low} then {self._shown(FaultKind.BELOW, self._low)}")
        if self._high is not None:
            cases.append(f"when {self.name} > {self._high} then {self._shown(FaultKind.ABOVE, self._high)}")
        return f"case {' '.join(cases)} end"

    def _shown(self, kind: FaultKind, *details: object) -> str:
        return fault_sql(kind, tuple(map(str, details)), self.column.header, f"left({self.text}, 40)")

    def _kind(self) -> str:
        if self.data_type in INTEGERS:
            return "an integer"
        return "a number" if self.data_type in FLOATS else f"a {self.data_type}"


@dataclass(frozen=True)
class Filled:
    """A column of a raw table that is not a field of the file; ``expression`` is the SQL of its value."""

    column: Column
    expression: str

    @property
    def name(self) -> str:
        """The column's name, quoted."""
        return quote(self.column.name)

    is_separated = ""

    def converted(self) -> str:
        """Return the expression of the value."""
        return f"({self.expression})::{self.column.data_type or 'varchar'}"

    def accepted(self) -> str:
        """Return the column itself: nothing can be rejected."""
        return self.name

    def fault(self) -> str:
        """Return NULL: it cannot be faulty."""
        return "null"


def has_only_digits(fields: Iterable[Field | Filled]) -> str:
    """Return the condition that the integers of a row have only digits and signs.

    One pattern for all of them costs a fraction of one for each.
    """
    texts = [one.text for one in fields if isinstance(one, Field) and one.data_type in INTEGERS]
    return f"regexp_full_match(concat({', '.join(texts)}), '[-+0-9]*')" if texts else "true"
