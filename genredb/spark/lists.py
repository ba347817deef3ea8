"""The allow-list of lists, structs and what turns them into rows."""

import re

from sqlglot import exp

from genredb.spark.allowed import Allowed, Why, cast, constant, parts, spark
from genredb.spark.types import Family, family, family_of

_NAME = re.compile(r"[a-z_]\w*", re.ASCII | re.IGNORECASE)  # Spark's types have no others without quotes


def _select(sql: str) -> str:
    return f"select n, {sql} as x from nasty.texts"


def _refuse_split(node: exp.Expr) -> Why:
    separator = constant(node.expression)
    if separator is None or not separator.isascii():
        return "with a separator that is not an ASCII constant"
    return None if family(node.this) in (Family.TEXT, Family.NULL) else f"of type {family(node.this)}"


def _split(node: exp.Expr) -> exp.Expr:
    separator = constant(node.expression) or ""
    if not separator:
        nothing = cast(spark("array"), "array<string>")
        is_empty = exp.EQ(this=node.this.copy(), expression=exp.Literal.string(""))
        return spark("if", is_empty, nothing, spark("split", node.this, ""))
    quoted = "".join(one if one.isalnum() else f"\\{one}" for one in separator)
    return spark("split", node.this, quoted)


def _refuse_slice(node: exp.Expr) -> Why:
    found = node.expressions[0]
    if not isinstance(found, exp.Slice):
        return "with an index; write a slice"
    if family(node.this) != Family.LIST:
        return f"of type {family(node.this)}"
    is_first = isinstance(found.this, exp.Literal) and found.this.this == "1"
    return None if is_first and found.expression is not None else "that does not begin at 1 and end"


def _slice(node: exp.Expr) -> exp.Expr:
    end = node.expressions[0].expression
    length = end if isinstance(end, exp.Literal) else _length_to(cast(end, "int"), node.this)
    return spark("slice", node.this, exp.Literal.number(1), length)


def _length_to(end: exp.Expr, listed: exp.Expr) -> exp.Expr:
    """DuckDB counts a negative end from the end of the list; NULL gives NULL."""
    zero = exp.Literal.number(0)
    is_there = exp.GTE(this=end.copy(), expression=zero.copy())
    is_negative = exp.LT(this=end.copy(), expression=zero.copy())
    from_end = exp.Add(this=spark("array_size", listed.copy()), expression=end.copy()) + 1
    return exp.Case().when(is_there, end).when(is_negative, spark("greatest", from_end, zero))


def _refuse_range(node: exp.Expr) -> Why:
    if not node.args.get("is_end_exclusive"):
        return "with its end; use range()"
    ends = (node.args.get("start"), node.args.get("end"))
    return (
        None if all(family(one) == Family.INTEGER for one in ends) else "with one number, or not of integers"
    )


def _range(node: exp.Expr) -> exp.Expr:
    """Spark's sequence() includes its end, and counts down where that is below the start."""
    start, end = (cast(node.args[part], "bigint") for part in ("start", "end"))
    last = exp.Sub(this=end.copy(), expression=exp.Literal.number(1))
    nothing = cast(spark("array"), "array<bigint>")
    is_empty = exp.LTE(this=end, expression=start.copy())
    return spark("if", is_empty, nothing, spark("sequence", start, last))


def _refuse_array(node: exp.Expr) -> Why:
    texts = {family(one) for one in node.expressions} == {Family.TEXT}
    found = {one.type.sql() if one.type else "" for one in node.expressions}
    return None if texts or len(found) == 1 else "of different types"


def _struct(node: exp.Expr) -> exp.Expr:
    parts_of = [one for pair in node.expressions for one in (pair.this.name, pair.expression)]
    return spark("named_struct", *parts_of)


def _refuse_struct(node: exp.Expr) -> Why:
    if not all(isinstance(one, exp.PropertyEQ) for one in node.expressions):
        return "without names"
    odd = next((one.this.name for one in node.expressions if not _NAME.fullmatch(one.this.name)), None)
    return None if odd is None else f"with the name '{odd}'"


def _of_list(node: exp.Expr) -> Why:
    return None if family(node.this) == Family.LIST else f"of type {family(node.this)}"


