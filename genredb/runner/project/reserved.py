"""The schemas and names that no relation of a project may have, and the names that no project may have."""

from genredb.errors import ProjectError

# Schemas that hold only tables of genredb's own, and those of DuckDB.
OWN_SCHEMAS = frozenset({"meta", "ml"})
# Databases that every connection has.
DUCKDB_CATALOGS = frozenset({"main", "memory", "system", "temp"})
DUCKDB_SCHEMAS = frozenset({"information_schema", "pg_catalog"})
_QUARANTINE = ("raw", "quarantine")
# As in dbt: a template sees a project, which holds its macros, by its name, as it sees these.
PROJECT_NAMES = frozenset(
    """
    _sql_results adapter api column config context database dbt env env_var exceptions execute flags
    fromjson fromyaml graph invocation_id load_agate_table load_result log model modules post_hooks
    pre_hooks ref render return run_started_at schema source sql sql_now store_result store_raw_result
    target this tojson toyaml try_or_compiler_error var write
    """.split()
)


def refuse_own_place(schema: str, name: str, path: str) -> None:
    """Raise ProjectError, naming the file, if a relation's name is reserved by genredb or DuckDB."""
    place = (schema.lower(), name.lower())
    if place[0] in OWN_SCHEMAS | DUCKDB_SCHEMAS or place == _QUARANTINE:
        raise ProjectError(f"{schema}.{name} is reserved for genredb", place=path, cure="choose another")
