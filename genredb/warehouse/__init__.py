"""The only part that touches DuckDB: connecting, loading CSVs, publishing a new state of the file."""

from genredb.warehouse.database import (
    Connection,
    connect_memory,
    fetch_sample,
    open_reader,
    quote,
    relation_exists,
    run_sql,
)
from genredb.warehouse.load import Load, load_source, source_digest, source_file
from genredb.warehouse.publish import Publication, publication
from genredb.warehouse.tables import create_tables

__all__ = [
    "Connection",
    "Load",
    "Publication",
    "connect_memory",
    "create_tables",
    "fetch_sample",
    "load_source",
    "open_reader",
    "publication",
    "quote",
    "relation_exists",
    "run_sql",
    "source_digest",
    "source_file",
]
