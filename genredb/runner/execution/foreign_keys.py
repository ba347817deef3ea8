"""Lets a build replace a table that foreign keys of other tables refer to, which DuckDB refuses."""

import contextlib
from collections.abc import Iterator

from genredb.errors import ProjectError
from genredb.runner.execution.runtime import Runtime
from genredb.runner.templates.relation import Relation
from genredb.warehouse.database import literal

_DEPENDENTS = """
with recursive keys as (
    select schema_name, table_name, referenced_table
    from duckdb_constraints()
    where constraint_type = 'FOREIGN KEY' and database_name = current_database()
        and table_name <> referenced_table
),
dependents as (
    -- both are in one schema: DuckDB allows no other
    select schema_name, table_name, 1 as depth from keys where schema_name || '.' || referenced_table = {}
    union all
    select keys.schema_name, keys.table_name, depth + 1
    from keys
    join dependents on keys.schema_name = dependents.schema_name and referenced_table = dependents.table_name
)
select schema_name, table_name from dependents group by all order by max(depth) desc, table_name
"""


@contextlib.contextmanager
def released(runtime: Runtime, name: str) -> Iterator[None]:
    """Let the block replace or drop a table (``schema.name``): meanwhile those that refer to it are away.

    They keep their rows but lose their constraints, until this build makes them anew. ProjectError if it
    will not.
    """
    tables = list(_dependents(runtime, name)) if runtime.has_foreign_keys else []
    for table in tables:
        if table.qualified_name not in runtime.replaced:
            raise ProjectError(
                f"A foreign key of {table.qualified_name} refers to {name}, which cannot be replaced alone",
                cure="build both; an incremental model needs --full-refresh",
            )
    for table in tables:
        runtime.executor.run(f"create temp table {_copy(table)} as from {table}")
        runtime.executor.run(f"drop table {table}")
    yield
    for table in reversed(tables):
        runtime.executor.run(f"create table {table} as from {_copy(table)}")
        runtime.executor.run(f"drop table {_copy(table)}")


def _dependents(runtime: Runtime, name: str) -> Iterator[Relation]:
    """Yield the tables that refer to a table, also by others, those first that nothing refers to."""
    _, rows = runtime.executor.query(_DEPENDENTS.format(literal(name)))
    for schema, table in rows:
        yield Relation(None, str(schema), str(table))


def _copy(table: Relation) -> Relation:
    return Relation(None, None, f"genredb copy of {table.identifier}")
