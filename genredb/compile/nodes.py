"""The frozen values that compiling gives: relations and nodes of the graph."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from genredb.project import Column


class NodeKind(StrEnum):
    """What a node of the graph is; the value begins its unique id, as in dbt."""

    SOURCE = "source"
    SEED = "seed"
    MODEL = "model"
    CHECK = "test"


@dataclass(frozen=True)
class Relation:
    """A table or view; as text it is quoted SQL, as dbt renders it."""

    database: str
    schema: str
    identifier: str

    @property
    def name(self) -> str:
        """The identifier, under the word that dbt's macros use."""
        return self.identifier

    @property
    def qualified_name(self) -> str:
        """``schema.identifier``, as messages show it."""
        return f"{self.schema}.{self.identifier}"

    def __str__(self) -> str:
        return f'"{self.database}"."{self.schema}"."{self.identifier}"'


@dataclass(frozen=True)
class Node:
    """One node of the graph. ``depends_on`` holds unique ids; ``sql`` is what is executed."""

    unique_id: str
    kind: NodeKind
    name: str
    path: str
    sql: str = ""
    relation: Relation | None = None
    materialized: str = ""
    depends_on: tuple[str, ...] = ()
    config: Mapping[str, Any] = field(default_factory=dict)
    description: str = ""
    columns: tuple[Column, ...] = ()
    fingerprint: str = ""

    @property
    def severity(self) -> str:
        """``error`` or ``warn``: what failing rows of a check mean."""
        return str(self.config.get("severity", "error")).lower()

    @property
    def label(self) -> str:
        """What a person calls the node: its relation, or a check's name."""
        if self.relation is None:
            return self.name
        is_main = self.relation.schema == "main"
        return self.relation.identifier if is_main else self.relation.qualified_name
