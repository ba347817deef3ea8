"""Compares the rows of two Arrow tables: the same types, the same values, in any order."""

import math
from typing import Any

import pyarrow as pa

CLOSE = 1e-12


def assert_same(duck: pa.Table, spark: pa.Table) -> None:
    """Fail with the first rows that differ; doubles are compared within 1e-12, zeros whatever their sign."""
    assert duck.column_names == spark.column_names
    assert [_plain(field.type) for field in duck.schema] == [_plain(field.type) for field in spark.schema]
    rows = [
        sorted(map(_key, zip(*(c.to_pylist() for c in t.columns), strict=True)), key=repr)
        for t in (duck, spark)
    ]
    assert len(rows[0]) == len(rows[1]), (rows[0][:5], rows[1][:5])
    unlike = [pair for pair in zip(*rows, strict=True) if not _same(*pair)]
    assert not unlike, (len(unlike), unlike[:8])


def _plain(kind: pa.DataType) -> str:
    """Return a type's name without what Arrow alone tells apart: the names and nullability of list items."""
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return f"list<{_plain(kind.value_type)}>"
    if pa.types.is_struct(kind):
        return f"struct<{', '.join(f'{kind.field(i).name}: {_plain(kind.field(i).type)}' for i in range(kind.num_fields))}>"
    return str(kind).removeprefix("large_")


def _key(value: Any) -> Any:
    """Return a value that sorts alike on both sides: doubles rounded only where they are compared."""
    if isinstance(value, float):
        return value + 0.0 if value else 0.0
    if isinstance(value, tuple | list):
        return tuple(map(_key, value))
    return tuple((name, _key(one)) for name, one in value.items()) if isinstance(value, dict) else value


def _same(left: Any, right: Any) -> bool:
    if isinstance(left, tuple) and isinstance(right, tuple):
        return len(left) == len(right) and all(map(_same, left, right))
    if isinstance(left, float) and isinstance(right, float):
        return (math.isnan(left) and math.isnan(right)) or math.isclose(
            left, right, rel_tol=CLOSE, abs_tol=CLOSE
        )
    return bool(left == right)
