"""The SQL of the generic checks: a query for the rows that fail. One function and one registry line each."""

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from genredb.errors import ProjectError, did_you_mean
from genredb.project import CheckSpec


def _unique(relation: str, column: str, _arguments: Mapping[str, Any]) -> str:
    return f"""select
    {column},
    count(*) as n_records
from {relation}
where {column} is not null
group by {column}
having count(*) > 1"""


def _not_null(relation: str, column: str, _arguments: Mapping[str, Any]) -> str:
    return f"select *\nfrom {relation}\nwhere {column} is null"


def _accepted_values(relation: str, column: str, arguments: Mapping[str, Any]) -> str:
    values = arguments["values"]
    quoted = arguments.get("quote", True)
    listed = ", ".join(_literal(value) if quoted else str(value) for value in values)
    return f"""select
    {column},
    count(*) as n_records
from {relation}
where {column} not in ({listed})
group by {column}"""


def _relationships(relation: str, column: str, arguments: Mapping[str, Any]) -> str:
    parent, field = arguments["to"], arguments["field"]
    return f"""select child.{column}
from {relation} as child
left join {parent} as parent on child.{column} = parent.{field}
where child.{column} is not null and parent.{field} is null"""


def _literal(value: object) -> str:
    return "'" + str(value).replace("'", "''") + "'"


GENERIC: Mapping[str, tuple[Callable[[str, str, Mapping[str, Any]], str], Sequence[str]]] = {
    "unique": (_unique, ()),
    "not_null": (_not_null, ()),
    "accepted_values": (_accepted_values, ("values",)),
    "relationships": (_relationships, ("to", "field")),
}


def check_sql(spec: CheckSpec, relation: str, arguments: Mapping[str, Any]) -> str:
    """Return the query for the failing rows of a generic check on ``relation``.

    Raises ProjectError for a check that does not exist or lacks an argument.
    """
    if spec.kind not in GENERIC:
        raise ProjectError(f"{spec.path}: there is no check '{spec.kind}'.{did_you_mean(spec.kind, GENERIC)}")
    template, needed = GENERIC[spec.kind]
    column = spec.column or arguments.get("column_name")
    if not column:
        raise ProjectError(f"{spec.path}: the check '{spec.kind}' of {spec.attached_to} names no column.")
    for argument in arguments:
        if argument not in (*needed, "quote", "column_name"):
            raise ProjectError(
                f"{spec.path}: the check '{spec.kind}' of {spec.attached_to} has no argument '{argument}'."
                + did_you_mean(argument, needed)
            )
    if not isinstance(arguments.get("values", []), list):
        raise ProjectError(f"{spec.path}: `values:` of {spec.attached_to} should be a list.")
    for argument in needed:
        if argument not in arguments:
            raise ProjectError(
                f"{spec.path}: the check '{spec.kind}' of {spec.attached_to} lacks the argument '{argument}'."
            )
    where = spec.config.get("where")
    return template(f"(select * from {relation} where {where})" if where else relation, column, arguments)


def check_name(spec: CheckSpec, target: str) -> str:
    """Return the name dbt gives a generic check: kind, relation and arguments, shortened by md5."""
    if spec.name:
        return spec.name
    arguments = dict(spec.arguments) | ({"column_name": spec.column} if spec.column else {})
    values = [value for _, value in sorted(arguments.items())]
    flat = [str(part) for value in values for part in (value if isinstance(value, list) else [value])]
    unique = "__".join(re.sub(r"[^0-9a-zA-Z_]+", "_", part) for part in flat)
    full = f"{spec.kind}_{target}_{unique}"
    if len(full) < 64:
        return full
    return f"{full[:30]}_{hashlib.md5(full.encode(), usedforsecurity=False).hexdigest()}"
