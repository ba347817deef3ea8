"""The contents of a database, and of one that is built from the same files anew."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import duckdb

from genredb.runner.project.config import Config
from tests.verbs import build


def built_anew(config: Config) -> Config:
    """Build the project in a database of its own; return its configuration."""
    fresh = replace(config, database=config.database.with_name("fresh.duckdb"))
    for path in (fresh.database, fresh.failed_build):
        path.unlink(missing_ok=True)
    assert build(fresh).exit_code == 0
    return fresh


class _Close(float):
    """A number and its neighbours are equal: a sum's last digits depend on the order of its rows."""

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, float):
            return NotImplemented
        both_are_no_numbers = math.isnan(self) and math.isnan(other)
        return both_are_no_numbers or math.isclose(self, other, rel_tol=1e-11, abs_tol=1e-12)


def contents(config: Config, schemas: Sequence[str]) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every relation of these schemas, in an order that no sum decides."""
    with duckdb.connect(str(config.database), read_only=True) as connection:
        named = connection.execute(
            "select table_schema, table_name from information_schema.tables"
            " where list_contains(?, table_schema) order by all",
            [schemas],
        ).fetchall()
        return {
            f"{schema}.{name}": sorted(
                map(_comparable, connection.execute(f'from "{schema}"."{name}"').fetchall()),
                key=_order,
            )
            for schema, name in named
        }


def _comparable(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(_Close(value) if isinstance(value, float) else value for value in row)


def _order(row: tuple[Any, ...]) -> tuple[str, list[float]]:
    """What is no float first: rows that differ by floats alone are few, and far apart."""
    floats = [value for value in row if isinstance(value, float)]
    return repr([value for value in row if not isinstance(value, float)]), floats
