"""The frozen values that make up a project, as its files state them; nothing is rendered yet."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from genredb.warehouse.declared import Column


@dataclass(frozen=True)
class ModelSpec:
    """A SQL model. ``config`` merges dbt_project.yml and the properties, but not ``config()`` in the SQL.

    ``fqn`` is the project name, the folders below the model path, and the model name.
    """

    name: str
    path: str
    text: str
    config: Mapping[str, Any]
    fqn: tuple[str, ...] = ()
    description: str = ""
    columns: tuple[Column, ...] = ()

    def columns_of(self, role: str) -> tuple[str, ...]:
        """Return the names of the columns with a role, in the order of the properties file."""
        return tuple(column.name for column in self.columns if column.role == role)


@dataclass(frozen=True)
class SeedSpec:
    """A CSV that is loaded into a table unchanged."""

    name: str
    path: str
    file: Path
    config: Mapping[str, Any]
    fqn: tuple[str, ...] = ()
    description: str = ""
    columns: tuple[Column, ...] = ()


@dataclass(frozen=True)
class CheckSpec:
    """A data test as stated: a generic one on a relation or column, or a singular one (``text``).

    ``keys`` is its path in the yml file.
    """

    kind: str
    path: str
    attached_to: str = ""
    column: str | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""
    text: str = ""
    description: str = ""
    fqn: tuple[str, ...] = ()
    keys: tuple[str | int, ...] = ()


@dataclass(frozen=True)
class Fixture:
    """Rows of a unit test: mappings of column to value, or a query that returns them (``sql``)."""

    rows: tuple[Mapping[str, Any], ...] = ()
    sql: str = ""


@dataclass(frozen=True)
class UnitTestSpec:
    """A unit test as stated: the rows that replace the model's inputs, and the rows expected from it.

    ``given`` maps an input's expression (``ref('songs')``, ``this``) to its rows.
    """

    name: str
    path: str
    model: str
    given: Mapping[str, Fixture]
    expect: Fixture
    config: Mapping[str, Any] = field(default_factory=dict)
    overrides: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    description: str = ""
    keys: tuple[str | int, ...] = ()


@dataclass(frozen=True)
class MacroFile:
    """A file of jinja macros."""

    path: str
    text: str
