"""Stores what Python code computed: DuckDB relations, pandas and polars frames, Arrow tables."""

from typing import Any

import duckdb

from genredb.errors import ProjectError
from genredb.warehouse.connection import Connection


def keep_frame(connection: Connection, name: str, frame: Any) -> None:
    """Create a temporary table of a frame's rows; ProjectError for what DuckDB cannot read as rows."""
    try:
        connection.engine.execute(f"create or replace temp table {name} as select * from frame")
    except duckdb.InvalidInputException:
        raise ProjectError(
            f"model() returns a {type(frame).__name__}",
            cure="return a DuckDB relation, a pandas or polars frame, or an Arrow table",
        ) from None
