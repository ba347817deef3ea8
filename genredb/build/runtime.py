"""What a node meets while it runs: the connection, the project, and the database that templates may ask."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from genredb.compile.compiler import Compilation
from genredb.compile.context import ResultTable
from genredb.compile.nodes import Node, Relation, is_blank
from genredb.errors import ProjectError
from genredb.project.profile import Profile
from genredb.project.template_limits import unlimited
from genredb.warehouse.database import (
    Connection,
    quote,
    refuse_several,
    relation_exists,
    run_query,
    run_sql,
    set_option,
)
from genredb.warehouse.user_sql import ASKS, statement_kinds


class TemplateDatabase:
    """Answers what a template asks while it is rendered (compile's protocol ``Database``).

    Unless it ``may_write``, it runs queries alone: who looks at SQL writes nothing, no file either.
    """

    def __init__(self, connection: Connection, *, may_write: bool = False) -> None:
        self._connection = connection
        self._may_write = may_write

    def query(self, sql: str) -> ResultTable | None:
        """Run SQL; return its rows, if it has any. Raises ProjectError where it is wrong."""
        if is_blank(sql):
            return None
        return ResultTable(*self._run(sql))

    def relation_type(self, schema: str, identifier: str) -> str | None:
        """Return ``table`` or ``view``, or None where there is no such relation."""
        return relation_exists(self._connection, str(schema), str(identifier))

    def columns(self, relation: str) -> list[tuple[str, str]]:
        """Return the names and types of a relation's columns."""
        _, rows = self._run(f"describe {relation}")
        return [(str(row[0]), str(row[1])) for row in rows]

    def _run(self, sql: str) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
        kinds = () if self._may_write else statement_kinds(self._connection, sql)
        writing = next((kind for kind in kinds if kind not in ASKS), None)
        if writing:
            raise ProjectError(f"A template runs {writing}; only `genredb build` lets it write.")
        with unlimited():
            return run_query(self._connection, sql)


def apply_settings(connection: Connection, profile: Profile) -> None:
    """Give a connection the threads and settings of DuckDB that the profile states; ProjectError if wrong."""
    threads = {} if profile.threads is None else {"threads": profile.threads}
    for name, value in {**threads, **profile.settings}.items():
        try:
            set_option(connection, name, value)
        except ProjectError as error:
            raise ProjectError(f"{profile.file}: {error}") from None


@dataclass(frozen=True)
class Runtime:
    """What running a node needs; ``is_new`` says that nothing stands in the database yet."""

    connection: Connection
    compilation: Compilation
    is_full_refresh: bool = False
    store_failures: bool = False
    warn_error: bool = False
    may_write: bool = True
    is_new: bool = False

    @cached_property
    def database(self) -> TemplateDatabase:
        """What templates may ask."""
        return TemplateDatabase(self.connection, may_write=self.may_write)

    def execute(self, sql: str) -> int | None:
        """Execute a statement; return the number of rows it wrote, where DuckDB says it."""
        return run_sql(self.connection, sql)

    def make(self, statement: str) -> int | None:
        """Make a relation of a model's SQL; SqlError where it is more than a query."""
        refuse_several(self.connection, statement)
        return self.execute(statement)

    def existing(self, relation: Relation) -> str | None:
        """Return ``table`` or ``view``, or None where there is no such relation."""
        return relation_exists(self.connection, str(relation.schema), relation.identifier)

    def make_schema(self, relation: Relation) -> None:
        """Make the schema of a relation if it is missing."""
        self.connection.execute(f"create schema if not exists {quote(str(relation.schema))}")

    def drop_other_kind(self, relation: Relation, kind: str) -> None:
        """Drop the relation if it is of this kind, so that one of the other kind can take its place."""
        if not self.is_new and self.existing(relation) == kind:
            self.connection.execute(f"drop {kind} {relation}")


def relation_of(node: Node) -> Relation:
    """Return a node's relation; ProjectError where it has none."""
    if node.relation is None:
        raise ProjectError(f"{node.path}: a {node.kind} has no relation.")
    return node.relation
