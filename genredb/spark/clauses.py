"""The allow-list of clauses: selecting, joining, grouping, ordering, windows, sets."""

from sqlglot import exp

from genredb.spark.allowed import Allowed, Why, comparable, condition, parts
from genredb.spark.types import Family, family

_JOINS = frozenset(("", "INNER", "LEFT", "RIGHT", "FULL", "CROSS", "OUTER"))


def _refuse_join(node: exp.Expr) -> Why:
    named = [str(node.args.get(part) or "") for part in ("side", "kind", "method")]
    other = next((name for name in named if name.upper() not in _JOINS), None)
    return condition(node.args.get("on")) if other is None else f"of the kind {other}"


def _refuse_condition(node: exp.Expr) -> Why:
    return condition(node.this)


def _refuse_set(node: exp.Expr) -> Why:
    """Return why the columns of two queries cannot be brought together: their types differ in kind."""
    pairs = zip(node.this.selects, node.expression.selects, strict=False)
    return next((why for pair in pairs if (why := _refuse_pair(*pair))), None)


def _refuse_pair(left: exp.Expr, right: exp.Expr) -> Why:
    nested = {Family.LIST, Family.STRUCT}
    is_same = family(left) == family(right) and left.type == right.type
    return None if is_same and family(left) in nested else comparable(left, right)


def _refuse_select(node: exp.Expr) -> Why:
    """Return why rows of lists would differ: Spark unnests before windows, DuckDB after them."""
    selected = node.args["expressions"]
    lists = [one for one in selected if one.find(exp.Explode)]
    order = node.args.get("order")
    if lists and any(one.find(exp.Window) for one in (*selected, *([order] if order else []))):
        return "with a window beside unnest"
    return "with more than one unnest" if len(lists) > 1 else None


def _refuse_distinct(node: exp.Expr) -> Why:
    if node.args.get("on"):
        return "ON"
    counted = isinstance(node.parent, exp.Select | exp.Count)
    return None if counted else "values of an aggregate other than count()"


def _refuse_empty_keys(node: exp.Expr) -> Why:
    return (
        "by ()"
        if any(isinstance(key, exp.Tuple) and not key.expressions for key in node.expressions)
        else None
    )


def _refuse_window(node: exp.Expr) -> Why:
    if node.this.find(exp.Distinct):
        return "of distinct values"
    if isinstance(node.this, exp.Filter):
        return "of an aggregate with FILTER"
    is_ordered = bool(node.args.get("order")) or not isinstance(node.this, exp.RowNumber | exp.FirstValue)
    return None if is_ordered else "that numbers or picks rows without ORDER BY"


def _refuse_limit(node: exp.Expr) -> Why:
    count = node.expression
    return None if isinstance(count, exp.Literal) and count.is_int else "that is not a constant"


def _refuse_nested(node: exp.Expr) -> Why:
    """Return why rows may be ordered otherwise: NULLs in lists and structs come first on Spark only."""
    found = family(node.this)
    return f"by type {found}" if found in (Family.LIST, Family.STRUCT) else None


def _refuse_frame(node: exp.Expr) -> Why:
    if str(node.args.get("kind")).upper() != "ROWS":
        return "other than ROWS"
    ends = [one for part in ("start", "end") if isinstance(one := node.args.get(part), exp.Expr)]
    is_plain = all(isinstance(one, exp.Literal) and one.is_int for one in ends)
    return None if is_plain else "with an end that is not a constant from 0"


