"""Inserts ephemeral models as CTEs into the SQL of the nodes that reference them."""

import re
from collections.abc import Callable, Iterable, Mapping

from genredb.runner.graph.nodes import Model

_WITH = re.compile(
    r"\A(?:\s|--[^\n]*(?:\n|\Z)|/\*.*?\*/)*with\b(?P<recursive>\s+recursive\b)?", re.DOTALL | re.IGNORECASE
)


def with_ephemerals(
    sql: str,
    references: Iterable[str],
    ephemerals: Mapping[str, Model],
    sql_of: Callable[[Model], str] = lambda model: model.sql,
) -> str:
    """Return ``sql`` with a CTE for each ephemeral model that it needs, in dependency order."""
    needed: dict[str, Model] = {}
    for unique_id in references:
        _gather(unique_id, ephemerals, needed)
    if not needed:
        return sql
    ctes = ",\n".join(f"{node.relation} as (\n{_plain(sql_of(node))}\n)" for node in needed.values())
    found = _WITH.match(sql)
    if found is None:
        return f"with {ctes}\n{sql}"
    return f"{sql[: found.end()]} {ctes},{sql[found.end() :]}"


def _gather(unique_id: str, ephemerals: Mapping[str, Model], needed: dict[str, Model]) -> None:
    node = ephemerals.get(unique_id)
    if node is None or unique_id in needed:
        return
    for parent in node.depends_on:
        if parent != unique_id:
            _gather(parent, ephemerals, needed)
    needed[unique_id] = node


def _plain(sql: str) -> str:
    return sql.strip().rstrip(";")
