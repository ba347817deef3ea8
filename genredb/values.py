"""Takes values apart into what JSON has."""

import math
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from decimal import Decimal
from typing import Any


def json_value(value: Any) -> Any:
    """Return a value as what JSON has; NaN and infinity, which it lacks, as None, other things as text."""
    if is_dataclass(value) and not isinstance(value, type):
        return json_value(asdict(value))
    if isinstance(value, Mapping):
        return {str(name): json_value(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [json_value(item) for item in value]
    if isinstance(value, float | Decimal):
        number = (
            int(value) if isinstance(value, Decimal) and value == value.to_integral_value() else float(value)
        )
        return number if math.isfinite(number) else None
    return value if value is None or isinstance(value, bool | int | str) else str(value)
