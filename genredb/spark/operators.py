"""The allow-list of operators, conditions and literals."""

import math

from sqlglot import exp

from genredb.spark.allowed import (
    MOST_DIGITS,
    MOST_PLACES,
    Allowed,
    Why,
    as_double,
    comparable,
    condition,
    constant,
    only,
    operands,
    parts,
)
from genredb.spark.types import Family, family


def _select(sql: str) -> str:
    return f"select id, {sql} as x from nasty.scalars"


def _compared(symbol: str) -> tuple[str, ...]:
    sides = (
        "i {} 0",
        "i {} b",
        "d {} 1.5::double",
        "d {} i",
        "b::hugeint {} d",
        "t {} 'b'",
        "day {} date '2024-02-29'",
        "yes {} true",
    )
    return tuple(_select(side.format(symbol)) for side in sides)


def _refuse_literal(node: exp.Expr) -> Why:
    text = node.name.lower()
    if node.args["is_string"]:
        return None
    if "e" in text:
        return "that no double holds" if math.isinf(float(text)) else None
    whole, _, fraction = text.partition(".")
    if len(fraction) > MOST_PLACES:
        return f"of more than {MOST_PLACES} decimal places"
    return f"of more than {MOST_DIGITS} digits" if len(whole) + len(fraction) > MOST_DIGITS else None


def _refuse_comparison(node: exp.Expr) -> Why:
    return comparable(*operands(node))


def _refuse_arithmetic(node: exp.Expr) -> Why:
    """Return why the result would be of another type: of two decimals, each engine makes its own."""
    found = {family(one) for one in operands(node)} - {Family.NULL}
    if found <= {Family.INTEGER} or (
        Family.DOUBLE in found and found <= {Family.INTEGER, Family.DECIMAL, Family.DOUBLE}
    ):
        return None
    return f"between types {', '.join(sorted(found))}"


def _div(node: exp.Expr) -> exp.Expr:
    for part in ("this", "expression"):
        node.set(part, as_double(node.args[part]))
    return node


def _outside(node: exp.Expr, *kinds: type[exp.Expr]) -> exp.Expr:
    """Return the outermost of the expressions of these kinds around this one, or itself."""
    while isinstance(node.parent, kinds):
        node = node.parent
    return node


def _is_of_where(node: exp.Expr) -> bool:
    """Return True for a condition of WHERE or its opposite: elsewhere, Spark's is never NULL."""
    node = _outside(node, exp.Paren)
    node = node.parent if isinstance(node.parent, exp.Not) else node
    where = _outside(node, exp.Paren, exp.And).parent
    return isinstance(where, exp.Where) and isinstance(where.parent, exp.Select)


def _refuse_in(node: exp.Expr) -> Why:
    query = node.args.get("query")
    if query is not None and not _is_of_where(node):
        return "a query that is not a condition of WHERE by itself"
    selected = query.this.selects if query is not None else node.expressions
    found = (comparable(node.this, one) for one in selected)
    return next((why for why in found if why), None)


def _refuse_between(node: exp.Expr) -> Why:
    return comparable(node.this, node.args["low"], node.args["high"])


def _refuse_results(node: exp.Expr) -> Why:
    """Return why the possible results have no common type on both engines."""
    if isinstance(node, exp.Case):
        found = [*(one.args["true"] for one in node.args["ifs"]), node.args.get("default")]
        if node.this is not None:
            return "with a value after CASE; write conditions"
    else:
        found = operands(node)
    families = {family(one) for one in found if one is not None} - {Family.NULL}
    is_nested = families <= {Family.LIST} or families <= {Family.STRUCT}
    return None if is_nested else comparable(*found)


def _refuse_if(node: exp.Expr) -> Why:
    results = () if isinstance(node.parent, exp.Case) else (node.args["true"], node.args.get("false"))
    return condition(node.this) or (comparable(*results) if results else None)


def _refuse_like(node: exp.Expr) -> Why:
    pattern = constant(node.expression)
    if pattern is None or "\\" in pattern:
        return "with a pattern that is not a constant without backslashes"
    return only(Family.TEXT)(node)


