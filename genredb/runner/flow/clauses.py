"""Finds the windows, subqueries and relations of a parsed query."""

from collections.abc import Iterator

from sqlglot import exp

from genredb.runner.flow.expression import has_aggregate
from genredb.runner.flow.hindrance import Hindrance, UnknownError


def windows(node: exp.Expr) -> Iterator[exp.Window]:
    """Yield the windows of an expression, except those of its subqueries."""
    if isinstance(node, exp.Query):
        return
    if isinstance(node, exp.Window):
        if node.args.get("alias"):
            raise UnknownError(Hindrance.FORM, "a named window")
        yield node
    for child in node.iter_expressions():
        yield from windows(child)


def subqueries(node: exp.Expr | None) -> Iterator[exp.Expr]:
    """Yield the queries that the expressions of a SELECT, or an expression, read."""
    if node is None:
        return
    children = node.iter_expressions()
    if isinstance(node, exp.Select):
        relations = [node.args.get("from_"), node.args.get("with_"), *(node.args.get("joins") or ())]
        children = (child for child in children if not any(child is one for one in relations))
    for child in children:
        if isinstance(child, exp.Query):
            yield child.this if isinstance(child, exp.Subquery) else child
        else:
            yield from subqueries(child)


def semi_joined(node: exp.Select) -> exp.Select:
    """Return a SELECT with each ``where exists (select … from r where …)`` as a semi join of ``r``.

    Only where every column of the condition names its relation, so that it means the same there.
    """
    where = node.args.get("where")
    conditions = list(where.this.flatten()) if where and isinstance(where.this, exp.And) else []
    conditions = conditions or ([where.this] if where else [])
    joins = {id(condition): join for condition in conditions if (join := _semi_join(condition))}
    if not joins:
        return node
    kept = [condition.copy() for condition in conditions if id(condition) not in joins]
    found = node.copy()
    found.set("where", exp.Where(this=exp.and_(*kept)) if kept else None)
    found.set("joins", [*(found.args.get("joins") or ()), *joins.values()])
    return found


def _semi_join(condition: exp.Expr) -> exp.Join | None:
    is_negated = isinstance(condition, exp.Not)
    exists = condition.this if is_negated else condition
    query = exists.this if isinstance(exists, exp.Exists) else None
    if not isinstance(query, exp.Select):
        return None
    stated = {key for key, value in query.args.items() if value}
    where = query.args.get("where")
    if where is None or not stated <= {"kind", "expressions", "from_", "where"}:
        return None
    if any(has_aggregate(one) for one in query.expressions):
        return None
    if any(not column.table for column in where.find_all(exp.Column)):
        return None
    relation = query.args["from_"].this.copy()
    return exp.Join(this=relation, kind="ANTI" if is_negated else "SEMI", on=where.this.copy())


def reads_name(node: exp.Expr, name: str) -> bool:
    """Return True if a query reads a relation or CTE of this name."""
    return any(table.name.lower() == name.lower() for table in node.find_all(exp.Table))


def relation_name(table: exp.Table) -> str:
    """Return ``schema.name`` of a table, in lower case."""
    return f"{table.db.lower() or 'main'}.{table.name.lower()}"
