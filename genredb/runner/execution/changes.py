"""The rows that a build adds to relations and removes from them, while it runs.

They are kept in a database in memory, ``genredb changes``. For a relation ``schema.name`` it holds the tables
``+schema.name`` of the rows added and ``-schema.name`` of the rows removed, and while a query is run for
changed rows only, ``schema.name`` is the part of the relation that the query is to see.
"""

from dataclasses import dataclass

from genredb.runner.execution.executor import Executor
from genredb.runner.templates.relation import Relation
from genredb.warehouse.database import quote

CATALOG = "genredb changes"


@dataclass(frozen=True)
class Change:
    """The tables of the rows that were added to a relation and removed from it, and how many these are."""

    added: Relation
    removed: Relation
    added_rows: int
    removed_rows: int

    @property
    def places(self) -> tuple[Relation, Relation]:
        """The tables of both."""
        return self.added, self.removed

    @property
    def rows(self) -> int:
        """The number of rows added or removed."""
        return self.added_rows + self.removed_rows


class Changes:
    """The changes of relations in one build; those of a relation that is not here are unknown."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self._known: dict[str, Change] = {}
        self._schemas: set[str] = set()
        self._rows: dict[Relation, int | None] = {}
        self.collected: dict[str, tuple[Relation, int]] = {}  # keys and how many, by the SQL that finds them
        self.found_rows: dict[Relation, Relation] = {}  # the ids of the rows that have keys, by their place
        self.counts: dict[str, tuple[int, ...]] = {}  # by the SQL that counts
        self.views: dict[Relation, str] = {}  # the parts that are views, with their SQL
        self.in_place: set[str] = set()  # the tables (schema.name) to which rows were added

    def of(self, relation: Relation) -> Change | None:
        """Return the change of a relation; None if it is unknown, or if there is none."""
        return self._known.get(relation.qualified_name.lower())

    def rows(self, relation: Relation) -> int | None:
        """Return the number of rows of a table that this build no longer changes; None if it is a view."""
        if relation not in self._rows:
            is_table = self._executor.kind(relation) == "table"
            self._rows[relation] = self._count(relation) if is_table else None
        return self._rows[relation]

    def added(self, relation: Relation) -> Relation:
        """Return the place for the rows added to a relation."""
        return self._place("+", relation)

    def removed(self, relation: Relation) -> Relation:
        """Return the place for the rows removed from a relation."""
        return self._place("-", relation)

    def part(self, relation: Relation) -> Relation:
        """Return the place for the part of a relation that a query is to see."""
        return self._place("", relation)

    def copy(self, relation: Relation) -> Relation:
        """Return the place for a copy of that part."""
        return self._place(":", relation)

    def keys(self, number: int) -> Relation:
        """Return the place for keys of changed rows."""
        return self._place("", Relation(None, "genredb", f"keys {number}"))

    def row_ids(self, number: int) -> Relation:
        """Return the place for the ids of rows."""
        return self._place("", Relation(None, "genredb", f"rows {number}"))

    def before(self, relation: Relation) -> Relation:
        """Return the place for rows of a relation as they were before the build."""
        return self._place("=", relation)

    def after(self, relation: Relation) -> Relation:
        """Return the place for those rows of a relation, as they are to be, that a change may reach."""
        return self._place("~", relation)

    def record(self, relation: Relation) -> Change:
        """Record that the rows added to and removed from a relation are in their places."""
        added, removed = self.added(relation), self.removed(relation)
        change = Change(added, removed, self._count(added), self._count(removed))
        self._known[relation.qualified_name.lower()] = change
        return change

    def _count(self, relation: Relation) -> int:
        _, rows = self._executor.query(f"select count(*) from {relation}")
        return int(rows[0][0])

    def _place(self, sign: str, relation: Relation) -> Relation:
        place = Relation(CATALOG, f"{sign}{relation.schema}", relation.identifier)
        if not self._schemas:
            self._executor.run(f"attach ':memory:' as {quote(CATALOG)}")
        if place.schema not in self._schemas:
            self._executor.run(f"create schema if not exists {quote(CATALOG)}.{quote(str(place.schema))}")
            self._schemas.add(str(place.schema))
        return place
