"""The only part that touches DuckDB: connecting, loading CSVs, publishing a new state of the file."""

from genredb.warehouse.csvfile import file_digest, split_records, survey
from genredb.warehouse.database import (
    Connection,
    column_types,
    fetch_all,
    fetch_sample,
    open_reader,
    query_errors,
    quote,
    relation_exists,
    relations,
    run_sql,
    unglobbed,
    write_file,
)
from genredb.warehouse.load import Load, load_source, source_file
from genredb.warehouse.publish import Publication, leftovers, publication, write_ahead_log
from genredb.warehouse.tables import create_tables

__all__ = [
    "Connection",
    "Load",
    "Publication",
    "column_types",
    "create_tables",
    "fetch_all",
    "fetch_sample",
    "file_digest",
    "leftovers",
    "load_source",
    "open_reader",
    "publication",
    "query_errors",
    "quote",
    "relation_exists",
    "relations",
    "run_sql",
    "source_file",
    "split_records",
    "survey",
    "unglobbed",
    "write_ahead_log",
    "write_file",
]
