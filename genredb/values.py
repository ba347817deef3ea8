"""Converts values to JSON."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from decimal import Decimal
from typing import Any


def json_text(value: Any, indent: int | None = None) -> str:
    """Return a value as JSON text; the keys of a dataclass are in the order of its fields."""
    return json.dumps(_json_value(value), indent=indent, ensure_ascii=False, allow_nan=False)


def _json_value(value: Any) -> Any:
    """Return a value of JSON's types: NaN and infinity become None, unknown types text."""
    if is_dataclass(value) and not isinstance(value, type):
        return _json_value(asdict(value))
    if isinstance(value, Mapping):
        return {str(name): _json_value(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_json_value(item) for item in value]
    if isinstance(value, float | Decimal):
        number = (
            int(value) if isinstance(value, Decimal) and value == value.to_integral_value() else float(value)
        )
        return number if math.isfinite(number) else None
    return value if value is None or isinstance(value, bool | int | str) else str(value)
