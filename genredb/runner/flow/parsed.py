"""Parses the queries whose changed rows may be derived, and refuses what no derivation can read."""

import functools
from collections.abc import Iterable

import sqlglot
from sqlglot import exp

from genredb.runner.flow.hindrance import Hindrance, UnknownError

# Functions whose result depends on the order in which they see rows, unless they state one.
_ORDERED = frozenset(
    "first last any_value arbitrary list array_agg string_agg group_concat listagg mode"
    " json_group_array json_group_object approx_quantile approx_top_k reservoir_quantile"
    " row_number ntile first_value last_value nth_value lag lead".split()
)


@functools.lru_cache(maxsize=64)
def parsed(sql: str, macros: frozenset[str]) -> exp.Expr:
    """Parse a query; that of a view is read by many. UnknownError if it calls what depends on order."""
    node = sqlglot.parse_one(sql, read="duckdb")
    refuse_rowid(column.name.lower() for column in node.find_all(exp.Column))
    if node.find(exp.Columns) or not all(_is_plain(star) for star in node.find_all(exp.Star)):
        raise UnknownError(Hindrance.FORM, "COLUMNS, or * in an expression")
    if node.find(exp.PositionalColumn):
        raise UnknownError(Hindrance.FORM, "a column by its position")
    if any(one.args.get("spec") and not one.args.get("order") for one in node.find_all(exp.Window)):
        raise UnknownError(Hindrance.ORDER, "a window frame")
    for call in node.find_all(exp.Func):
        name = (call.name if isinstance(call, exp.Anonymous) else call.sql_name()).lower()
        if name in macros:
            raise UnknownError(Hindrance.CALLS, name)
        window = call.find_ancestor(exp.Window)
        function = window.this if window else None
        if isinstance(function, exp.IgnoreNulls | exp.RespectNulls | exp.Filter):
            function = function.this
        whole = window if window and function is call else call
        if name in _ORDERED and whole.find(exp.Order) is None:
            raise UnknownError(Hindrance.ORDER, name)
    return node


def _is_plain(star: exp.Star) -> bool:
    """Return True for ``*``, ``t.*`` and ``count(*)``: whatever else holds a star reads columns unnamed."""
    around = star.parent.parent if isinstance(star.parent, exp.Column) else star.parent
    return isinstance(around, exp.Select) or (isinstance(around, exp.Count) and around is star.parent)


def refuse_rowid(columns: Iterable[str]) -> None:
    """Raise UnknownError if a column hides the number by which DuckDB finds a row, or is that number."""
    if "rowid" in columns:
        raise UnknownError(Hindrance.FORM, "rowid")
