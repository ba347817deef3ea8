"""The contents of a database, and of one that is built from the same files anew."""

from collections import Counter
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


def contents(config: Config, schemas: Sequence[str]) -> dict[str, Counter[str]]:
    """Every row of every relation of these schemas, with how often it is there."""
    with duckdb.connect(str(config.database), read_only=True) as connection:
        named = connection.execute(
            "select table_schema, table_name from information_schema.tables"
            " where list_contains(?, table_schema) order by all",
            [schemas],
        ).fetchall()
        return {
            f"{schema}.{name}": Counter(
                map(_shown, connection.execute(f'from "{schema}"."{name}"').fetchall())
            )
            for schema, name in named
        }


def _shown(row: tuple[Any, ...]) -> str:
    """A row as text; sums over rows in another order may differ in a number's last digits."""
    return repr([float(f"{value:.11e}") if isinstance(value, float) else value for value in row])
