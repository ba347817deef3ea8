"""The frozen input and output of rendering a template."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from genredb.errors import Notice
from genredb.runner.templates.relation import Database, Relation

Value = TypeVar("Value")


@dataclass(frozen=True)
class Given:
    """The input of rendering one template.

    While ``is_naming``, relations have no names yet, and ref and source return empty ones. If ``execute`` is
    false, the template is only parsed, as in dbt: queries return nothing. ``relations`` replace the relations
    of unique ids; ``overrides`` replace vars, env_vars and macros (in unit tests). ``extra`` holds additional
    names. ``kind`` determines the keys allowed in ``config(…)``. ``package`` is the name of the package whose
    template it is.
    """

    path: str
    package: str = ""
    this: Relation | None = None
    model: Mapping[str, Any] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)
    kind: str = "model"
    database: Database | None = None
    execute: bool = True
    is_naming: bool = False
    is_incremental: bool = False
    relations: Mapping[str, Relation] = field(default_factory=dict)
    overrides: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Rendered(Generic[Value]):
    """The output of rendering a template (a string) or an expression (a value), and what it used.

    ``references`` are unique ids in order of first use. ``config`` is the given configuration with the
    additions of ``config(…)``. ``asks`` is the name by which the template queries a database if none was
    given; the value is then the one without an answer. ``messages`` were logged by the template, ``notices``
    name configuration without effect. If ``uses_clock``, the result may differ between runs.
    """

    value: Value
    references: tuple[str, ...] = ()
    config: Mapping[str, Any] = field(default_factory=dict)
    asks: str = ""
    asks_incremental: bool = False
    messages: tuple[str, ...] = ()
    notices: tuple[Notice, ...] = ()
    environment: frozenset[str] = frozenset()
    uses_clock: bool = False

    @property
    def sql(self) -> str:
        """The text as one statement, without surrounding whitespace or a trailing semicolon."""
        return str(self.value).strip().rstrip(";").rstrip()