def _refuse_unnest(node: exp.Expr) -> Why:
    if node.expressions:
        return "with options"
    outside = node.parent.parent if isinstance(node.parent, exp.Alias) else node.parent
    return _of_list(node) if isinstance(outside, exp.Select) else "within an expression"


def _join(node: exp.Expr) -> exp.Expr:
    """Join texts; of NULLs alone, DuckDB's result is NULL, Spark's is an empty text."""
    listed, zero = node.this, exp.Literal.number(0)
    is_empty = exp.EQ(this=spark("array_size", listed.copy()), expression=zero)
    has_text = exp.GT(this=spark("array_size", spark("array_compact", listed.copy())), expression=zero.copy())
    joined = spark("array_join", listed, node.expression)
    return spark("if", exp.Or(this=is_empty, expression=has_text), joined, exp.Null())


def _refuse_join(node: exp.Expr) -> Why:
    items = node.this.type.expressions if node.this.type else []
    if [family_of(one) for one in items] != [Family.TEXT]:
        return "of anything but a list of texts"
    return "with a separator that is not a constant" if constant(node.expression) is None else None


LISTS = (
    Allowed(
        exp.Split,
        (_select("string_split(t, ',')"), _select("string_split(t, '')"), _select("string_split(t, '. ')")),
        refuses=_refuse_split,
        translate=_split,
    ),
    Allowed(
        exp.ArrayToString,
        (
            _select("array_to_string(string_split(t, ','), '/')"),
            _select("array_to_string(string_split(t, ''), '')"),
            _select("array_to_string([t], ',')"),
        ),
        refuses=_refuse_join,
        translate=_join,
    ),
    Allowed(
        exp.Transform,
        (_select("list_transform(string_split(t, ','), lambda one: one || '!')"),),
        refuses=_of_list,
    ),
    Allowed(
        exp.Lambda,
        (_select("list_transform(string_split(t, ''), lambda c: unicode(c))"),),
        refuses=lambda node: "with an index" if len(node.expressions) > 1 else None,  # Spark counts from 0
    ),
    Allowed(
        exp.ArraySize,
        (_select("array_length(string_split(t, ','))"),),
        refuses=_of_list,
        translate=lambda node: cast(spark("array_size", node.this), "bigint"),
    ),
    Allowed(
        exp.Bracket,
        (
            _select("string_split(t, ',')[1:2]"),
            _select("string_split(t, ',')[1:0]"),
            _select("string_split(t, ',')[1:n]"),
            _select("string_split(t, ',')[1:-1]"),
            _select("string_split(t, ',')[1:-3]"),
            _select("string_split(t, ',')[1:2 - n]"),
            _select("string_split(t, ',')[1:n - 45]"),
            _select("string_split(t, ',')[1:length(nullif(t, 'a,b,,c'))]"),
            "select k, string_split('a,b,c', ',')[1:k] as x from nasty.pairs",
            "select n, ['a', 'b', 'c'][1:k] as x from nasty.nested, nasty.pairs",
        ),
        refuses=_refuse_slice,
        translate=_slice,
    ),
    Allowed(exp.Slice, (_select("string_split(t, ',')[1:2]"),)),
    Allowed(
        exp.GenerateSeries,
        ("select k, range(1, k) as x from nasty.pairs", "select k, range(k, 3) as x from nasty.pairs"),
        parts("start end is_end_exclusive"),
        _refuse_range,
        _range,
    ),
    Allowed(
        exp.Array,
        ("select k, [k, 2] as x from nasty.pairs", "select ['a', v] as x from nasty.pairs"),
        parts("bracket_notation"),
        _refuse_array,
    ),
    Allowed(
        exp.Struct,
        ("select {'k': k, 'v': v} as x from nasty.pairs",),
        refuses=_refuse_struct,
        translate=_struct,
    ),
    Allowed(exp.PropertyEQ, ("select {'k': k} as x from nasty.pairs",)),
    Allowed(
        exp.Explode,
        (
            "select n, unnest(string_split(t, ',')) as x from nasty.texts",
            "select n, unnest(items) as x from nasty.nested",
            "select unnest([{'a': k}]) as x from nasty.pairs",
        ),
        refuses=_refuse_unnest,
    ),
)
