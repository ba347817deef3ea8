"""Computes the flow of an expression: all columns in it, including those of subqueries."""

import contextlib
import functools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from genredb.runner.flow.values import (
    NOTHING,
    Flow,
    How,
    Obstacle,
    QueryFlow,
    UnresolvedError,
    as_influence,
    together,
)
from genredb.runner.graph.identity import digest

# DuckDB aggregates that sqlglot parses as scalar functions (a test checks this list against DuckDB).
_AGGREGATES = frozenset(
    "arbitrary arg_max_null arg_max_nulls_last arg_min_null arg_min_nulls_last bitstring_agg combine_aggr"
    " count_star decimal_average entropy favg fsum geomean geometric_mean histogram histogram_exact kahan_sum"
    " kurtosis_pop lttb mad mean product reservoir_quantile sem sum_no_overflow sumkahan variant_group_object"
    " wavg weighted_avg".split()
)
_NOT_FOLLOWED = (exp.Columns, exp.Star, exp.Parameter, exp.PositionalColumn)
Bound = frozenset[str]


@dataclass
class Scope:
    """The meaning of names in a query: CTEs, relations after FROM, its own columns, the enclosing query.

    ``resolve`` returns the columns of a relation by name and catalog, ``follow`` those of a subquery.
    """

    ctes: Mapping[str, QueryFlow]
    resolve: Callable[[str, str], QueryFlow]
    follow: Callable[[exp.Expr, "Scope"], QueryFlow]
    outer: "Scope | None" = None
    sources: dict[str, QueryFlow] = field(default_factory=dict)
    aliases: dict[str, Flow] = field(default_factory=dict)

    def inner(self) -> "Scope":
        """Return the scope of a subquery, which also sees the names of this one."""
        return Scope(self.ctes, self.resolve, self.follow, outer=self)

    def column(self, node: exp.Column) -> Flow:
        """Return the flow of a column of a relation here, of an alias here, or of the enclosing query."""
        parts = [part.name.lower() for part in node.parts]
        found = self._qualified(parts) if len(parts) > 1 else self._plain(parts[0])
        # s.a may be the field a of a column s.
        found = found or (self._plain(parts[0]) if len(parts) > 1 else None)
        if found is None and self.outer is not None:
            return self.outer.column(node)
        if found is None:
            raise UnresolvedError(Obstacle.UNKNOWN_NAME, node.sql("duckdb"))
        return found

    def _qualified(self, parts: list[str]) -> Flow | None:
        for source_parts in range(len(parts) - 1, 0, -1):
            source = self.sources.get(parts[source_parts - 1])
            if source is not None:
                return source.column(parts[source_parts])
        return None

    def _plain(self, name: str) -> Flow | None:
        # If several relations have the name, it is a key of `using`, and comes from all of them.
        found = [source.columns[name] for source in self.sources.values() if name in source.columns]
        if found:
            return together(found)
        if name in self.aliases:
            return self.aliases[name]
        if name in self.sources:  # a whole row
            return together([*self.sources[name].columns.values(), self.sources[name].rows])
        return next((s.every_name for s in self.sources.values() if s.every_name is not None), None)


def expression_flow(node: exp.Expr, scope: Scope) -> Flow:
    """Return the flow of an expression: all columns in it, including those of subqueries."""
    if isinstance(node, exp.Column) and not isinstance(node.this, exp.Star):
        return scope.column(node)
    found = list(_parts(node, scope, frozenset()))
    return Flow(
        NOTHING.union(*(flow.origins for flow in found)),
        digest(node.sql("duckdb", comments=False), *(flow.definition for flow in found)),
    )


def _parts(node: exp.Expr, scope: Scope, bound: Bound) -> Iterator[Flow]:
    """Yield the flow of each column and subquery in an expression; ``bound`` are lambda parameters."""
    if isinstance(node, exp.Query):
        inside = scope.follow(node, scope)
        decided = as_influence(inside.rows.origins, How.SUBQUERY)
        yield together([*inside.columns.values(), Flow(decided, inside.rows.definition)])
    elif isinstance(node, exp.Column) and isinstance(node.this, exp.Star):
        yield from expanded(node, scope).values()
    elif isinstance(node, exp.Column):
        if node.parts[0].name.lower() not in bound:
            yield scope.column(node)
    elif isinstance(node, exp.Dot):
        yield from _dotted(node, scope, bound)
    elif isinstance(node, exp.Lambda | exp.Comprehension):
        yield from _bound_parts(node, scope, bound)
    elif not _is_not_followed(node):
        for child in node.iter_expressions():
            yield from _parts(child, scope, bound)
    elif not (
        isinstance(node, exp.Star) and isinstance(node.parent, exp.Func)
    ):  # count(*); DuckDB allows it nowhere else
        raise UnresolvedError(Obstacle.COLUMNS_OF, node.sql("duckdb"))