CLAUSES = (
    Allowed(
        exp.Select,
        ("select id, i from nasty.scalars where i > 0 order by i, id limit 3",),
        parts("from_ joins where group having order limit with_ distinct"),
        _refuse_select,
    ),
    Allowed(exp.From, ("select id from nasty.scalars",)),
    Allowed(exp.Subquery, ("select b.id from (select id from nasty.scalars) as b",), parts("alias")),
    Allowed(
        exp.Where,
        ("select id from nasty.scalars where d > 0", "select id from nasty.scalars where t = ''"),
        refuses=_refuse_condition,
    ),
    Allowed(
        exp.Group,
        (
            "select t, count(*) as n from nasty.scalars group by t",
            "select d, count(*) as n from nasty.scalars group by d",
            "select day, yes, count(*) as n from nasty.scalars group by all",
        ),
        parts("all"),
        _refuse_empty_keys,
    ),
    Allowed(
        exp.Having,
        ("select t from nasty.scalars group by t having count(*) > 1",),
        refuses=_refuse_condition,
    ),
    Allowed(
        exp.Order,
        (
            "select row_number() over (order by t, id) as n, id from nasty.scalars",
            "select row_number() over (order by t desc, id) as n, id from nasty.scalars",
            "select row_number() over (order by d, id) as n, id from nasty.scalars",
            "select row_number() over (order by d desc, id) as n, id from nasty.scalars",
            "select row_number() over (order by i desc nulls first, id) as n, id from nasty.scalars",
            "select row_number() over (order by day desc, yes, id) as n, id from nasty.scalars",
        ),
    ),
    Allowed(
        exp.Ordered,
        ("select id from nasty.scalars order by id desc limit 2",),
        parts("desc nulls_first"),
        _refuse_nested,
    ),
    Allowed(exp.Limit, ("select id from nasty.scalars order by id limit 2",), refuses=_refuse_limit),
    Allowed(exp.With, ("with a as (select id from nasty.scalars) select id from a",)),
    Allowed(
        exp.CTE,
        ("with a as (select id from nasty.scalars) select x.id from a as x",),
        parts("alias"),
        lambda node: "with a dot in its name" if "." in node.alias else None,  # Spark's relations have one
    ),
    Allowed(exp.TableAlias, ("select x.id from nasty.scalars as x",)),
    Allowed(exp.Table, ("select id from nasty.scalars",), parts("alias db")),
    Allowed(
        exp.Join,
        (
            "select a.id, b.k from nasty.scalars as a inner join nasty.pairs as b on a.i = b.k",
            "select a.id, b.k from nasty.scalars as a left join nasty.pairs as b on a.t = b.v",
            "select a.id, b.k from nasty.scalars as a full outer join nasty.pairs as b on a.d = b.w",
            "select a.id, b.k from nasty.scalars as a cross join nasty.pairs as b",
            "select * from nasty.pairs full join (select 7 as k, 'x' as z) as other using (k)",
        ),
        parts("side kind method on"),
        _refuse_join,
    ),
    Allowed(
        exp.Union,
        (
            "select t from nasty.scalars union select v from nasty.pairs",
            "select i, d from nasty.scalars union all select k, w from nasty.pairs",
            "select i as a, t as b from nasty.scalars union all by name"
            " select v as b, w as c from nasty.pairs",
        ),
        parts("distinct with_ order limit"),
        _refuse_set,
    ),
    Allowed(
        exp.Except,
        (
            "select t from nasty.scalars except all select v from nasty.pairs",
            "select d from nasty.scalars except select w from nasty.pairs",
        ),
        parts("distinct with_ order limit"),
        _refuse_set,
    ),
    Allowed(
        exp.Distinct,
        ("select distinct t, d from nasty.scalars", "select count(distinct d) as n from nasty.scalars"),
        parts("on"),
        _refuse_distinct,
    ),
    Allowed(
        exp.Window,
        (
            "select id, row_number() over (partition by t order by id) as n from nasty.scalars",
            "select id, sum(small) over (partition by yes order by id) as n from nasty.scalars",
            "select id, count(*) over () as n from nasty.scalars",
        ),
        parts("partition_by order spec over"),
        _refuse_window,
    ),
    Allowed(
        exp.WindowSpec,
        (
            "select id, max(i) over (order by id rows between 1 preceding and current row) as n"
            " from nasty.scalars",
        ),
        parts("kind start start_side end end_side"),
        _refuse_frame,
    ),
    Allowed(exp.Filter, ("select count(*) filter (where t is null) as n from nasty.scalars",)),
    Allowed(exp.Exists, ("select id from nasty.scalars where exists (select 1 from nasty.pairs)",)),
    Allowed(exp.Alias, ("select id as other from nasty.scalars",), parts("alias")),
    Allowed(exp.Column, ("select scalars.id from nasty.scalars",), parts("table")),
    Allowed(exp.Dot, ("select p.pair.name from nasty.nested as p",)),
    Allowed(exp.Identifier, ('select id as "An Id" from nasty.scalars',), parts("quoted")),
    Allowed(exp.Star, ("select * from nasty.pairs", "select count(*) as n from nasty.pairs")),
)
