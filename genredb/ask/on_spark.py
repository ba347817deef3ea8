"""Asks Spark: a query runs there, and DuckDB reads its answer from the files that Spark writes."""

import contextlib
from collections.abc import Iterator, Mapping
from contextlib import closing

from genredb.errors import SqlError, UsageError
from genredb.runner.planning.built_with import built_with
from genredb.runner.project.config import Config
from genredb.spark.dialect import with_values
from genredb.spark.engine import SparkEngine
from genredb.warehouse.connection import Connection
from genredb.warehouse.database import open_empty, open_reader, spill_folder
from genredb.warehouse.duckdb_errors import place_in_query
from genredb.warehouse.user_sql import bind_query, read_query


@contextlib.contextmanager
def answered(
    config: Config, sql: str, parameters: Mapping[str, object], limit: int | None
) -> Iterator[tuple[Connection, str]]:
    """Run a query on the published snapshot; yield a connection and the SQL that reads the answer.

    The answer has at most one row more than ``limit``. UsageError if the query is invalid, as on DuckDB, or
    if Spark is not known to run it as DuckDB does.
    """
    with (
        open_reader(config.database, config.engine) as ledger,
        closing(SparkEngine(config)) as engine,
        closing(open_empty(spill_folder(config.database), config.engine)) as connection,
    ):
        built_with(config, ledger)
        executor = engine.executor(ledger)
        known = engine.known_relations()
        statement = read_query(known, sql)
        bind_query(known, statement, parameters)
        try:
            answer = executor.answer(with_values(statement, parameters), limit)
        except SqlError as error:
            at = error.offset if error.sql == statement else None
            raise UsageError(str(error), place=place_in_query(statement, at, 1)) from None
        yield connection, answer
