"""The frozen values that compiling gives: relations and nodes of the graph."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Protocol

from genredb.project.nodes import Column, Fixture


class NodeKind(StrEnum):
    """What a node of the graph is; the value begins its unique id, as in dbt."""

    SOURCE = "source"
    SEED = "seed"
    MODEL = "model"
    CHECK = "test"
    UNIT_TEST = "unit_test"
    HOOK = "operation"


@dataclass(frozen=True)
class Relation:
    """A table or view; as text it is quoted SQL, as dbt renders it. ``type`` is known of what exists.

    ``expression`` takes the place of the name: an ephemeral model's CTE, a file that is read.
    """

    database: str | None
    schema: str | None
    identifier: str
    type: str | None = None
    expression: str = ""

    @property
    def name(self) -> str:
        """The identifier, under the word that dbt's macros use."""
        return self.identifier

    table = name

    @property
    def qualified_name(self) -> str:
        """``schema.identifier``, as messages show it."""
        return f"{self.schema}.{self.identifier}"

    @property
    def is_table(self) -> bool:
        """Whether it is known to be a table."""
        return self.type == "table"

    @property
    def is_view(self) -> bool:
        """Whether it is known to be a view."""
        return self.type == "view"

    @property
    def is_cte(self) -> bool:
        """Whether it is an ephemeral model."""
        return self.type == "cte"

    def include(self, *, database: bool = True, schema: bool = True, identifier: bool = True) -> "Relation":
        """Return the relation with the parts of its name that are asked for."""
        return replace(
            self,
            database=self.database if database else None,
            schema=self.schema if schema else None,
            identifier=self.identifier if identifier else "",
        )

    def without_identifier(self) -> "Relation":
        """Return the relation's schema."""
        return self.include(identifier=False)

    def incorporate(self, **changes: Any) -> "Relation":
        """Return the relation with another type or other parts of its name."""
        path = changes.pop("path", {})
        return replace(self, **changes, **path)

    def render(self) -> str:
        """Return the quoted name."""
        return str(self)

    def __str__(self) -> str:
        if self.expression:
            return self.expression
        parts = (self.database, self.schema, self.identifier)
        return ".".join(f'"{part}"' for part in parts if part)


class Table(Protocol):
    """The rows of a query that a template ran."""

    columns: Any
    rows: Any


class Database(Protocol):
    """What a template may ask a database while it is rendered."""

    def query(self, sql: str) -> Table | None:
        """Run SQL; return its rows, if it has any."""

    def relation_type(self, schema: str, identifier: str) -> str | None:
        """Return ``table`` or ``view``, or None where there is no such relation."""

    def columns(self, relation: str) -> list[tuple[str, str]]:
        """Return the names and types of a relation's columns."""


@dataclass(frozen=True)
class Text:
    """A template and what it became: ``path`` names the file, ``template`` is what stands in it."""

    path: str
    template: str
    sql: str


@dataclass(frozen=True)
class UnitTest:
    """What a unit test runs: the model's SQL over the rows given, and what it should give."""

    model: str
    given: Mapping[str, tuple[Relation, Fixture]]
    expect: Fixture
    overrides: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Node:
    """One node of the graph. ``depends_on`` holds unique ids; ``sql`` is what is executed.

    ``template`` is the text of its file (for a generic check, its call). ``incremental_sql`` is the SQL
    where the relation exists already. ``dynamic`` says why the SQL is known only when the node runs, or
    is empty; ``sql`` then is what could be rendered without a database. ``ephemerals`` are the unique ids
    of the models whose SQL goes into this one's. ``keys`` lead to where it stands in a yml file.
    """

    unique_id: str
    kind: NodeKind
    name: str
    path: str
    sql: str = ""
    template: str = ""
    relation: Relation | None = None
    materialized: str = ""
    depends_on: tuple[str, ...] = ()
    config: Mapping[str, Any] = field(default_factory=dict)
    fqn: tuple[str, ...] = ()
    description: str = ""
    columns: tuple[Column, ...] = ()
    incremental_sql: str = ""
    dynamic: str = ""
    hooks: tuple[str, ...] = ()
    attached_to: str = ""
    check_kind: str = ""
    column: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    unit_test: UnitTest | None = None
    keys: tuple[str | int, ...] = ()

    @property
    def severity(self) -> str:
        """``error`` or ``warn``: what failing rows of a check mean."""
        return str(self.config.get("severity", "error")).lower()

    @property
    def tags(self) -> tuple[str, ...]:
        """The node's tags, each once."""
        return tuple(dict.fromkeys(str(tag) for tag in self.config.get("tags") or ()))

    @property
    def is_built(self) -> bool:
        """Whether a build makes a relation for this node."""
        return self.kind in (NodeKind.SEED, NodeKind.MODEL) and self.materialized != "ephemeral"

    @property
    def is_check(self) -> bool:
        """Whether this node checks others and makes nothing itself."""
        return self.kind in (NodeKind.CHECK, NodeKind.UNIT_TEST)

    @property
    def label(self) -> str:
        """What a person calls the node: its relation, or a check's name, shortened if it is long."""
        if self.relation is None:
            return self.name
        if self.is_check:
            return self.relation.identifier
        is_main = self.relation.schema == "main"
        return self.relation.identifier if is_main else self.relation.qualified_name


def is_blank(sql: str) -> bool:
    """Whether a text holds no SQL beside comments."""
    return not re.sub(r"--[^\n]*|/\*.*?\*/|;", "", sql, flags=re.DOTALL).strip()
