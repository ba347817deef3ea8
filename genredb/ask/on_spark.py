"""Asks Spark: a query runs there, and DuckDB reads its answer from the files that Spark writes."""

import contextlib
from collections.abc import Iterator, Mapping
from contextlib import closing

from genredb.errors import ProjectError, SqlError, UsageError
from genredb.runner.planning.built_with import built_with, no_database
from genredb.runner.project.config import Config
from genredb.spark.dialect import with_values
from genredb.spark.engine import SparkEngine
from genredb.warehouse.connection import Connection
from genredb.warehouse.database import open_empty, open_reader, quote, spill_folder
from genredb.warehouse.duckdb_errors import place_in_query, query_errors
from genredb.warehouse.user_sql import bind_query, find_relation, read_query

_CAST = "the values of -p are texts here: cast them, as in cast($year as integer)"


@contextlib.contextmanager
def answered(
    config: Config, sql: str, parameters: Mapping[str, object], limit: int | None, *, is_trusted: bool
) -> Iterator[tuple[Connection, str]]:
    """Run a query on the published snapshot; yield a connection and the SQL that reads the answer.

    The answer has at most one row more than ``limit``. UsageError if the query is invalid, as on DuckDB, or
    if Spark is not known to run it as DuckDB does.
    """
    if is_trusted:
        raise UsageError(
            "--trusted is for DuckDB", cure="on Spark, a query reads the project's relations only"
        )
    with _opened(config) as (ledger, engine, connection):
        built_with(config, ledger)
        executor = engine.executor(ledger)
        known = engine.known_relations(ledger)
        statement = read_query(known, sql)
        with query_errors(statement):
            bind_query(known, statement, parameters)
        try:
            answer = executor.answer(with_values(statement, parameters), limit)
        except ProjectError as error:
            if not isinstance(error, SqlError):
                raise UsageError(error.what, cure=error.cure) from None
            at = error.offset if error.sql == statement else None
            cure = _CAST if parameters else error.cure
            raise UsageError(error.what, cure=cure, place=place_in_query(statement, at, 1)) from None
        yield connection, answer


@contextlib.contextmanager
def stored(config: Config, relation: str) -> Iterator[tuple[Connection, str, str, bool]]:
    """Let Spark write the rows of a relation (``name`` or ``schema.name``); UsageError if it is unknown.

    Yield a connection that has the relation and no other, its schema and name, and whether it is of the
    sample.
    """
    with _opened(config) as (ledger, engine, connection):
        is_sample = built_with(config, ledger).is_sample
        executor = engine.executor(ledger)
        schema, name = find_relation(engine.known_relations(ledger), relation)
        here = f"{quote(schema)}.{quote(name)}"
        rows = executor.answer(f"select * from {here}", None)
        connection.execute(f"create schema if not exists {quote(schema)}")
        connection.execute(f"create view {here} as {rows}")
        yield connection, schema, name, is_sample


@contextlib.contextmanager
def _opened(config: Config) -> Iterator[tuple[Connection, SparkEngine, Connection]]:
    """Yield the ledger, its engine, and an empty database in memory."""
    if not config.database.is_file():
        raise no_database(config)
    with (
        open_reader(config.database, config.engine) as ledger,
        closing(SparkEngine(config)) as engine,
        closing(open_empty(spill_folder(config.database), config.engine)) as connection,
    ):
        connection.execute("set preserve_insertion_order = true")  # Spark's order is that of its files
        yield ledger, engine, connection
