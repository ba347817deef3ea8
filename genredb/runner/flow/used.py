"""Finds the columns of relations that a query uses, for a value or for which rows there are."""

from collections.abc import Mapping

from genredb.runner.flow.query import query_flow
from genredb.runner.flow.tied_query import Known
from genredb.runner.flow.values import ROWS, Obstacle, QueryFlow, UnresolvedError, own_columns


def used_columns(sql: str, known: Known) -> Mapping[str, frozenset[str]]:
    """Return by relation the columns that a query uses, also by views; all of a relation that is left out."""

    def resolve(relation: str, _catalog: str) -> QueryFlow:
        if relation not in known.columns:
            raise UnresolvedError(Obstacle.NO_NODE, relation)
        return own_columns(relation, known.columns[relation])

    try:
        flows = [query_flow(text, resolve) for text in (sql, *known.views.values())]
    except UnresolvedError:
        return {}
    found: dict[str, set[str]] = {}
    for flow in flows:
        if flow.every_name:
            return {}
        for origin in (one for part in (*flow.columns.values(), flow.rows) for one in part.origins):
            columns = found.setdefault(origin.relation, set())
            columns |= {origin.column} - {ROWS}
    return {relation: frozenset(columns) for relation, columns in found.items() if columns}
