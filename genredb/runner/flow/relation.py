"""The flow of relations after FROM, and of ORDER BY and LIMIT."""

from collections.abc import Iterator

from sqlglot import exp

from genredb.runner.flow.expression import Scope, expression_flow
from genredb.runner.flow.values import NOTHING, Flow, Obstacle, QueryFlow, UnresolvedError, together
from genredb.runner.graph.identity import digest
from genredb.runner.graph.naming import CTE_PREFIX

# Table functions that read only their arguments.
_PURE_TABLE_FUNCTIONS = frozenset("range generate_series unnest generate_subscripts".split())


def table(node: exp.Table, scope: Scope) -> QueryFlow:
    """Return the columns of a relation, a CTE or a table function."""
    refuse_pivots(node)
    names = node.alias_column_names
    if isinstance(node.this, exp.Func):
        return _table_function(node.this, scope).renamed(names)
    name = node.name.lower()
    if not node.db and name in scope.ctes and not name.startswith(CTE_PREFIX):
        return scope.ctes[name].renamed(names)
    if name.startswith(CTE_PREFIX):
        return scope.resolve(name, "").renamed(names)
    return scope.resolve(f"{node.db.lower() or 'main'}.{name}", node.catalog.lower()).renamed(names)


def _table_function(node: exp.Func, scope: Scope) -> QueryFlow:
    name = (node.name if isinstance(node, exp.Anonymous) else node.sql_name()).lower()
    if name not in _PURE_TABLE_FUNCTIONS and not isinstance(node, exp.GenerateSeries | exp.Unnest):
        raise UnresolvedError(Obstacle.READS_BY, name)
    made = expression_flow(node, scope)
    return QueryFlow({}, rows=made, every_name=made)


def values(node: exp.Values, scope: Scope) -> QueryFlow:
    """Return the columns of VALUES."""
    rows = [row.expressions if isinstance(row, exp.Tuple) else [row] for row in node.expressions]
    columns = {
        f"col{number}": together(expression_flow(value, scope) for value in values)
        for number, values in enumerate(zip(*rows, strict=True))
    }
    return QueryFlow(columns, Flow(NOTHING, digest(node.sql("duckdb")))).renamed(node.alias_column_names)


def refuse_pivots(node: exp.Expr) -> None:
    """Raise UnresolvedError for PIVOT and UNPIVOT."""
    if node.args.get("pivots"):
        raise UnresolvedError(Obstacle.COLUMNS_OF, "PIVOT and UNPIVOT")


def limits(node: exp.Expr, scope: Scope) -> Flow:
    """Return the flow of what LIMIT depends on; empty if there is no limit."""
    clauses = [node.args[key] for key in ("limit", "offset", "fetch") if node.args.get(key)]
    if not clauses:
        return Flow()
    text = digest(*(clause.sql("duckdb") for clause in (*clauses, node.args.get("order")) if clause))
    return together(
        [Flow(NOTHING, text), *(expression_flow(clause, scope) for clause in clauses), *ordered(node, scope)]
    )


def ordered(node: exp.Expr, scope: Scope) -> Iterator[Flow]:
    """Yield the flow of each key of ORDER BY."""
    order = node.args.get("order")
    for stated in order.expressions if order else ():
        key = stated.this if isinstance(stated, exp.Ordered) else stated
        is_plain = isinstance(key, exp.Column) and not key.table
        if is_plain and key.name.lower() == "all":
            yield from scope.aliases.values()
        elif is_plain and key.name.lower() in scope.aliases:
            yield scope.aliases[key.name.lower()]
        elif (number := place(key)) is not None:
            yield from list(scope.aliases.values())[number : number + 1]
        else:
            yield expression_flow(key, scope)


def place(key: exp.Expr) -> int | None:
    """Return the column index, from 0, of a position as in ``order by 1`` or ``group by 1``."""
    return int(key.this) - 1 if isinstance(key, exp.Literal) and not key.is_string else None
