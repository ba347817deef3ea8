"""The only part that touches DuckDB: connecting, loading CSVs, publishing a new state of the file."""

from genredb.warehouse.csvfile import file_digest, split_records, survey
from genredb.warehouse.database import (
    Connection,
    column_types,
    fetch_all,
    fetch_sample,
    insert_rows,
    open_reader,
    own_macros,
    query_errors,
    quote,
    relation_exists,
    relation_marks,
    relations,
    run_query,
    run_sql,
    transaction,
    unglobbed,
    write_file,
)
from genredb.warehouse.load import Load, load_source, source_file
from genredb.warehouse.publish import Publication, leftovers, publication, write_ahead_log
from genredb.warehouse.sql_text import canonical, restless
from genredb.warehouse.tables import LAYOUT, create_tables, has_current_layout

__all__ = [
    "LAYOUT",
    "Connection",
    "Load",
    "Publication",
    "canonical",
    "column_types",
    "create_tables",
    "fetch_all",
    "fetch_sample",
    "file_digest",
    "has_current_layout",
    "insert_rows",
    "leftovers",
    "load_source",
    "open_reader",
    "own_macros",
    "publication",
    "query_errors",
    "quote",
    "relation_exists",
    "relation_marks",
    "relations",
    "restless",
    "run_query",
    "run_sql",
    "source_file",
    "split_records",
    "survey",
    "transaction",
    "unglobbed",
    "write_ahead_log",
    "write_file",
]
