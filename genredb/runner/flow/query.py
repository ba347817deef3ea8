"""Parses a query with sqlglot and determines where its columns and rows come from.

The parsed query is traversed once, upstream first, and never rewritten. If DuckDB would resolve something in
a way that is not known here, :class:`UnresolvedError` is raised instead of a guess.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from genredb.runner.flow.expression import Scope
from genredb.runner.flow.relation import limits, refuse_pivots, table, values
from genredb.runner.flow.select import Select
from genredb.runner.flow.values import NOTHING, Flow, How, Obstacle, QueryFlow, UnresolvedError, together
from genredb.runner.graph.naming import CTE_PREFIX

Resolve = Callable[[str, str], QueryFlow]


def query_flow(sql: str, resolve: Resolve) -> QueryFlow:
    """Return the flow of a query.

    ``resolve`` returns the columns of a relation by its name, ``schema.name``, and its catalog (empty if none
    is given), in lower case. Raises UnresolvedError if the query cannot be analyzed.
    """
    try:
        parsed = sqlglot.parse_one(sql, read="duckdb")
        return _query(parsed, Scope({}, resolve, _query))
    except SqlglotError as error:
        raise UnresolvedError(Obstacle.SYNTAX, str(error).splitlines()[0]) from None
    except RecursionError:
        raise UnresolvedError(Obstacle.DEPTH) from None
    except (IndexError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise UnresolvedError(Obstacle.FORM, str(error)) from None


def _query(node: exp.Expr, around: Scope) -> QueryFlow:
    """Return the flow of a query of any kind."""
    scope = replace(around, ctes=_with_ctes(node, around))
    if isinstance(node, exp.Select):
        return Select(node, scope.inner() if scope.outer or scope.sources else scope).flow()
    if isinstance(node, exp.SetOperation):
        return _set_operation(node, scope)
    if isinstance(node, exp.Subquery):
        refuse_pivots(node)
        inside = _query(node.this, scope)
        order = limits(node, replace(scope, aliases=dict(inside.columns)))
        return replace(inside, rows=inside.rows.influenced(order, How.FILTER)) if order.definition else inside
    if isinstance(node, exp.Values):
        return values(node, scope)
    if isinstance(node, exp.Table):  # `from songs` without a select
        return table(node, scope)
    raise UnresolvedError(Obstacle.COLUMNS_OF, node.key.upper())


def _with_ctes(node: exp.Expr, scope: Scope) -> Mapping[str, QueryFlow]:
    with_ = node.args.get("with_")
    ctes = dict(scope.ctes)
    for cte in with_.expressions if with_ else ():
        name = cte.alias.lower()
        if name.startswith(CTE_PREFIX):  # ephemeral models are analyzed separately
            continue
        inside = replace(scope, ctes=ctes)
        if with_ and with_.recursive and isinstance(cte.this, exp.SetOperation):
            flow = _recursive(cte.this, name, inside, cte.alias_column_names)
        else:
            flow = _query(cte.this, inside)
        ctes[name] = flow.renamed(cte.alias_column_names)
    return ctes


def _recursive(node: exp.SetOperation, name: str, scope: Scope, names: list[str]) -> QueryFlow:
    """Return the flow of a recursive CTE, reading itself until nothing new is added."""
    known = _query(node.this, scope).renamed(names)
    while True:
        ctes = {**scope.ctes, name: known}
        found = _query(node, replace(scope, ctes=ctes)).renamed(names)
        before = {column: flow.origins for column, flow in known.columns.items()}
        columns = {
            column: Flow(flow.origins | before.get(column, NOTHING), flow.definition)
            for column, flow in found.columns.items()
        }
        rows = Flow(found.rows.origins | known.rows.origins, found.rows.definition)
        if rows.origins == known.rows.origins and before == {c: f.origins for c, f in columns.items()}:
            return replace(found, columns=columns, rows=rows)
        known = replace(found, columns=columns, rows=rows)


def _set_operation(node: exp.SetOperation, scope: Scope) -> QueryFlow:
    left, right = _query(node.this, scope), _query(node.expression, scope)
    if not node.args.get("by_name"):
        right = right.renamed(left.columns)
    kind = Flow(NOTHING, f"{node.key} {node.args.get('distinct')}")
    rows = together([left.rows, right.rows, kind])
    columns: dict[str, Flow] = {}
    for name in dict.fromkeys([*left.columns, *right.columns]):
        one, other = left.columns.get(name), right.columns.get(name)
        if one is not None and other is not None and one.definition == other.definition:
            columns[name] = one
        else:  # the value shows which of the two queries a row is from
            made = together(flow for flow in (one, other) if flow is not None)
            columns[name] = made.influenced(rows, How.ROWS)
    everything = together(columns.values())
    if node.args.get("distinct") is not False or not isinstance(node, exp.Union):
        rows = rows.influenced(everything, How.DISTINCT)
    order = limits(node, replace(scope, sources={}, aliases=columns))
    return QueryFlow(columns, rows.influenced(order, How.FILTER) if order.definition else rows)
