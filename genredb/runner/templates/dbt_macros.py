"""dbt's own macros that projects call: ``dbt.date_trunc``, ``type_string`` …, for DuckDB.

Each is available as ``dbt.name(…)`` and, unless the project defines a macro of that name, as ``name(…)``.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any


def _dateadd(datepart: str, interval: Any, from_date_or_timestamp: Any) -> str:
    unit, factor = {"quarter": ("month", " * 3"), "week": ("day", " * 7")}.get(
        str(datepart).lower(), (str(datepart).lower(), "")
    )
    return f"({from_date_or_timestamp} + (cast({interval} as bigint){factor}) * interval 1 {unit})"


def _datediff(first_date: Any, second_date: Any, datepart: str) -> str:
    first, second = f"({first_date})::timestamp", f"({second_date})::timestamp"
    if str(datepart).lower() != "week":
        return f"(date_diff('{datepart}', {first}, {second}))"
    # Counts Saturday–Sunday boundaries from the first date on.
    is_same_way = f"date_part('dow', {first}) <= date_part('dow', {second})"
    later, earlier = (
        f"case when {first} <= {second} then 0 else -1 end",
        (f"case when {first} <= {second} then 1 else 0 end"),
    )
    days = f"date_diff('day', {first}, {second})"
    return f"({days} // 7 + case when {is_same_way} then {later} else {earlier} end)"


def _date_trunc(datepart: str, date: Any) -> str:
    return f"date_trunc('{datepart}', {date})"


def _last_day(date: Any, datepart: str) -> str:
    if str(datepart).lower() == "quarter":
        after = _dateadd("month", 3, _date_trunc(datepart, date))
    else:
        after = _dateadd(datepart, 1, _date_trunc(datepart, date))
    return f"cast({_dateadd('day', -1, after)} as date)"


def _listagg(
    measure: Any, delimiter_text: str = "','", order_by_clause: str = "", limit_num: int | None = None
) -> str:
    if limit_num:
        return (
            f"list_aggr((array_agg({measure} {order_by_clause or ''}))[1:{limit_num}],"
            f" 'string_agg', {delimiter_text})"
        )
    return f"string_agg({measure}, {delimiter_text} {order_by_clause or ''})"


def _escape_single_quotes(expression: Any) -> str:
    return str(expression).replace("'", "''")


def _array_construct(inputs: Sequence[Any] = (), data_type: str = "integer") -> str:
    return f"[{', '.join(map(str, inputs))}]" if inputs else f"cast([] as {data_type}[])"


MACROS: Mapping[str, Callable[..., str]] = {
    "dateadd": _dateadd,
    "datediff": _datediff,
    "date_trunc": _date_trunc,
    "date": lambda year, month, day: f"make_date({year}, {month}, {day})",
    "last_day": _last_day,
    "listagg": _listagg,
    "concat": lambda fields: " || ".join(map(str, fields)),
    "hash": lambda field: f"md5(cast({field} as varchar))",
    "position": lambda substring_text, string_text: f"position({substring_text} in {string_text})",
    "right": lambda string_text, length_expression: f"right({string_text}, {length_expression})",
    "replace": lambda field, old_chars, new_chars: f"replace({field}, {old_chars}, {new_chars})",
    "length": lambda expression: f"length({expression})",
    "split_part": lambda text, delimiter, part: f"string_split({text}, {delimiter})[{part}]",
    "safe_cast": lambda field, type: f"cast({field} as {type})",  # noqa: A006 - dbt's name
    "cast": lambda field, type: f"cast({field} as {type})",  # noqa: A006
    "cast_bool_to_text": lambda field: f"cast({field} as varchar)",
    "string_literal": lambda value: f"'{value}'",
    "escape_single_quotes": _escape_single_quotes,
    "any_value": lambda expression: f"arbitrary({expression})",
    "bool_or": lambda expression: f"bool_or({expression})",
    "except": lambda: "except",
    "intersect": lambda: "intersect",
    "array_construct": _array_construct,
    "array_append": lambda array, new_element: f"array_append({array}, {new_element})",
    "array_concat": lambda array_1, array_2: f"array_concat({array_1}, {array_2})",
    "type_string": lambda: "TEXT",
    "type_timestamp": lambda: "TIMESTAMP",
    "type_float": lambda: "FLOAT",
    "type_numeric": lambda: "numeric(28,6)",
    "type_bigint": lambda: "bigint",
    "type_int": lambda: "INTEGER",
    "type_boolean": lambda: "BOOLEAN",
    "current_timestamp": lambda: "now()",
}


def naming_macros(target: Mapping[str, Any]) -> Mapping[str, Callable[..., str]]:
    """Return the macros that dbt uses to name schemas and relations, for this ``target``."""
    own = str(target["schema"])

    def schema_name(custom_schema_name: str | None, node: Any = None) -> str:
        return f"{own}_{custom_schema_name.strip()}" if custom_schema_name else own

    def schema_name_for_env(custom_schema_name: str | None, node: Any = None) -> str:
        is_production = target["name"] == "prod" and custom_schema_name
        return str(custom_schema_name).strip() if is_production else own

    def alias_name(custom_alias_name: str | None = None, node: Any = None) -> str:
        if custom_alias_name or not node.get("version"):
            return str(custom_alias_name or node["name"])
        return f"{node['name']}_v{str(node['version']).replace('.', '_')}"

    return {
        "default__generate_schema_name": schema_name,
        "generate_schema_name_for_env": schema_name_for_env,
        "default__generate_alias_name": alias_name,
    }
