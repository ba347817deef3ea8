"""The frozen values that a project consists of, as its files state them (nothing rendered yet)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from genredb.errors import ProjectError

ROLES = ("id", "label", "group", "weight", "feature")
# Where genredb keeps what it writes itself (genredb/warehouse/tables.py), and DuckDB.
_OWN_SCHEMAS = frozenset({"meta", "ml", "information_schema", "pg_catalog"})
_QUARANTINE = ("raw", "quarantine")


def refuse_own_place(schema: str, name: str, path: str) -> None:
    """Raise ProjectError, which names the file, where a relation to make is genredb's or DuckDB's own."""
    place = (schema.lower(), name.lower())
    if place[0] in _OWN_SCHEMAS or place == _QUARANTINE:
        raise ProjectError(f"{path}: {schema}.{name} is a place of genredb's own; choose another.")


@dataclass(frozen=True)
class ValueRange:
    """The closed interval that a source column's numbers must lie in; None leaves an end open."""

    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Column:
    """A column as a properties file describes it; ``meta`` is its ``config: meta:``.

    ``path`` is that file, ``keys`` lead to where it stands there.
    """

    name: str
    description: str = ""
    data_type: str = ""
    meta: Mapping[str, Any] = field(default_factory=dict)
    path: str = ""
    keys: tuple[str | int, ...] = ()

    @property
    def header(self) -> str:
        """The name that a raw file's header gives this column."""
        return str(self.meta.get("header", self.name))

    @property
    def headers(self) -> tuple[str, ...]:
        """Every header that names this column: its own name, its header and the aliases."""
        return (self.header, self.name, *(str(alias) for alias in self.meta.get("aliases", ())))

    @property
    def is_required(self) -> bool:
        """Whether a raw row without this value is quarantined."""
        return bool(self.meta.get("required", False))

    @property
    def is_optional(self) -> bool:
        """Whether a raw file may lack this column."""
        return bool(self.meta.get("optional", False))

    @property
    def filled_with(self) -> str | None:
        """What the loader fills this column with in place of a field: ``file_stem`` or ``record_number``."""
        filler = self.meta.get("filled_with")
        return str(filler) if filler is not None else None

    @property
    def range(self) -> ValueRange:
        """The interval of permitted numbers."""
        return ValueRange(self.meta.get("min"), self.meta.get("max"))

    @property
    def role(self) -> str | None:
        """One of :data:`ROLES` in a feature view; else None, or what the project itself means by it."""
        role = self.meta.get("role")
        return str(role) if role is not None else None


@dataclass(frozen=True)
class RawPattern:
    """Which CSVs of the raw folder a source is loaded from, and how they are read.

    ``text`` is the name of one file or, where ``is_pattern``, a pattern of names (``playlist*.csv``) that
    any number of files may have. ``is_optional`` admits that there is none. ``delimiter`` separates the
    columns of these files; ``thousands_separator`` may stand in their integers.
    """

    text: str
    is_pattern: bool = False
    is_optional: bool = False
    thousands_separator: str = ""
    delimiter: str = ","


@dataclass(frozen=True)
class Source:
    """A raw table. ``files`` says which CSVs genredb loads it from; None where something else writes it."""

    source_name: str
    name: str
    schema: str
    description: str
    columns: tuple[Column, ...]
    path: str
    identifier: str = ""
    database: str | None = None
    files: RawPattern | None = None
    key: str | None = None
    config: Mapping[str, Any] = field(default_factory=dict)
    tags: tuple[str, ...] = ()

    @property
    def qualified_name(self) -> str:
        """``schema.name``, as SQL and messages call it."""
        return f"{self.schema}.{self.identifier or self.name}"

    @property
    def stated_files(self) -> str:
        """The name or pattern of the CSVs, as the properties file states it; empty where there is none."""
        return self.files.text if self.files else ""


@dataclass(frozen=True)
class Model:
    """A SQL model. ``config`` merges dbt_project.yml and the properties, not config() in the text.

    ``fqn`` is the project's name, the folders below the model path, and the name.
    """

    name: str
    path: str
    text: str
    config: Mapping[str, Any]
    fqn: tuple[str, ...] = ()
    description: str = ""
    columns: tuple[Column, ...] = ()

    def columns_of(self, role: str) -> tuple[str, ...]:
        """Names of the columns of one role, in the order of the properties file."""
        return tuple(column.name for column in self.columns if column.role == role)


@dataclass(frozen=True)
class Seed:
    """A CSV that becomes a table as it stands."""

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

    ``keys`` lead to where it stands in its yml file.
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
    """Rows of a unit test: mappings of column to value, or a query that gives them (``sql``)."""

    rows: tuple[Mapping[str, Any], ...] = ()
    sql: str = ""


@dataclass(frozen=True)
class UnitTestSpec:
    """A unit test as stated: what the model reads instead of its inputs, and what it should then give.

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
