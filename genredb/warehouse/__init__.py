"""The only part that touches DuckDB: connecting, loading CSVs, publishing a new state of the file."""
