"""The allow-list of aggregates and window functions."""

from sqlglot import exp

from genredb.spark.allowed import Allowed, Why, as_double, cast, comparable, only, parts, spark
from genredb.spark.types import NUMBERS, Family, family

_PLAIN = (Family.INTEGER, Family.DOUBLE, Family.TEXT, Family.BOOLEAN, Family.DATE)


def _grouped(*aggregates: str) -> tuple[str, ...]:
    return tuple(f"select yes, {one} as x from nasty.scalars group by yes" for one in aggregates)


def _whole(*aggregates: str) -> tuple[str, ...]:
    return tuple(f"select {one} as x from nasty.scalars where id > 0" for one in aggregates)


def _of_finite(*aggregates: str) -> tuple[str, ...]:
    """Probe over finite numbers: DuckDB reports an infinite result of these as an error."""
    groups = tuple(f"select g, {one} as x from nasty.numbers group by g" for one in aggregates)
    return (*groups, *(f"select {one} as x from nasty.numbers where g > 100" for one in aggregates))


def _number(node: exp.Expr) -> Why:
    return None if family(node.this) in (Family.INTEGER, Family.DOUBLE) else f"of type {family(node.this)}"


def _of_plain(node: exp.Expr) -> Why:
    return None if family(node.this) in _PLAIN else f"of type {family(node.this)}"


def _refuse_count(node: exp.Expr) -> Why:
    found = node.this
    if found is None:
        return "without an argument; write count(*)"
    if isinstance(found, exp.Column) and isinstance(found.this, exp.Star):
        return "of a relation; write count(*)"
    if isinstance(found, exp.Distinct):
        return "(distinct) of several columns" if len(found.expressions) > 1 else None
    return None


def _orders(node: exp.Expr) -> list[exp.Expr]:
    """Return what an arg_max() or arg_min() compares."""
    found = node.expression
    return list(found.expressions) if isinstance(found, exp.Tuple) else [found]


def _refuse_arg_best(node: exp.Expr) -> Why:
    other = next((one for one in _orders(node) if family(one) not in _PLAIN), None)
    return _refuse_around(node) if other is None else f"by type {family(other)}"


def _refuse_tuple(node: exp.Expr) -> Why:
    return None if isinstance(node.parent, exp.ArgMax | exp.ArgMin) else "outside arg_max() and arg_min()"


def _arg_best(node: exp.Expr) -> exp.Expr:
    """DuckDB leaves out rows without an argument; the engines order NULLs in tuples differently."""
    orders = _orders(node)
    loud = [_never_null(one) for one in orders] if len(orders) > 1 else orders
    order = spark("struct", *loud) if len(orders) > 1 else loud[0]
    is_there = exp.Not(this=exp.Is(this=node.this.copy(), expression=exp.Null()))
    best = spark("max_by" if isinstance(node, exp.ArgMax) else "min_by", node.this, order)
    return exp.Filter(this=best, expression=exp.Where(this=is_there))


def _never_null(node: exp.Expr) -> exp.Expr:
    error = spark("raise_error", "a tuple that holds NULL orders differently on Spark")
    return exp.Coalesce(this=node, expressions=[error])


def _is_wide(node: exp.Expr) -> bool:
    """Return True for integers whose sum a double may round."""
    kind = node.type.this.name if node.type else ""
    return kind in ("BIGINT", "INT128")


def _refuse_avg(node: exp.Expr) -> Why:
    return _number(node) or (_refuse_around(node) if _is_wide(node.this) else None)


def _avg(node: exp.Expr) -> exp.Expr:
    """Average wide integers by their exact sum, as DuckDB does: a double would round large ones."""
    if not _is_wide(node.this):
        node.set("this", as_double(node.this))
        return node
    total = cast(exp.Sum(this=cast(node.this, "decimal(38, 0)")), "double")
    return exp.Paren(this=exp.Div(this=total, expression=exp.Count(this=node.this.copy())))


def _refuse_around(node: exp.Expr) -> Why:
    """Return why an aggregate that becomes several on Spark cannot stand here."""
    if isinstance(node.parent, exp.Filter):
        return "with FILTER"
    return "with OVER" if isinstance(node.parent, exp.Window) else None


def _corr(node: exp.Expr) -> exp.Expr:
    """DuckDB's is NaN where a column does not vary, Spark's is NULL; both are NULL without rows."""
    pair = (node.this, node.expression)
    is_there = exp.GT(
        this=spark("regr_count", *(one.copy() for one in pair)), expression=exp.Literal.number(0)
    )
    found = exp.Coalesce(this=spark("corr", *pair), expressions=[spark("double", "NaN")])
    return spark("if", is_there, found, exp.Null())


def _refuse_list(node: exp.Expr) -> Why:
    if not isinstance(node.this, exp.Order):
        return "without `order by` inside: its order would be chance"
    other = next((why for one in node.this.expressions if (why := comparable(one.this))), None)
    return _refuse_around(node) if other is None else f"ordered {other}"


def _refuse_median(node: exp.Expr) -> Why:
    return "with OVER" if isinstance(node.parent, exp.Window) else _number(node)


def _refuse_corr(node: exp.Expr) -> Why:
    return only(*NUMBERS)(node) or _refuse_around(node)


