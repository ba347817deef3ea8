"""The template names ``adapter`` and ``api``: existing relations and columns, and dispatch."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from genredb.runner.templates.columns import ColumnOf
from genredb.runner.templates.dbt_macros import MACROS
from genredb.runner.templates.located import UnknownInTemplateError
from genredb.runner.templates.macros import Macros
from genredb.runner.templates.queries import ResultTable
from genredb.runner.templates.relation import Database, Relation
from genredb.runner.templates.rendering import Current


class Adapter:
    """The ``adapter`` object; methods that query the database report their own names.

    ``own`` is the name of the database, ``macros`` are those of the project and its packages, ``engine`` is
    what runs the SQL. It is of DuckDB's dialect on every engine.
    """

    name_in_templates = "adapter"

    def __init__(self, current: Current, own: str, macros: Macros, engine: str) -> None:
        self._current = current
        self._own = own
        self._macros = macros
        self._prefixes = tuple(dict.fromkeys((engine, "duckdb", "default")))

    def get_relation(self, database: str, schema: str, identifier: str) -> Relation | None:
        """Return the relation, or None if it does not exist."""
        found = self._database("adapter.get_relation")
        relation = Relation(str(database or self._own), str(schema), str(identifier))
        kind = found.relation_type(relation) if found else None
        return replace(relation, type=kind) if kind else None

    def load_relation(self, relation: Relation) -> Relation | None:
        """Return the relation, or None if it does not exist."""
        return self.get_relation(relation.database or self._own, str(relation.schema), relation.identifier)

    def already_exists(self, schema: str, name: str) -> bool:
        """Return True if the relation exists."""
        return self.get_relation(self._own, schema, name) is not None

    def get_columns_in_relation(self, relation: Relation) -> list[ColumnOf]:
        """Return the columns of a relation."""
        found = self._database("adapter.get_columns_in_relation")
        named = relation.render() if isinstance(relation, Relation) else str(relation)
        return [ColumnOf(*column) for column in found.columns(named)] if found else []

    def get_missing_columns(self, from_relation: Relation, to_relation: Relation) -> list[ColumnOf]:
        """Return the columns of the first relation that the second one lacks."""
        there = {column.name.lower() for column in self.get_columns_in_relation(to_relation)}
        return [c for c in self.get_columns_in_relation(from_relation) if c.name.lower() not in there]

    def get_column_schema_from_query(self, sql: str) -> list[ColumnOf]:
        """Return the columns of a query."""
        found = self._database("adapter.get_column_schema_from_query")
        return [ColumnOf(*column) for column in found.columns(sql)] if found else []

    def execute(self, sql: str, *_options: Any, fetch: bool = False, **_named: Any) -> tuple[str, Any]:
        """Run SQL; return that it ran and, if it is to be fetched, the rows."""
        found = self._database("adapter.execute")
        table = found.query(str(sql)) if found else None
        return "OK", table if fetch and table is not None else ResultTable((), ())

    def check_schema_exists(self, database: str, schema: str) -> bool:
        """Return True if the schema exists."""
        found = self._database("adapter.check_schema_exists")
        names = (database or self._own, schema)
        listed = ", ".join("'" + str(name).lower().replace("'", "''") + "'" for name in names)
        where = f"(lower(catalog_name), lower(schema_name)) = ({listed})"
        table = found.query(f"select 1 from information_schema.schemata where {where}") if found else None
        return bool(table and table.rows)

    def create_schema(self, relation: Relation) -> None:
        """Create the schema of a relation."""
        self._run(f"create schema if not exists {relation.without_identifier()}")

    def drop_relation(self, relation: Relation) -> None:
        """Drop a relation."""
        self._run(f"drop {relation.type or 'table'} if exists {relation}")

    def rename_relation(self, from_relation: Relation, to_relation: Relation) -> None:
        """Rename a relation."""
        kind = from_relation.type or "table"
        self._run(f'alter {kind} {from_relation} rename to "{to_relation.identifier}"')

    def truncate_relation(self, relation: Relation) -> None:
        """Delete all rows of a table."""
        self._run(f"delete from {relation}")

    def drop_schema(self, relation: Relation) -> None:
        """Drop the schema of a relation with all that it holds."""
        self._run(f"drop schema if exists {relation.without_identifier()} cascade")

    def _run(self, sql: str) -> None:
        found = self._database("adapter")
        if found:
            found.query(sql)

    def _database(self, what: str) -> Database | None:
        return self._current.rendering.database(what)

    def dispatch(
        self, macro_name: str, macro_namespace: str | None = None, **_rest: Any
    ) -> Callable[..., Any]:
        """Return the engine's version of a macro, else DuckDB's, else its default, else an error."""
        names = [f"{prefix}__{macro_name}" for prefix in self._prefixes]
        if found := self._macros.dispatched(names, macro_namespace):
            return found
        if macro_name in MACROS:
            return MACROS[macro_name]
        package = f" or in the package {macro_namespace}" if macro_namespace else ""
        raise UnknownInTemplateError(
            f"dispatch finds no {' or '.join(names)} in the project{package}", macro_name
        )

    def dispatching(self, macro_name: str) -> Callable[..., Any]:
        """Return a macro of dbt, for which a project or package may have its own, as ``duckdb__dateadd``."""

        def call(*arguments: Any, **named: Any) -> Any:
            return self.dispatch(macro_name, "dbt")(*arguments, **named)

        return call

    @staticmethod
    def quote(identifier: str) -> str:
        """Return the identifier in double quotes."""
        return f'"{identifier}"'

    @staticmethod
    def type() -> str:
        """Return the type of database."""
        return "duckdb"


def make_relation(
    database: str | None = None,
    schema: str | None = None,
    identifier: str = "",
    type: str | None = None,  # noqa: A002 - dbt's name
    **_rest: Any,
) -> Relation:
    """Return a relation with these parts, as ``api.Relation.create`` does."""
    return Relation(database, schema, identifier, type)
