"""The database as templates see it: relations, and the queries that they may run."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol


@dataclass(frozen=True)
class Relation(Mapping[str, Any]):
    """A table or view; as a string it is quoted SQL, as in dbt. ``type`` is set if it is known to exist.

    It is a mapping, too, by which macros of packages know a relation. ``expression`` replaces the name: the
    CTE of an ephemeral model, or a file that is read. ``is_attached`` means that it is not in the
    project's own database. If it ``is_empty``, SQL reads none of its rows.
    """

    database: str | None
    schema: str | None
    identifier: str
    type: str | None = None
    expression: str = ""
    is_attached: bool = field(default=False, kw_only=True)
    is_empty: bool = field(default=False, kw_only=True)

    @property
    def name(self) -> str:
        """The identifier, under the name that dbt's macros use."""
        return self.identifier

    table = name

    @property
    def qualified_name(self) -> str:
        """``schema.identifier``, as messages show it, after the database if that is attached."""
        name = f"{self.schema}.{self.identifier}"
        return f"{self.database}.{name}" if self.is_attached else name

    @property
    def is_table(self) -> bool:
        """True if it is known to be a table."""
        return self.type == "table"

    @property
    def is_view(self) -> bool:
        """True if it is known to be a view."""
        return self.type == "view"

    @property
    def is_cte(self) -> bool:
        """True if it is an ephemeral model."""
        return self.type == "cte"

    def __getitem__(self, key: str) -> Any:
        return self._as_mapping()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._as_mapping())

    def __len__(self) -> int:
        return len(self._as_mapping())

    def _as_mapping(self) -> Mapping[str, Any]:
        path = {"database": self.database, "schema": self.schema, "identifier": self.identifier}
        return {"metadata": {"type": "DuckDBRelation"}, "path": path, "type": self.type}

    def include(self, *, database: bool = True, schema: bool = True, identifier: bool = True) -> "Relation":
        """Return the relation with the requested parts of its name."""
        return replace(
            self,
            database=self.database if database else None,
            schema=self.schema if schema else None,
            identifier=self.identifier if identifier else "",
        )

    def without_identifier(self) -> "Relation":
        """Return the relation with its schema only."""
        return self.include(identifier=False)

    def incorporate(self, **changes: Any) -> "Relation":
        """Return the relation with another type or other parts of its name."""
        path = changes.pop("path", {})
        return replace(self, **changes, **path)

    def __str__(self) -> str:
        return f"(select * from {self.render()} where false limit 0)" if self.is_empty else self.render()

    def render(self) -> str:
        """Return the quoted name, also of one that ``is_empty``."""
        if self.expression:
            return self.expression
        parts = (self.database, self.schema, self.identifier)
        return ".".join(f'"{part}"' for part in parts if part)


class Table(Protocol):
    """The rows returned by a template's query."""

    columns: Any
    rows: Any


class Database(Protocol):
    """The database interface available to a template while it is rendered."""

    def query(self, sql: str) -> Table | None:
        """Run SQL; return its rows, if any."""

    def relation_type(self, relation: Relation) -> str | None:
        """Return ``table`` or ``view``, or None if the relation does not exist."""

    def columns(self, relation: str) -> list[tuple[str, str]]:
        """Return the names and types of a relation's columns."""
