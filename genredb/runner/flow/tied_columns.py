"""Determines the columns of a SELECT, with their ties."""

from collections.abc import Iterator

from sqlglot import exp

from genredb.runner.flow.clauses import windows
from genredb.runner.flow.hindrance import Hindrance, UnknownError
from genredb.runner.flow.joins import Joined
from genredb.runner.flow.ties import NO_TIES, UNTIED, Tied, Ties


def columns_of(node: exp.Select, here: Joined | None) -> dict[str, Tied]:
    """Return the columns of a SELECT, in order; DuckDB would rename all but the first of one name."""
    listed = list(_listed_columns(node, here))
    if len(found := dict(listed)) < len(listed):
        raise UnknownError(Hindrance.FORM, "one name for several columns")
    return found


def all_columns(here: Joined) -> dict[str, Tied]:
    """Return the columns of what a FROM clause joins, which a query has beside it if no row is lost."""
    return {
        f"{table}.{name}": tied for table, columns in here.names.items() for name, tied in columns.items()
    }


def tied_of(node: exp.Expr, here: Joined) -> Tied:
    """Return the ties of an expression; only a plain column has any."""
    if not isinstance(node, exp.Column) or isinstance(node.this, exp.Star):
        return UNTIED
    found = here.place(node.table.lower(), node.name.lower())
    return here.names[found[0]][found[1]] if found else UNTIED


def seen_by(node: exp.Expr, here: Joined) -> Iterator[Ties]:
    """Yield for each window of an expression the ties of its partition."""
    for window in windows(node):
        keys = [tied_of(key, here) for key in window.args.get("partition_by") or ()]
        yield NO_TIES.union(*(key.bound for key in keys))


def _listed_columns(node: exp.Select, here: Joined | None) -> Iterator[tuple[str, Tied]]:
    for projection in node.expressions:
        inside = projection.unalias()
        if isinstance(inside, exp.Star) or (
            isinstance(inside, exp.Column) and isinstance(inside.this, exp.Star)
        ):
            if here is None:
                raise UnknownError(Hindrance.FORM, "* without FROM")
            yield from _expanded(inside, here)
        else:
            yield _name(projection).lower(), _projected(inside, here) if here else UNTIED


def _name(projection: exp.Expr) -> str:
    """Return the name of a column; UnknownError if it may be several columns, with the names of fields."""
    inside = projection.unalias()
    if isinstance(inside, exp.Explode | exp.Unnest) and not _is_list(inside):
        raise UnknownError(Hindrance.FORM, "unnest() of what may be a struct")
    inside = inside.unnest() if isinstance(inside, exp.Paren) else inside
    return projection.alias or (inside.name if isinstance(inside, exp.Column) else inside.sql("duckdb"))


def _is_list(node: exp.Expr) -> bool:
    """Return True if unnest() makes one column of its operand."""
    operands = list(node.iter_expressions())
    return len(operands) == 1 and isinstance(operands[0], exp.Array | exp.Split | exp.GenerateSeries)


def _projected(node: exp.Expr, here: Joined) -> Tied:
    seen = list(seen_by(node, here))
    return Tied(sees=frozenset.intersection(*seen)) if seen else tied_of(node, here)


def _expanded(node: exp.Expr, here: Joined) -> Iterator[tuple[str, Tied]]:
    star = node.this if isinstance(node, exp.Column) else node
    if any(star.args.get(clause) for clause in ("replace", "rename")):
        raise UnknownError(Hindrance.FORM, "* with REPLACE or RENAME")
    if any(one.args.get("table") for one in star.args.get("except_") or ()):
        raise UnknownError(Hindrance.FORM, "* with EXCLUDE of a column of one table")
    left_out = {one.name.lower() for one in star.args.get("except_") or star.args.get("except") or ()}
    tables = [node.table.lower()] if isinstance(node, exp.Column) else list(here.names)
    for table in tables:
        for name, tied in here.names[table].items():
            if name not in left_out:
                yield name, tied
