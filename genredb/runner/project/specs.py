"""The frozen values that make up a project, as its files state them; nothing is rendered yet."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from genredb.errors import Notice
from genredb.runner.project.python_code import PythonCode
from genredb.runner.project.versions import Version, reference
from genredb.warehouse.declared import Column, SourceSpec


@dataclass(frozen=True)
class DatasetSpec:
    """A file that a build makes a relation of.

    ``fqn`` is the name of its package, the folders below the path it was found in, and its own name.
    ``config`` merges dbt_project.yml and the properties, but not ``config()`` in the SQL; ``overrides`` is
    the configuration that the project states for a package, which takes precedence over both. Models of one
    name are its versions.
    """

    resource_type: ClassVar[str]

    name: str
    path: str
    file: Path
    config: Mapping[str, Any]
    fqn: tuple[str, ...]
    overrides: Mapping[str, Any] = field(default_factory=dict)
    description: str = ""
    columns: tuple[Column, ...] = ()
    version: Version | None = None

    @property
    def package(self) -> str:
        """The name of the package that it is in."""
        return self.fqn[0]

    @property
    def unique_id(self) -> str:
        """Dbt's permanent id."""
        tag = f".{self.version.tag}" if self.version else ""
        return f"{self.resource_type}.{self.package}.{self.name}{tag}"

    @property
    def reference(self) -> str:
        """The call that names it exactly."""
        return reference(self.name, self.version)


@dataclass(frozen=True)
class ModelSpec(DatasetSpec):
    """A model, with the text of its file; ``python`` is what its code states if it is Python.

    ``constraints`` are those of its table, besides those of its columns. After ``deprecation_date``, in ISO's
    form, it should not be read.
    """

    resource_type = "model"

    text: str = ""
    python: PythonCode | None = None
    constraints: tuple[Mapping[str, Any], ...] = ()
    deprecation_date: str = ""

    def columns_of(self, role: str) -> tuple[str, ...]:
        """Return the names of the columns with a role, in the order of the properties file."""
        return tuple(column.name for column in self.columns if column.role == role)


@dataclass(frozen=True)
class SnapshotSpec(ModelSpec):
    """A snapshot: ``text`` is that of its block, at its place in the file, or selects from a relation."""

    resource_type = "snapshot"


@dataclass(frozen=True)
class SeedSpec(DatasetSpec):
    """A CSV that is loaded into a table unchanged."""

    resource_type = "seed"


@dataclass(frozen=True)
class CheckSpec:
    """A data test as stated: a generic one on a relation or column, or a singular one (``text``).

    ``keys`` is its path in the yml file. ``overrides`` is as in :class:`DatasetSpec`.
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
    overrides: Mapping[str, Any] = field(default_factory=dict)

    @property
    def package(self) -> str:
        """The name of the package that states it."""
        return self.fqn[0]


@dataclass(frozen=True)
class Fixture:
    """Rows of a unit test: mappings of column to value, or a query that returns them (``sql``)."""

    rows: tuple[Mapping[str, Any], ...] = ()
    sql: str = ""


@dataclass(frozen=True)
class UnitTestSpec:
    """A unit test as stated: the rows that replace the model's inputs, and the rows expected from it.

    ``given`` maps an input's expression (``ref('songs')``, ``this``) to its rows. ``versions`` are those of
    the model that it tests (``include``) or not (``exclude``), all if there are none.
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
    package: str = ""
    versions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class ExposureSpec:
    """Something outside of the project that uses its data, as stated; ``depends_on`` are calls of ``ref``.

    ``facts`` are what only readers of the manifest need: the type, the owner, the address.
    """

    name: str
    path: str
    depends_on: tuple[str, ...]
    facts: Mapping[str, Any]
    config: Mapping[str, Any]
    description: str
    keys: tuple[str | int, ...]
    fqn: tuple[str, ...] = ()

    @property
    def package(self) -> str:
        """The name of the package that states it."""
        return self.fqn[0]


@dataclass(frozen=True)
class Group:
    """A group of nodes, and who owns them: only they may read the group's private models."""

    name: str
    path: str
    owner: Mapping[str, Any]
    description: str = ""
    package: str = ""

    @property
    def unique_id(self) -> str:
        """Dbt's permanent id."""
        return f"group.{self.package}.{self.name}"


@dataclass(frozen=True)
class MacroFile:
    """A file of jinja macros."""

    package: str
    path: str
    text: str


@dataclass(frozen=True)
class Contents:
    """The contents of one package's files, in the order of the files.

    ``source_fqns`` place its sources in configuration trees, ``texts`` are all its templates.
    """

    models: tuple[ModelSpec, ...]
    seeds: tuple[SeedSpec, ...]
    sources: tuple[SourceSpec, ...]
    checks: tuple[CheckSpec, ...]
    unit_tests: tuple[UnitTestSpec, ...]
    macros: tuple[MacroFile, ...]
    groups: tuple[Group, ...]
    exposures: tuple[ExposureSpec, ...]
    source_fqns: tuple[tuple[str, ...], ...]
    texts: tuple[str, ...]
    environment: frozenset[str]
    notices: tuple[Notice, ...]
