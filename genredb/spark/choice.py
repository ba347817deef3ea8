"""Which engine runs a command."""

from typing import TYPE_CHECKING

from genredb.runner.execution.engine import DUCKDB, Engine

if TYPE_CHECKING:
    from genredb.runner.project.config import Config


def engine_of(config: "Config") -> Engine:
    """Return the engine that the configuration names."""
    if config.settings.engine == DUCKDB.name:
        return DUCKDB
    from genredb.spark.engine import SparkEngine  # noqa: PLC0415 - brings sqlglot

    return SparkEngine(config)
