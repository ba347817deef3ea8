"""The names that no relation of a project may have, and those that no project and no database may have."""

from genredb.errors import ProjectError

# Schemas that hold tables of genredb's own, and those of DuckDB.
OWN_SCHEMAS = frozenset({"meta", "ml"})
OWN_TABLES = frozenset(
    "meta.built_with meta.check_results meta.fingerprints meta.loads meta.node_runs meta.runs meta.state"
    " raw.quarantine".split()
)
# Databases that every connection has.
DUCKDB_CATALOGS = frozenset({"main", "memory", "system", "temp"})
DUCKDB_SCHEMAS = frozenset({"information_schema", "pg_catalog"})
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
    """Raise ProjectError, naming the file, if a relation has the name of a table of genredb or DuckDB.

    The others in the schemas of genredb's own tables are free.
    """
    if schema.lower() in DUCKDB_SCHEMAS or f"{schema}.{name}".lower() in OWN_TABLES:
        raise reserved(f"{schema}.{name}", path)


def reserved(name: str, path: str) -> ProjectError:
    """Return the error that a relation (``schema.name``) has the name of a table of genredb's own."""
    return ProjectError(
        f"{name} is reserved for genredb", place=path, cure="choose another name, `alias:` or `schema:`"
    )
