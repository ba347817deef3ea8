"""The types of expressions, as far as an allow-list needs them."""

from collections.abc import Mapping
from enum import StrEnum, auto
from typing import Any

from sqlglot import exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.annotate_types import TypeAnnotator, annotate_types

Schema = Mapping[str, Mapping[str, Mapping[str, str]]]
"""Schemas by name, their relations, and the DuckDB types of their columns."""


class Family(StrEnum):
    """What operators tell apart. Types of no family (times, blobs, narrow floats …) are not allowed."""

    INTEGER = auto()
    DECIMAL = auto()
    DOUBLE = auto()
    TEXT = auto()
    BOOLEAN = auto()
    DATE = auto()
    LIST = auto()
    STRUCT = auto()
    NULL = auto()
    UNKNOWN = auto()


_OF_SPARK = frozenset(
    "TINYINT SMALLINT INT BIGINT INT128 FLOAT DOUBLE DECIMAL TEXT VARCHAR BOOLEAN DATE"
    " TIMESTAMP TIMESTAMPNTZ TIMESTAMPTZ VARBINARY ARRAY LIST STRUCT".split()
)
NUMBERS = frozenset((Family.INTEGER, Family.DECIMAL, Family.DOUBLE))
_FAMILIES: Mapping[str, Family] = {
    "TINYINT": Family.INTEGER,
    "SMALLINT": Family.INTEGER,
    "INT": Family.INTEGER,
    "BIGINT": Family.INTEGER,
    "INT128": Family.INTEGER,
    "DECIMAL": Family.DECIMAL,
    "DOUBLE": Family.DOUBLE,
    "TEXT": Family.TEXT,
    "VARCHAR": Family.TEXT,
    "BOOLEAN": Family.BOOLEAN,
    "DATE": Family.DATE,
    "ARRAY": Family.LIST,
    "LIST": Family.LIST,
    "STRUCT": Family.STRUCT,
    "NULL": Family.NULL,
}

# What sqlglot does not know of DuckDB's functions.
_RETURNS: Mapping[type[exp.Expr], str] = {
    exp.ArraySize: "BIGINT",
    exp.ArrayToString: "TEXT",
    exp.Corr: "DOUBLE",
    exp.Decode: "TEXT",
    exp.Div: "DOUBLE",
    exp.Format: "TEXT",
    exp.Left: "TEXT",
    exp.Median: "DOUBLE",
    exp.Pow: "DOUBLE",
    exp.RegexpExtract: "TEXT",
    exp.RegexpReplace: "TEXT",
    exp.Split: "ARRAY<TEXT>",
    exp.StrPosition: "BIGINT",
    exp.Translate: "TEXT",
    exp.Unicode: "INT",
}
# sqlglot brings the narrower integers and a hugeint together as the narrower.
_NARROWER = (exp.DType.TINYINT, exp.DType.SMALLINT, exp.DType.INT, exp.DType.BIGINT)
_COERCES_TO = {
    **TypeAnnotator.COERCES_TO,
    **{kind: {*TypeAnnotator.COERCES_TO[kind], exp.DType.INT128} for kind in _NARROWER},
    exp.DType.INT128: TypeAnnotator.COERCES_TO[exp.DType.BIGINT],
}
_AS_OPERAND = (exp.ArgMax, exp.ArgMin, exp.FirstValue, exp.Try)


def annotated(query: exp.Expr, schema: Schema) -> exp.Expr:
    """Return a qualified query with the types of its expressions."""
    known = Dialect.get_or_raise("duckdb").EXPRESSION_METADATA
    metadata: dict[Any, Any] = {
        **known,
        **{kind: {"returns": exp.DataType.build(to)} for kind, to in _RETURNS.items()},
        **{kind: {"annotator": _as_operand} for kind in _AS_OPERAND},
        exp.Transform: {"annotator": _transformed},
        exp.Literal: {"annotator": _literal},
        exp.Bracket: {"annotator": _bracket},
        exp.Sum: {"annotator": _sum},
    }
    return annotate_types(
        query,
        schema=dict(schema),
        expression_metadata=metadata,
        coerces_to=_COERCES_TO,
        dialect="duckdb",
    )


def family(node: exp.Expr | None) -> Family:
    """Return the family of an annotated expression's type."""
    if node is not None and isinstance(node.unalias(), exp.Null):
        return Family.NULL
    kind = _kind(node)
    return family_of(kind) if isinstance(kind, exp.DataType) else Family.UNKNOWN


def is_huge(node: exp.Expr | None) -> bool:
    """Return True for a hugeint, which is a decimal(38, 0) on Spark."""
    kind = _kind(node)
    return isinstance(kind, exp.DataType) and kind.this == exp.DType.INT128


def _kind(node: exp.Expr | None) -> exp.DataType | None:
    return _of_parameter(node) if isinstance(node, exp.Identifier) else node.type if node else None


def is_of_spark(duckdb_type: str) -> bool:
    """Return True if Spark has a DuckDB type, with all types in it."""
    try:
        parts = [*exp.DataType.build(duckdb_type, dialect="duckdb").find_all(exp.DataType)]
    except SqlglotError:  # such as TUPLE(INTEGER, INTEGER)
        return False
    return all(one.this.name in _OF_SPARK and not one.args.get("values") for one in parts)


def family_of(data_type: exp.DataType) -> Family:
    """Return the family of a type."""
    return _FAMILIES.get(data_type.this.name, Family.UNKNOWN)


def _literal(annotator: TypeAnnotator, node: exp.Expr) -> exp.Expr:
    """Type a literal as DuckDB does: a number with a point but no exponent is a decimal."""
    if node.args["is_string"]:
        kind = "TEXT"
    elif "e" in node.name.lower():
        kind = "DOUBLE"
    elif "." in node.name:
        kind = "DECIMAL"
    else:
        number = int(node.name)
        kind = "INT" if number < 2**31 else "BIGINT" if number < 2**63 else "INT128"
    annotator._set_type(node, exp.DataType.build(kind))
    return node


def _sum(annotator: TypeAnnotator, node: exp.Expr) -> exp.Expr:
    """Type a sum() as Spark does: of integers a bigint, where DuckDB has a hugeint, which fits after it."""
    kind = "DOUBLE" if family(node.this) == Family.DOUBLE else "INT128" if is_huge(node.this) else "BIGINT"
    annotator._set_type(node, exp.DataType.build(kind))
    return node


def _as_operand(annotator: TypeAnnotator, node: exp.Expr) -> exp.Expr:
    return annotator._annotate_by_args(node, "this")


def _transformed(annotator: TypeAnnotator, node: exp.Expr) -> exp.Expr:
    """Type a list_transform(): a list of what its lambda returns."""
    item = node.expression.this.type or exp.DataType.build("UNKNOWN")
    kind = exp.DataType(this=exp.DataType.Type.ARRAY, expressions=[item.copy()], nested=True)
    annotator._set_type(node, kind)
    return node


def _bracket(annotator: TypeAnnotator, node: exp.Bracket) -> exp.Expr:
    """Type a slice of a list: a list."""
    if isinstance(node.expressions[0], exp.Slice):
        return _as_operand(annotator, node)
    return annotator._annotate_bracket(node)


def _of_parameter(name: exp.Expr) -> exp.DataType | None:
    """Return the type of a lambda's parameter: that of the list's items."""
    inside = name.find_ancestor(exp.Lambda)
    names = [one.name for one in inside.expressions] if inside else []
    listed = inside.parent.this.type if inside and name.name in names[:1] and inside.parent else None
    return listed.expressions[0] if isinstance(listed, exp.DataType) and listed.expressions else None
