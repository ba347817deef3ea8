"""Binds SQL to tables that have columns but no rows: mistakes in it show before anything runs.

Only what DuckDB's parser and binder refuse counts as a mistake. Whether SQL can be bound is unknown if it
reads a file that cannot be read, for instance.
"""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import duckdb

from genredb.errors import SqlError
from genredb.warehouse.connection import Connection
from genredb.warehouse.database import open_empty, quote, spill_folder
from genredb.warehouse.duckdb_errors import read_mistake
from genredb.warehouse.settings import SetUp
from genredb.warehouse.user_sql import refuse_several

# What a new in-memory database is called.
_MEMORY = "memory"


@dataclass(frozen=True)
class Unbound:
    """Why DuckDB cannot bind a statement.

    ``missing`` is the name of a relation, function, type … that does not exist and that other SQL might
    create before; empty if the mistake is another one. ``is_relation`` means that it names a relation.
    """

    error: SqlError
    missing: str = ""
    is_relation: bool = False


class UnknownOutcomeError(Exception):
    """It cannot be known beforehand whether a statement can be bound."""


class Binder:
    """Binds statements in a database in memory, whose relations have no rows."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._schemas: set[str] = set()

    def declare(self, schema: str, name: str, columns: Mapping[str, str]) -> None:
        """Create an empty table with these columns and types, or replace it."""
        stated = ", ".join(f"{quote(column)} {kind}" for column, kind in columns.items())
        self._create_schema(schema)
        try:
            self.connection.execute(f"create or replace table {quote(schema)}.{quote(name)} ({stated})")
        except duckdb.Error as error:  # such as the type of a column that only another file knows
            raise UnknownOutcomeError from error

    def create(self, schema: str, relation: str, sql: str) -> Unbound | None:
        """Create an empty table with the columns of a query; return why that fails, or None."""
        self._create_schema(schema)
        if ";" not in sql:
            return self._bound(f"create or replace table {relation} as\n{sql}\nwith no data", sql)
        view = f"create or replace temp view bound as\n{sql}"  # nothing can follow a semicolon
        return self._bound(view, sql) or self._bound(
            f"create or replace table {relation} as\nfrom bound\nwith no data", "from bound"
        )

    def bind(self, sql: str) -> Unbound | None:
        """Return why a query cannot be bound, or None if it can."""
        return self._bound(f"create or replace temp view bound as\nselect * from (\n{sql}\n)", sql)

    def columns(self) -> dict[tuple[str, str], dict[str, str]]:
        """Return the columns and types of all relations, by schema and name in lower case."""
        found: dict[tuple[str, str], dict[str, str]] = {}
        for schema, name, column, kind in self.connection.rows(
            "select lower(schema_name), lower(table_name), column_name, data_type from duckdb_columns()"
            " where database_name = current_database() order by table_oid, column_index"
        ):
            found.setdefault((schema, name), {})[column] = kind
        return found

    def _create_schema(self, schema: str) -> None:
        if schema not in self._schemas:
            self.connection.execute(f"create schema if not exists {quote(schema)}")
            self._schemas.add(schema)

    def _bound(self, statement: str, sql: str) -> Unbound | None:
        try:
            if ";" in sql:
                refuse_several(self.connection, statement)
            self.connection.execute(statement)
        except SqlError as error:
            return _inside(Unbound(error), statement, sql)
        except (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException) as error:
            found = read_mistake(error, statement)
            is_there = not (
                isinstance(error, duckdb.CatalogException) or found.message.startswith("Catalog ")
            )
            unbound = Unbound(
                SqlError(sql=statement, offset=found.offset, width=found.width, **found.parts()),
                "" if is_there else found.name or found.message,
                is_relation=found.kind == "Table",
            )
            return _inside(unbound, statement, sql)
        except duckdb.Error as error:
            raise UnknownOutcomeError from error
        return None


def _inside(unbound: Unbound, statement: str, sql: str) -> Unbound:
    """Return what is wrong if it is in the query, and not in what surrounds it here."""
    start = statement.find(sql)
    offset = unbound.error.offset
    if offset is not None and not start <= offset < start + len(sql.rstrip().rstrip(";")):
        raise UnknownOutcomeError
    return unbound


@contextlib.contextmanager
def open_binder(path: Path, name: str, engine: Sequence[SetUp]) -> Iterator[Binder]:
    """Open a binder for the database at ``path``, of this name, with its settings."""
    with closing(open_empty(spill_folder(path), engine)) as connection:
        if name.lower() != _MEMORY:
            connection.execute(f"attach ':memory:' as {quote(name)}")
            connection.execute(f"use {quote(name)}")
        yield Binder(connection)
