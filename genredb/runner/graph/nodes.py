"""The frozen output of compilation: the nodes of the graph, with a class for each kind."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from genredb.runner.graph.contract import Contract
from genredb.runner.graph.materializations import MATERIALIZATIONS, Materialization
from genredb.runner.project.source_freshness import Freshness
from genredb.runner.project.specs import Fixture
from genredb.runner.templates.relation import Relation
from genredb.warehouse.declared import Column


@dataclass(frozen=True, kw_only=True)
class Node:
    """A node of the graph. ``depends_on`` holds unique ids, ``path`` is the file that defines it.

    ``resource_type`` is dbt's name for its kind; the unique id starts with it.
    """

    resource_type: ClassVar[str]

    unique_id: str
    name: str
    path: str
    fqn: tuple[str, ...] = ()
    config: Mapping[str, Any] = field(default_factory=dict)
    description: str = ""
    depends_on: tuple[str, ...] = ()

    @property
    def package(self) -> str:
        """The name of the project, or of the package, that states it."""
        return self.fqn[0]

    @property
    def tags(self) -> tuple[str, ...]:
        """The node's tags, without duplicates."""
        return tuple(dict.fromkeys(str(tag) for tag in self.config.get("tags") or ()))

    @property
    def label(self) -> str:
        """The display name of the node."""
        return self.name

    @property
    def materialized(self) -> str:
        """What running it creates, in one word: ``table``, ``view``, ``check`` …."""
        return self.resource_type

    @property
    def built_relation(self) -> Relation | None:
        """The relation that a build creates for this node, or None."""
        return None

    @property
    def is_built(self) -> bool:
        """True if a build creates a relation for this node."""
        return self.built_relation is not None

    @property
    def is_check(self) -> bool:
        """True if this node checks others and creates nothing itself."""
        return False


@dataclass(frozen=True, kw_only=True)
class Dataset(Node):
    """A node with rows: a source, seed or model. ``columns`` are those described in a file."""

    relation: Relation
    columns: tuple[Column, ...] = ()

    @property
    def label(self) -> str:
        """Its relation without the schema ``main``, or its name if it is only a CTE."""
        if self.relation.is_cte:
            return self.name
        is_main = self.relation.schema == "main" and not self.relation.is_attached
        return self.relation.identifier if is_main else self.relation.qualified_name


@dataclass(frozen=True, kw_only=True)
class Source(Dataset):
    """A table that a build loads or finds. It depends on the model that creates it, if any."""

    resource_type = "source"

    freshness: Freshness | None = None

    @property
    def materialized(self) -> str:
        """Sources count as tables."""
        return "table"


@dataclass(frozen=True, kw_only=True)
class Seed(Dataset):
    """A CSV that is loaded into a table unchanged."""

    resource_type = "seed"

    @property
    def built_relation(self) -> Relation:
        """Its own relation."""
        return self.relation


@dataclass(frozen=True, kw_only=True)
class Model(Dataset):
    """A query whose rows become a table or a view. ``template`` is the text of its file.

    ``sql`` runs on a first build, ``incremental_sql`` if the relation exists. If the SQL is known only when
    the model runs, ``dynamic`` is the call that makes it so (else empty), and ``sql`` is what could be
    rendered without a database. ``hooks`` are the texts of its hooks, as far as they are known. ``contract``
    is what its columns must be, if it has one.
    """

    resource_type = "model"
    language: ClassVar[str] = "sql"

    template: str = ""
    sql: str = ""
    incremental_sql: str = ""
    dynamic: str = ""
    hooks: tuple[str, ...] = ()
    contract: Contract | None = None

    @property
    def materialized(self) -> str:
        """The name of its entry in MATERIALIZATIONS."""
        return str(self.config["materialized"])

    @property
    def materialization(self) -> Materialization:
        """Its entry in MATERIALIZATIONS."""
        return MATERIALIZATIONS[self.materialized]

    @property
    def is_versioned(self) -> bool:
        """True if it is one of several versions of a model."""
        return self.unique_id.endswith(f".{self.name}.{self.fqn[-1]}")

    @property
    def keeps_rows(self) -> bool:
        """True if its relation may store rows of earlier builds."""
        return self.materialization.adds_rows

    @property
    def built_relation(self) -> Relation | None:
        """Its own relation, or None if its readers contain its query."""
        return self.relation if self.materialization.function else None


@dataclass(frozen=True, kw_only=True)
class PythonModel(Model):
    """A model whose rows Python code computes; ``template`` is the code, and there is no SQL.

    ``readings`` maps ``ref`` or ``source`` and the names of a call to the unique id of what is read.
    """

    language = "python"

    readings: Mapping[tuple[str, ...], str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Snapshot(Model):
    """A query whose rows are kept in all their versions: each build adds those that changed."""

    resource_type = "snapshot"


@dataclass(frozen=True, kw_only=True)
class Assertion(Node):
    """A check or a unit test: it passes or fails. ``keys`` is its path in a yml file."""

    sql: str
    template: str = ""
    keys: tuple[str | int, ...] = ()

    @property
    def is_check(self) -> bool:
        """Always true."""
        return True

    @property
    def severity(self) -> str:
        """``error`` or ``warn``: the effect of a failure."""
        return str(self.config.get("severity", "error")).lower()


@dataclass(frozen=True, kw_only=True)
class Check(Assertion):
    """A query for rows that should not exist. ``relation`` is where they are stored if requested.

    ``check_kind`` is the name of a generic check, with its ``column`` and ``arguments``, and ``attached_to``
    the unique id of the checked node; other checks are ``singular``. ``dynamic`` is as in :class:`Model`, and
    ``extra`` has the names that only its template knows.
    """

    resource_type = "test"

    relation: Relation
    dynamic: str = ""
    check_kind: str = "singular"
    attached_to: str = ""
    column: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """Its name, shortened if it is long."""
        return self.relation.identifier

    @property
    def materialized(self) -> str:
        """Always ``check``."""
        return "check"


@dataclass(frozen=True, kw_only=True)
class UnitTest(Assertion):
    """A model's SQL over the ``given`` rows, and the rows expected from it.

    ``model`` is a unique id; ``given`` maps the unique ids of its inputs to their relation and rows.
    """

    resource_type = "unit_test"

    model: str
    given: Mapping[str, tuple[Relation, Fixture]]
    expect: Fixture
    overrides: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Exposure(Node):
    """Something outside of the project that uses its data: a dashboard, a notebook. It is never built.

    ``keys`` is its path in the yml file, ``facts`` are its type, owner and address.
    """

    resource_type = "exposure"

    keys: tuple[str | int, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Hook(Node):
    """SQL of the project's ``on-run-start`` or ``on-run-end``."""

    resource_type = "operation"

    template: str


# Nodes with pre- and post-hooks; nodes whose template becomes SQL.
Built = Seed | Model
Compiled = Model | Check | UnitTest


def is_blank(sql: str) -> bool:
    """Return True if a text contains no SQL except comments."""
    return not re.sub(r"--[^\n]*|/\*.*?\*/|;", "", sql, flags=re.DOTALL).strip()
