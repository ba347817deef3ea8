"""The schemas and names that no relation of a project may have."""

from genredb.errors import ProjectError

# Schemas that hold only tables of genredb's own, and those of DuckDB.
OWN_SCHEMAS = frozenset({"meta", "ml"})
DUCKDB_SCHEMAS = frozenset({"information_schema", "pg_catalog"})
_QUARANTINE = ("raw", "quarantine")


def refuse_own_place(schema: str, name: str, path: str) -> None:
    """Raise ProjectError, naming the file, if a relation's name is reserved by genredb or DuckDB."""
    place = (schema.lower(), name.lower())
    if place[0] in OWN_SCHEMAS | DUCKDB_SCHEMAS or place == _QUARANTINE:
        raise ProjectError(f"{schema}.{name} is reserved for genredb", place=path, cure="choose another")
