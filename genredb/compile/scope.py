"""What differs between templates while they are rendered, and the calls that read and write it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from jinja2 import Undefined

from genredb.compile.locate import TemplateError
from genredb.compile.nodes import Database, Relation
from genredb.errors import did_you_mean
from genredb.project.keys import CONFIG, fault_of
from genredb.project.merge import config_key, merged

_MISSING = object()


@dataclass
class Scope:
    """What one template sees of itself, and what it turned out to use.

    While ``is_naming``, relations have no names yet: ref and source give empty ones. Without ``execute``
    a template is parsed only, as dbt does: whatever asks the database gets nothing. ``relations`` stand
    in for those of unique ids, ``overrides`` for vars, env_vars and macros (a unit test's). ``kind`` says
    which keys ``config(…)`` has.
    """

    path: str
    this: Relation | None = None
    model: Mapping[str, Any] = field(default_factory=dict)
    config: dict[str, Any] = field(default_factory=dict)
    references: list[str] = field(default_factory=list)
    is_naming: bool = False
    execute: bool = True
    database: Database | None = None
    is_incremental: bool = False
    asks_incremental: bool = False
    relations: Mapping[str, Relation] = field(default_factory=dict)
    overrides: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)
    kind: str = "model"


class ConfigCall:
    """``config(…)`` in a template records its arguments; ``config.get(…)`` reads them.

    ``notices`` gathers which of them have no effect.
    """

    def __init__(self, scope: Callable[[], Scope], notices: list[str]) -> None:
        self._scope = scope
        self._notices = notices

    def __call__(self, *stated: Mapping[str, Any], **values: Any) -> str:
        """Record the configuration; ProjectError where a value is not defined."""
        for mapping in stated:
            values = {**mapping, **values}
        for name, value in values.items():
            if isinstance(value, Undefined):
                raise TemplateError(
                    f"config({name}=…) names something that is not defined; is a quote missing?", name
                )
            self._examine(name, value)
        config = self._scope().config
        changed = merged(config, {config_key(name): value for name, value in values.items()})
        config.clear()
        config.update(changed)
        return ""

    def _examine(self, name: str, value: Any) -> None:
        scope = self._scope()
        fault = fault_of(config_key(name), value, CONFIG[scope.kind])
        if fault is not None and fault.is_error:
            raise TemplateError(fault.sentence, name)
        if fault is not None:
            self._notices.append(f"{scope.path}: {fault.sentence}")

    def get(self, name: str, default: Any = None, **_options: Any) -> Any:
        """Return a value of the configuration, or the default."""
        value = self._scope().config.get(config_key(name))
        return default if value is None else value

    def require(self, name: str, **_options: Any) -> Any:
        """Return a value of the configuration; ProjectError where it is not set."""
        value = self.get(name)
        if value is None:
            raise TemplateError(f"The configuration '{name}' is required and not set.", name)
        return value

    def set(self, name: str, value: Any) -> str:
        """Record one value."""
        return self(**{name: value})


class VarCall:
    """``var('name', default)``, and ``var.has_var('name')``."""

    def __init__(self, variables: Mapping[str, Any], scope: Callable[[], Scope]) -> None:
        self._variables = variables
        self._scope = scope

    def __call__(self, name: str, default: Any = _MISSING) -> Any:
        """Return a variable, or the default; ProjectError where there is neither."""
        known = self._known()
        value = known.get(name, default)
        if value is _MISSING:
            hint = did_you_mean(name, known)
            raise TemplateError(f"The variable '{name}' is not set and has no default.{hint}", name)
        return value

    def has_var(self, name: str) -> bool:
        """Whether a variable is set."""
        return name in self._known()

    def _known(self) -> Mapping[str, Any]:
        return {**self._variables, **self._scope().overrides.get("vars", {})}
