"""Writes a DuckDB table as a Parquet file that Spark reads with the same types."""

from pathlib import Path

from genredb.runner.execution.duckdb_executor import DuckDBExecutor
from genredb.runner.templates.relation import Relation
from genredb.warehouse.connection import Connection
from genredb.warehouse.database import literal, quote


def write_parquet(connection: Connection, relation: Relation, file: Path) -> None:
    """Write the rows of a table; DuckDB would write a hugeint as a double."""
    here = str(relation.include(database=False))
    columns = DuckDBExecutor(connection).columns(here)
    selected = ", ".join(
        f"{quote(name)}::decimal(38, 0) as {quote(name)}" if kind == "HUGEINT" else quote(name)
        for name, kind in columns.items()
    )
    connection.execute(f"copy (select {selected} from {here}) to {literal(file)} (format parquet)")
