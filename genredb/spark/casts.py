"""The allow-list of casts."""

import datetime
import re

from sqlglot import exp

from genredb.spark.allowed import Allowed, Why, cast, constant, parts
from genredb.spark.types import Family, family, family_of

_INTEGERS = frozenset(("TINYINT", "SMALLINT", "INT", "BIGINT"))
_WIDEST = frozenset(("INT128",))
_ROUNDING = (exp.Round, exp.Floor, exp.Ceil)
_DAY = re.compile(r"(\d{4})-(\d\d?)-(\d\d?)", re.ASCII)


def _select(sql: str) -> str:
    return f"select id, {sql} as x from nasty.scalars"


def _refuse_cast(node: exp.Expr) -> Why:
    """Return why a cast may give another value, or an error on one engine only."""
    to, of = node.args["to"], family(node.this)
    kind = to.this.name
    is_identity = of == family_of(to) and of in (Family.TEXT, Family.DOUBLE, Family.BOOLEAN, Family.DATE)
    is_widening = of in (Family.INTEGER, Family.DECIMAL) and kind == "DOUBLE"
    is_rounded = kind in _INTEGERS and isinstance(node.this, _ROUNDING)
    is_integral = is_rounded or (kind in _INTEGERS | _WIDEST and of == Family.INTEGER)
    is_read = kind in _INTEGERS and of == Family.TEXT
    is_written = of in (Family.INTEGER, Family.TEXT) and family_of(to) == Family.TEXT
    is_typed_null = of == Family.NULL or isinstance(node.this, exp.Null)
    is_day = kind == "DATE" and _is_day(constant(node.this))
    if is_identity or is_widening or is_integral or is_read or is_written or is_typed_null or is_day:
        return None
    return f"of type {of} to {to.sql('duckdb')}"


def _is_day(text: str | None) -> bool:
    """Return True for a day that exists; Spark reads more, such as '2024', '2024-01-01 junk' and 'today'."""
    found = _DAY.fullmatch(text or "")
    try:
        return found is not None and bool(datetime.date(*map(int, found.groups())))
    except ValueError:
        return False


def _rewrite_cast(node: exp.Expr) -> exp.Expr:
    if node.args["to"].this.name == "INT128":
        return cast(node.this, "decimal(38, 0)")
    return node


CASTS = (
    Allowed(
        exp.Cast,
        (
            _select("i::bigint"),
            _select("small::integer"),
            _select("i::double"),
            _select("b::double"),
            _select("i::varchar"),
            _select("b::hugeint"),
            _select("cast(null as integer)"),
            _select("d::double"),
            _select("round(small / 4)::integer"),
            _select("date '2024-02-29'"),
            _select("'2024-2-9'::date"),
            "select k, digits::integer as x from nasty.pairs",
        ),
        parts("to"),
        _refuse_cast,
        _rewrite_cast,
    ),
    Allowed(exp.DataType, (_select("i::bigint"),), parts("nested")),
)
