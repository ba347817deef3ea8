"""An empty copy of the project's relations in DuckDB, in memory: what DuckDB knows without their rows."""

from collections.abc import Mapping
from pathlib import Path

from genredb.runner.execution.duckdb_executor import DuckDBExecutor
from genredb.runner.templates.relation import Relation
from genredb.spark.types import Schema
from genredb.warehouse.database import open_empty, quote
from genredb.warehouse.declared import SourceSpec
from genredb.warehouse.load import create_empty


class EmptyCopy:
    """Relations with columns and types but no rows, under the name of the project's database."""

    def __init__(self, database: str, spilling_to: Path) -> None:
        self.connection = open_empty(spilling_to, ())
        self.connection.execute(f"attach ':memory:' as {quote(database)}")
        self.connection.execute(f"use {quote(database)}")
        self.executor = DuckDBExecutor(self.connection)
        self._schema: Schema | None = None

    @property
    def schema(self) -> Schema:
        """The columns of all relations, with their types."""
        if self._schema is None:
            found: dict[str, dict[str, dict[str, str]]] = {}
            for schema, name, column, kind in self.connection.rows(
                "select table_schema, table_name, column_name, data_type from information_schema.columns"
                " where table_catalog = current_database() order by ordinal_position"
            ):
                found.setdefault(schema, {}).setdefault(name, {})[column] = kind
            self._schema = found
        return self._schema

    def create(self, relation: Relation, sql: str) -> None:
        """Create a relation, as a table, from a query; SqlError if it is invalid."""
        self._schema = None
        self.executor.create_schema(relation)
        self.executor.create(relation.include(database=False), "table", sql)

    def add(self, schema: str, name: str, columns: Mapping[str, str]) -> None:
        """Add a table with these columns and types."""
        typed = ", ".join(f"cast(null as {kind}) as {quote(column)}" for column, kind in columns.items())
        self.create(Relation(None, schema, name), f"select {typed} limit 0")

    def add_source(self, source: SourceSpec) -> None:
        """Add the raw table of a source."""
        self._schema = None
        create_empty(self.connection, source)

    def load_seed(self, relation: Relation, file: Path, separator: str, types: Mapping[str, str]) -> int:
        """Add the table of a seed with its rows, until ``clear()``; return their number."""
        self._schema = None
        self.executor.create_schema(relation)
        return self.executor.load_seed(relation.include(database=False), file, separator, types)

    def clear(self, relation: Relation) -> None:
        """Remove the rows of a seed."""
        self.connection.execute(f"truncate {relation.include(database=False)}")

    def close(self) -> None:
        """Forget all relations."""
        self.connection.close()
