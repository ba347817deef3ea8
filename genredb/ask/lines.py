"""Turns a query's rows into text with SQL: DuckDB writes any number of lines in constant memory."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from genredb.errors import UsageError
from genredb.warehouse.database import literal, quote

_NEWLINE = "chr(10)"
_PLAIN = frozenset(  # types whose text contains no comma, quote or line end
    "boolean tinyint smallint integer bigint hugeint utinyint usmallint uinteger ubigint uhugeint bignum"
    " float double decimal date time uuid".split()
)
_NUMBERS = _PLAIN - {"boolean", "date", "time", "uuid"}
_NESTED = frozenset("list array struct map union".split())


@dataclass(frozen=True)
class Column:
    """A column of a result: its name and its DuckDB type."""

    name: str
    type: Any

    @property
    def kind(self) -> str:
        """The type's id, such as ``integer`` or ``list``."""
        return str(self.type.id)


@dataclass(frozen=True)
class LineFormat:
    """How rows become text: a head, the SQL expression ``line`` for each row, then a tail.

    ``line`` refers to columns c0, c1, …; it begins with ``separator``, which is cut off the first row.
    """

    head: Callable[[Sequence[Column]], str]
    line: Callable[[Sequence[Column]], str]
    tail: str = ""
    separator: str = ""


def _joined(parts: Sequence[str], separator: str) -> str:
    return f" || '{separator}' || ".join(parts)


def _csv_text(text: str) -> str:
    quoted = f"'\"' || replace({text}, '\"', '\"\"') || '\"'"
    return f"case when {text} = '' or regexp_matches({text}, '[\",\\r\\n]') then {quoted} else {text} end"


def _csv_cell(place: int, column: Column) -> str:
    name = f"c{place}"
    if column.kind in _NESTED:
        return f"coalesce({_csv_text(_json(name, column.type) + '::varchar')}, '')"
    text = f"{name}::varchar"
    return f"coalesce({text if column.kind in _PLAIN else _csv_text(text)}, '')"


def _csv_head(columns: Sequence[Column]) -> str:
    return ",".join(_csv_name(column.name) for column in columns) + "\n"


def _csv_name(name: str) -> str:
    if name and not set(name) & set('",\r\n'):
        return name
    return '"' + name.replace('"', '""') + '"'


def _csv_line(columns: Sequence[Column]) -> str:
    cells = [_csv_cell(place, column) for place, column in enumerate(columns)]
    return f"{_joined(cells, ',')} || {_NEWLINE}"


def _json(name: str, data_type: Any) -> str:
    """Return the SQL of a value as JSON; NaN and infinity, which JSON lacks, are null except in a union."""
    return f"to_json({_finite(name, data_type)})"


def _finite(name: str, data_type: Any) -> str:
    kind = str(data_type.id)
    if kind in ("float", "double"):
        return f"case when isfinite({name}) then {name} end"
    if kind in ("list", "array"):
        child = dict(data_type.children)["child"]
        inner = _finite("v", child)
        return name if inner == "v" else f"list_transform({name}, lambda v: {inner})"
    if kind == "map":
        inner = _finite("v", dict(data_type.children)["value"])
        values = f"list_transform(map_values({name}), lambda v: {inner})"
        finite = f"case when {name} is not null then map(map_keys({name}), {values}) end"
        return name if inner == "v" else finite
    if kind == "struct":
        parts = [(key, child, f"({name})[{literal(key)}]") for key, child in data_type.children]
        inside = [(key, value, _finite(value, child)) for key, child, value in parts]
        if all(value == inner for _, value, inner in inside):
            return name
        packed = ", ".join(f"{quote(key)} := {inner}" for key, _, inner in inside)
        return f"case when {name} is not null then struct_pack({packed}) end"
    return name


def _json_line(columns: Sequence[Column]) -> str:
    pairs = ", ".join(
        f"{literal(column.name)}, {_json(f'c{place}', column.type)}" for place, column in enumerate(columns)
    )
    return f"json_object({pairs})::varchar"


def _json_array_line(columns: Sequence[Column]) -> str:
    return f"',' || {_NEWLINE} || {_json_line(columns)}"


def _json_head(opening: str) -> Callable[[Sequence[Column]], str]:
    """Return a function that returns ``opening``; it raises UsageError if two columns share a name."""

    def head(columns: Sequence[Column]) -> str:
        refuse_doubled([column.name for column in columns], "JSON")
        return opening

    return head


def refuse_doubled(names: Sequence[str], holder: str) -> None:
    """Raise UsageError if two columns share a name, which the format ``holder`` does not allow."""
    doubled = next((name for name in names if names.count(name) > 1), None)
    if doubled is not None:
        raise UsageError(
            f"Two columns are called '{doubled}', which {holder} cannot hold",
            cure="rename one with `as`",
        )


def _markdown_cell(place: int, column: Column) -> str:
    name = f"c{place}"
    text = f"{_json(name, column.type)}::varchar" if column.kind in _NESTED else f"{name}::varchar"
    if column.kind not in _PLAIN:
        text = f"regexp_replace(replace({text}, '|', '\\|'), '\\r\\n|\\r|\\n', '<br>', 'g')"
    return f"coalesce({text}, 'NULL')"


def _markdown_head(columns: Sequence[Column]) -> str:
    names = " | ".join(column.name.replace("|", "\\|").replace("\n", " ") for column in columns)
    rules = " | ".join("---:" if column.kind in _NUMBERS else "---" for column in columns)
    return f"| {names} |\n| {rules} |\n"


def _markdown_line(columns: Sequence[Column]) -> str:
    cells = [_markdown_cell(place, column) for place, column in enumerate(columns)]
    return f"'| ' || {_joined(cells, ' | ')} || ' |' || {_NEWLINE}"


FORMATS: Mapping[str, LineFormat] = {
    "csv": LineFormat(_csv_head, _csv_line),
    "json": LineFormat(_json_head("[\n"), _json_array_line, "\n]\n", ",\n"),
    "jsonl": LineFormat(_json_head(""), lambda columns: f"{_json_line(columns)} || {_NEWLINE}"),
    "markdown": LineFormat(_markdown_head, _markdown_line),
}
