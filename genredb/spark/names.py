"""Finds the names that mean one thing on DuckDB and another on Spark."""

from collections.abc import Iterator

from sqlglot import exp
from sqlglot.optimizer.resolver import Resolver
from sqlglot.optimizer.scope import traverse_scope
from sqlglot.schema import ensure_schema

from genredb.spark.types import Schema


def misread_in_order(query: exp.Expr, schema: Schema) -> Iterator[exp.Column]:
    """Yield the names of another column's alias in expressions of `order by`.

    A bare name is the alias on both. Inside an expression, DuckDB takes the relation's column of this name
    if there is one, Spark the alias.
    """
    known = ensure_schema(dict(schema), dialect="duckdb")
    for scope in traverse_scope(query):
        order = scope.expression.args.get("order")
        if order is None or not isinstance(scope.expression, exp.Select):
            continue
        readable = Resolver(scope, known).all_columns
        aliases = {one.alias_or_name for one in scope.expression.selects if not _is_itself(one)}
        inside = [one.this for one in order.expressions if not isinstance(one.this.unnest(), exp.Column)]
        for column in (found for one in inside for found in one.find_all(exp.Column)):
            if not column.table and column.name in aliases & readable:
                yield column


def of_no_relation(query: exp.Expr) -> Iterator[exp.Column]:
    """Yield the names that are neither a relation's column nor an alias: `user` and `rowid` of DuckDB."""
    for column in query.find_all(exp.Column):
        order = column.find_ancestor(exp.Order, exp.Query)
        ordered = order.parent if isinstance(order, exp.Order) else None
        aliases = ordered.named_selects if isinstance(ordered, exp.Query) else ()
        if not column.table and column.name not in aliases:
            yield column


def unreachable(query: exp.Expr) -> Iterator[exp.Column]:
    """Yield names of an outer query where Spark does not let a subquery read them.

    It does within WHERE, unless the subquery is a value of a grouped query, and within EXISTS.
    """
    for scope in traverse_scope(query):
        if not scope.is_correlated_subquery or isinstance(scope.expression.parent, exp.Exists):
            continue
        outer = scope.parent.expression if scope.parent else None
        is_value = not isinstance(scope.expression.find_ancestor(exp.Where, exp.Select), exp.Where)
        is_of_group = is_value and isinstance(outer, exp.Select) and bool(outer.args.get("group"))
        for column in scope.external_columns:
            where = column.find_ancestor(exp.Where, exp.Select)
            if is_of_group or not isinstance(where, exp.Where):
                yield column


def doubled(query: exp.Expr) -> Iterator[tuple[exp.Expr, str]]:
    """Yield columns of a query, and their name, which another one has: Spark finds no column by it."""
    for select in query.find_all(exp.Select):
        seen = set()
        for one in select.selects:
            is_named = not one.alias_or_name.startswith("_col_")  # else DuckDB names it after its SQL
            name = one.alias_or_name if is_named else one.unalias().sql("duckdb")
            if folded(name) in seen:
                yield one, name
            seen.add(folded(name))


def folded(name: str) -> str:
    """Return what Spark compares of a name: both cases of any letter are one, on DuckDB only of ASCII."""
    return name.upper().casefold()


def _is_itself(selected: exp.Expr) -> bool:
    column = selected.unalias()
    return isinstance(column, exp.Column) and column.name == selected.alias_or_name
