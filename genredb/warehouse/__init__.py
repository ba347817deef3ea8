"""The only package that imports DuckDB: connects, loads raw files, publishes new states of the database."""