def _is_not_followed(node: exp.Expr) -> bool:
    is_variable = isinstance(node, exp.Anonymous) and node.name.lower() == "getvariable"
    return is_variable or isinstance(node, _NOT_FOLLOWED)


def _bound_parts(node: exp.Expr, scope: Scope, bound: Bound) -> Iterator[Flow]:
    """Yield the parts of a lambda or a list comprehension, whose body has its own names."""
    if isinstance(node, exp.Comprehension):
        given = frozenset((node.expression.name.lower(),))
        yield from _parts(node.args["iterator"], scope, bound)
        inside = [node.this, node.args.get("condition")]
    else:
        body = {name.name.lower() for name in node.this.find_all(exp.Identifier)}
        given = frozenset(name.name.lower() for name in node.expressions)
        for name in given - body - bound:  # genre -> '$.a' is not a lambda but reads a field
            yield scope.column(exp.column(name))
        inside = [node.this]
    for part in inside:
        if part is not None:
            yield from _parts(part, scope, bound | given)


def _dotted(node: exp.Dot, scope: Scope, bound: Bound) -> Iterator[Flow]:
    """Yield the flow of the operand before a dot, and of the arguments of functions called after it."""
    names: list[exp.Identifier] = []
    left: exp.Expr = node
    while isinstance(left, exp.Dot):
        if isinstance(left.expression, exp.Identifier):
            names.insert(0, left.expression)
        else:
            names = []
            yield from _parts(left.expression, scope, bound)
        left = left.this
    if not isinstance(left, exp.Identifier):
        yield from _parts(left, scope, bound)
    elif left.name.lower() not in bound:
        catalog_to_column = [left, *names][:4]
        yield scope.column(exp.column(*reversed(catalog_to_column)))


def expanded(node: exp.Expr, scope: Scope) -> dict[str, Flow]:
    """Return the columns that ``*`` or ``t.*`` stands for, by name."""
    star = node.this if isinstance(node, exp.Column) else node
    name = node.table.lower() if isinstance(node, exp.Column) else ""
    sources = [scope.sources[name]] if name in scope.sources else list(scope.sources.values())
    if any(source.every_name is not None for source in sources) or (name and name not in scope.sources):
        raise UnresolvedError(Obstacle.UNKNOWN_STAR, node.sql("duckdb"))
    found: dict[str, list[Flow]] = {}
    for source in sources:
        for column, flow in source.columns.items():
            found.setdefault(column, []).append(flow)
    columns = {column: together(flows) for column, flows in found.items()}
    for left_out in star.args.get("except_") or ():
        columns.pop(left_out.name.lower(), None)
    for alias in star.args.get("replace") or ():
        columns[alias.alias.lower()] = expression_flow(alias.this, scope)
    renamed = {a.this.name.lower(): a.alias.lower() for a in star.args.get("rename") or ()}
    return {renamed.get(column, column): flow for column, flow in columns.items()}


@functools.cache
def _is_aggregate(name: str) -> bool:
    """Return True if a function aggregates; after a dot, sqlglot does not tell, as in ``id.max()``."""
    if name in _AGGREGATES or not name.isidentifier():
        return name in _AGGREGATES
    for arguments in ("x", "x, y", "x, y, z"):
        with contextlib.suppress(SqlglotError):
            if sqlglot.parse_one(f"{name}({arguments})", read="duckdb").find(exp.AggFunc):
                return True
    return False


def has_aggregate(node: exp.Expr) -> bool:
    """Return True if an expression aggregates rows, other than in a window or a subquery."""
    if isinstance(node, exp.Query):
        return False
    if isinstance(node, exp.Window):
        parts = [*node.args.get("partition_by", ()), node.args.get("order")]
        inside = [*node.this.args.values(), *parts]
        return any(has_aggregate(part) for part in inside if isinstance(part, exp.Expr))
    if isinstance(node, exp.AggFunc):
        return True
    if isinstance(node, exp.Anonymous) and _is_aggregate(node.name.lower()):
        return True
    return any(has_aggregate(child) for child in node.iter_expressions())