OPERATORS = (
    Allowed(
        exp.Literal,
        (
            _select("'it''s \\n \"x\" ☃😀'"),
            _select("7"),
            _select("1e3"),
            _select("d * 0.25"),
            _select("'${env:HOME} ${spark.app.name}'"),
        ),
        parts("is_string"),
        _refuse_literal,
    ),
    Allowed(exp.Null, (_select("cast(null as varchar)"),)),
    Allowed(exp.Boolean, (_select("true"),)),
    Allowed(exp.Paren, (_select("(small + 1) * 2 > 4"),)),
    *(
        Allowed(kind, _compared(symbol), refuses=_refuse_comparison)
        for kind, symbol in (
            (exp.EQ, "="),
            (exp.NEQ, "<>"),
            (exp.LT, "<"),
            (exp.LTE, "<="),
            (exp.GT, ">"),
            (exp.GTE, ">="),
            (exp.NullSafeEQ, "is not distinct from"),
            (exp.NullSafeNEQ, "is distinct from"),
        )
    ),
    Allowed(exp.And, (_select("i > 0 and t = ''"),), refuses=only(Family.BOOLEAN)),
    Allowed(exp.Or, (_select("i > 0 or t = ''"),), refuses=only(Family.BOOLEAN)),
    Allowed(exp.Not, (_select("not yes"), _select("t is not null")), refuses=only(Family.BOOLEAN)),
    Allowed(exp.Is, (_select("t is null"), _select("d is null"))),
    Allowed(
        exp.In,
        (
            _select("t in ('', 'b')"),
            _select("i in (0, 1, null)"),
            "select id from nasty.scalars where i in (select k from nasty.pairs)",
            "select id from nasty.scalars where t not in (select v from nasty.pairs where v is not null)",
            "select id from nasty.scalars where t not in (select v from nasty.pairs where k > 0) and id > 3",
            "select id from nasty.scalars where not (i in (select k from nasty.pairs))",
        ),
        parts("query"),
        _refuse_in,
    ),
    Allowed(
        exp.Between,
        (_select("i between -1 and 1"), _select("d between -1 and 1")),
        parts("low high"),
        _refuse_between,
    ),
    Allowed(
        exp.Like,
        (_select("t like '%b%'"), _select("t like '_'"), _select("t like 'a%'")),
        refuses=_refuse_like,
    ),
    Allowed(
        exp.Add,
        (_select("small + 1"), _select("d + 1"), _select("d + i"), _select("b::double + 0.5")),
        refuses=_refuse_arithmetic,
    ),
    Allowed(exp.Sub, (_select("small - 1"), _select("d - 1"), _select("1 - d")), refuses=_refuse_arithmetic),
    Allowed(
        exp.Mul, (_select("small * 2"), _select("d * 2"), _select("100 * d")), refuses=_refuse_arithmetic
    ),
    Allowed(exp.Neg, (_select("-small"), _select("-d")), refuses=only(Family.INTEGER, Family.DOUBLE)),
    Allowed(
        exp.Div,
        (
            _select("i / 4"),
            _select("d / 3"),
            _select("b / 7.0::double"),
            _select("b::hugeint / 3"),
            _select("(b::hugeint / 3)::double"),
            _select("7 / (1 + small * small)::hugeint"),
            _select("round(b::hugeint / 3 * 1e8)"),
            "select id from nasty.scalars where small::hugeint / 3 > 0.3333333e0",
            "select id, sum(small::hugeint) over (order by id) / 7 as x from nasty.scalars",
            "select yes, max(i::hugeint) / 7 as x from nasty.scalars group by yes",
        ),
        parts("typed safe"),
        _refuse_arithmetic,
        _div,
    ),
    Allowed(
        exp.DPipe,
        (_select("t || 'x'"), _select("t || ':' || i"), _select("'a' || b || cast(null as varchar)")),
        parts("safe"),
        only(Family.TEXT, Family.INTEGER),
    ),
    Allowed(
        exp.Case,
        (
            _select("case when i > 0 then 'a' when t = '' then 'b' end"),
            _select("case when yes then d else 0 end"),
        ),
        parts("ifs default"),
        _refuse_results,
    ),
    Allowed(
        exp.If,
        (_select("case when i > 0 then i end"), _select("if(yes, i, 0)")),
        parts("true false"),
        _refuse_if,
    ),
    Allowed(
        exp.Coalesce,
        (_select("coalesce(t, 'none')"), _select("coalesce(d, 0)"), _select("coalesce(i, b)")),
        refuses=_refuse_results,
    ),
    Allowed(exp.Nullif, (_select("nullif(t, '')"), _select("nullif(d, 0)")), refuses=_refuse_comparison),
    Allowed(
        exp.Least,
        (_select("least(i, 5)"), _select("least(d, 1.5::double)"), _select("least(d, null)")),
        parts("ignore_nulls"),
        _refuse_results,
    ),
    Allowed(
        exp.Greatest,
        (_select("greatest(i, 5)"), _select("greatest(d, 1.5::double)")),
        parts("ignore_nulls"),
        _refuse_results,
    ),
)