def _list(node: exp.Expr) -> exp.Expr:
    """Collect structs of the keys and the value, sort them by the keys, and take the values."""
    keys = [one.this for one in node.this.expressions]
    fields = [one for number, key in enumerate(keys) for one in (f"k{number}", key)]
    collected = spark("collect_list", spark("named_struct", *fields, "x", node.this.this))
    names = [exp.to_identifier("l"), exp.to_identifier("r")]
    order = exp.Lambda(this=_comparison(node.this.expressions), expressions=names)
    taken = exp.Lambda(this=exp.column("x", "l"), expressions=[exp.to_identifier("l")])
    found = spark("transform", spark("array_sort", collected, order), taken)
    is_empty = exp.EQ(this=spark("count", exp.Star()), expression=exp.Literal.number(0))
    return spark("if", is_empty, exp.Null(), found)  # without rows, Spark's is an empty list


def _comparison(orders: list[exp.Expr]) -> exp.Expr:
    """Return SQL for -1, 0 or 1, as `order by` would compare the structs l and r."""
    case = exp.Case()
    for number, order in enumerate(orders):
        left, right = (exp.column(f"k{number}", side) for side in ("l", "r"))
        first, last = (exp.Literal.number(one) for one in ("-1", "1"))
        null_first = bool(order.args.get("nulls_first"))
        ascending = not order.args.get("desc")
        is_null = [exp.Is(this=one.copy(), expression=exp.Null()) for one in (left, right)]
        only_left = exp.and_(is_null[0], exp.not_(is_null[1]))
        only_right = exp.and_(is_null[1].copy(), exp.not_(is_null[0].copy()))
        case = case.when(only_left, first.copy() if null_first else last.copy())
        case = case.when(only_right, last.copy() if null_first else first.copy())
        case = case.when(exp.LT(this=left, expression=right), first if ascending else last)
        case = case.when(exp.GT(this=left.copy(), expression=right.copy()), last if ascending else first)
    return case.else_(exp.Literal.number(0))


AGGREGATES = (
    Allowed(
        exp.Count,
        (*_grouped("count(*)", "count(t)", "count(distinct t)", "count(distinct d)"), *_whole("count(i)")),
        parts("big_int"),
        _refuse_count,
    ),
    Allowed(
        exp.Min, (*_grouped("min(i)", "min(d)", "min(t)", "min(day)"), *_whole("min(t)")), refuses=_of_plain
    ),
    Allowed(
        exp.Max, (*_grouped("max(i)", "max(d)", "max(t)", "max(day)"), *_whole("max(d)")), refuses=_of_plain
    ),
    Allowed(
        exp.Sum,
        (*_grouped("sum(i)", "sum(small)", "sum(i::hugeint)"), *_of_finite("sum(v)", "sum(g)")),
        refuses=_number,
    ),
    Allowed(
        exp.Avg,
        (
            *_grouped("avg(i)", "avg(b)", "avg(i::hugeint)"),
            "select avg(n) as x from (select 9007199254740993 as n union all select -9007199254740992)",
            *_of_finite("avg(v)", "avg(g)", "avg(g::hugeint)"),
        ),
        refuses=_refuse_avg,
        translate=_avg,
    ),
    Allowed(
        exp.StddevSamp,
        _of_finite("stddev_samp(v)", "stddev_samp(g)", "stddev_samp(g::hugeint)"),
        refuses=_number,
    ),
    Allowed(
        exp.StddevPop, _of_finite("stddev_pop(v)", "stddev_pop(g)", "stddev_pop(g::hugeint)"), refuses=_number
    ),
    Allowed(
        exp.Corr,
        _of_finite("corr(v, w)", "corr(g, v)", "corr(v, v)", "corr(g::hugeint, v)"),
        parts("null_on_zero_variance"),
        _refuse_corr,
        _corr,
    ),
    Allowed(exp.Median, _of_finite("median(v)", "median(g)", "median(g::hugeint)"), refuses=_refuse_median),
    Allowed(
        exp.ArgMax,
        (*_grouped("arg_max(t, id)", "arg_max(id, (small, id))"), *_whole("arg_max(t, id)")),
        refuses=_refuse_arg_best,
        translate=_arg_best,
    ),
    Allowed(
        exp.ArgMin,
        (*_grouped("arg_min(t, id)", "arg_min(id, (small, id))"), *_whole("arg_min(t, id)")),
        refuses=_refuse_arg_best,
        translate=_arg_best,
    ),
    Allowed(exp.Tuple, _grouped("arg_max(id, (small, id))"), refuses=_refuse_tuple),
    Allowed(
        exp.ArrayAgg,
        (
            *_grouped(
                "list(t order by id desc)",
                "list(id order by t desc, id asc)",
                "list(id order by d, id desc)",
                "list(id order by day desc nulls first, id)",
            ),
            "select list(t order by id) as x from nasty.scalars where id < 0",
        ),
        refuses=_refuse_list,
        translate=_list,
    ),
    Allowed(
        exp.RowNumber,
        ("select id, row_number() over (partition by yes order by t desc, id) as n from nasty.scalars",),
    ),
    Allowed(
        exp.FirstValue,
        ("select id, first_value(t) over (partition by yes order by id desc) as x from nasty.scalars",),
    ),
)
