"""The SQL of the generic checks: each is a function returning a query for failing rows, and a GENERIC entry.

The project's own ``{% test name(model, …) %}`` takes precedence.
"""

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from genredb.errors import FollowUpError, ProjectError
from genredb.runner.project.specs import CheckSpec

SUBQUERY = "dbt_subquery"  # the alias of a relation with a `where:`


def _unique(relation: str, column: str, _arguments: Mapping[str, Any]) -> str:
    return f"""select
    {column} as unique_field,
    count(*) as n_records
from {relation}
where {column} is not null
group by {column}
having count(*) > 1"""


def _not_null(relation: str, column: str, _arguments: Mapping[str, Any]) -> str:
    return f"select *\nfrom {relation}\nwhere {column} is null"


def _accepted_values(relation: str, column: str, arguments: Mapping[str, Any]) -> str:
    quoted = arguments.get("quote", True)
    listed = ", ".join(_literal(value) if quoted else str(value) for value in arguments["values"])
    return f"""select
    {column} as value_field,
    count(*) as n_records
from {relation}
where {column} not in ({listed})
group by {column}"""


def _relationships(relation: str, column: str, arguments: Mapping[str, Any]) -> str:
    parent, field = arguments["to"], arguments["field"]
    rows = relation.removesuffix(f" {SUBQUERY}")
    return f"""select child.{column} as from_field
from {rows} as child
left join {parent} as parent on child.{column} = parent.{field}
where child.{column} is not null and parent.{field} is null"""


def _literal(value: object) -> str:
    return "'" + str(value).replace("'", "''") + "'"


@dataclass(frozen=True)
class GenericCheck:
    """A generic check: its SQL as a function of relation, column and arguments, and the arguments allowed.

    ``lists`` are those of its arguments that are lists. ``row_fault`` is the condition of a failing row, with
    {} for the column, if each row fails by itself: such checks of a relation are counted in one pass.
    """

    sql: Callable[[str, str, Mapping[str, Any]], str]
    needed: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()
    has_column: bool = True
    row_fault: str = ""


GENERIC: Mapping[str, GenericCheck] = {
    "unique": GenericCheck(_unique),
    "not_null": GenericCheck(_not_null, row_fault="{} is null"),
    "accepted_values": GenericCheck(
        _accepted_values, needed=("values",), optional=("quote",), lists=("values",)
    ),
    "relationships": GenericCheck(_relationships, needed=("to", "field")),
}


def check_sql(spec: CheckSpec, relation: str, arguments: Mapping[str, Any], known: Sequence[str]) -> str:
    """Return the query for the failing rows of a generic check on ``relation``.

    Raises ProjectError for an unknown check or a missing argument; ``known`` are the names of the checks
    that the project itself defines.
    """
    kind = spec.kind.removeprefix("dbt.")
    if kind not in GENERIC:
        raise FollowUpError(f"there is no check '{spec.kind}'", name=spec.kind, choices=[*GENERIC, *known])
    check = GENERIC[kind]
    column = spec.column or arguments.get("column_name") or ""
    if check.has_column and not column:
        raise ProjectError(f"the check '{spec.kind}' of {spec.attached_to} names no column")
    known_arguments = {*check.needed, *check.optional, *(["column_name"] if check.has_column else [])}
    for argument in arguments:
        if argument not in known_arguments:
            raise ProjectError(
                f"the check '{spec.kind}' of {spec.attached_to} has no argument '{argument}'",
                name=argument,
                choices={*known_arguments, "arguments", "config", "name", "description"},
            )
    for argument in check.lists:
        if not isinstance(arguments.get(argument, []), list):
            raise ProjectError(f"`{argument}:` of {spec.attached_to} should be a list")
    for argument in check.needed:
        if argument not in arguments:
            raise ProjectError(
                f"the check '{spec.kind}' of {spec.attached_to} needs the argument '{argument}'"
            )
    return check.sql(relation, column, arguments)


def check_name(spec: CheckSpec, target: str) -> tuple[str, str]:
    """Return dbt's name for a generic check (kind, relation and arguments), and the shortened name."""
    if spec.name:
        return spec.name, shortened(spec.name)
    arguments = dict(spec.arguments) | ({"column_name": spec.column} if spec.column else {})
    flat: list[str] = []
    for _, value in sorted(arguments.items()):
        parts = (
            value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else [value]
        )
        flat += [str(part) for part in parts]
    unique = "__".join(re.sub(r"[^0-9a-zA-Z_]+", "_", part) for part in flat)
    kind = spec.kind.replace(".", "_")
    beginning = f"{'source_' if spec.attached_to.startswith('source(') else ''}{kind}_{target}"
    name = f"{beginning}_{unique}"
    return name, shortened(name, beginning)


def shortened(name: str, beginning: str = "") -> str:
    """Return a name of at most 63 characters: a long one is cut, with a hash appended."""
    if len(name) < 64:
        return name
    return f"{(beginning or name)[:30]}_{hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()}"
