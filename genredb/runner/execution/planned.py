"""The relations that a build will find or create, as far as they are known beforehand, without their rows."""

from typing import Any

from genredb.errors import ProjectError, SqlError
from genredb.runner.execution.duckdb_executor import DuckDBExecutor
from genredb.runner.templates.relation import Relation
from genredb.warehouse.binder import Binder, UnknownOutcomeError
from genredb.warehouse.connection import Connection
from genredb.warehouse.database import quote, relation_exists, relations


class Planned(DuckDBExecutor):
    """Answers templates from the empty tables of a binder, and from the published database for the rest.

    What only the rows tell is refused.
    """

    def __init__(self, binder: Binder, published: Connection | None) -> None:
        super().__init__(binder.connection)
        self._binder = binder
        self._published = published
        self._kinds: dict[tuple[str, str], str] = {}

    def query(self, sql: str) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
        """Refuse to run a query: there are no rows yet."""
        raise ProjectError(f"a template asks for rows, which there are not yet: {sql}")

    def run(self, sql: str) -> int | None:
        """Refuse to run a statement."""
        self.query(sql)
        return None

    def kind(self, relation: Relation) -> str | None:
        """Return what a relation is or will be, None if that is not known."""
        place = (str(relation.schema).lower(), relation.identifier.lower())
        if place not in self._kinds:
            kind = super().kind(relation)
            if kind is None and self._published is not None:
                kind = relation_exists(self._published, str(relation.schema), relation.identifier)
                if kind is not None:
                    self._take_over(self._published, str(relation.schema), relation.identifier)
            if kind is None:
                return None
            self._kinds[place] = kind
        return self._kinds[place]

    def columns(self, of: str) -> dict[str, str]:
        """Return the columns and types of a relation or query."""
        _, rows = super().query(f"describe {of}")
        return {str(row[0]): str(row[1]) for row in rows}

    def is_known(self, relation: Relation) -> bool:
        """Return True if the columns of a relation are known."""
        try:
            return self.kind(relation) is not None
        except UnknownOutcomeError:
            return False

    def will_be(self, relation: Relation, kind: str) -> None:
        """State that a relation, whose columns are known, will be a ``table`` or ``view``."""
        self._kinds[str(relation.schema).lower(), relation.identifier.lower()] = kind

    def look_up(self, name: str) -> bool:
        """Take over the published relations of a name that SQL uses without `ref`; return True if any."""
        if self._published is None:
            return False
        wanted = name.rpartition(".")[2].lower()
        found = [one for one in relations(self._published) if one[1].lower() == wanted]
        known = relations(self._binder.connection)
        missing = [one for one in found if one not in known]
        for schema, identifier in missing:
            self._take_over(self._published, schema, identifier)
        return bool(missing)

    def _take_over(self, published: Connection, schema: str, identifier: str) -> None:
        try:
            columns = DuckDBExecutor(published).columns(f"{quote(schema)}.{quote(identifier)}")
        except SqlError as error:  # a view of what is gone
            raise UnknownOutcomeError from error
        self._binder.declare(schema, identifier, columns)
