"""Renders jinja templates with dbt's context, and turns jinja's errors into `file:line` sentences.

A template is rendered twice: once to learn what it refers to and how it configures itself, once with
the relations of the whole project known. ``Scope`` holds what differs between templates.
"""

import os
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from jinja2 import FunctionLoader, StrictUndefined, TemplateSyntaxError, Undefined
from jinja2.exceptions import UndefinedError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from genredb.compile.nodes import Relation
from genredb.errors import ProjectError, did_you_mean
from genredb.project import MacroFile

_MISSING = object()


@dataclass
class Scope:
    """What one template sees of itself, and what it turned out to use.

    While ``is_parsing``, relations have no names yet: ref and source give empty ones.
    """

    path: str
    this: Relation | None = None
    references: list[str] = field(default_factory=list)
    config: dict[str, Any] = field(default_factory=dict)
    is_parsing: bool = False


class _ConfigCall:
    """``config(…)`` in a template records its arguments; ``config.get(…)`` reads them."""

    def __init__(self, scope: Callable[[], Scope]) -> None:
        self._scope = scope

    def __call__(self, **values: Any) -> str:
        for name, value in values.items():
            if isinstance(value, Undefined):
                raise ProjectError(
                    f"config({name}=…) names something that is not defined; is a quote missing?"
                )
        self._scope().config.update(values)
        return ""

    def get(self, name: str, default: Any = None) -> Any:
        return self._scope().config.get(name, default)


class Renderer:
    """Renders the templates of one project.

    ``resolve_ref`` and ``resolve_source`` give the unique id and the relation of a name.
    """

    def __init__(
        self,
        macros: Iterable[MacroFile],
        variables: Mapping[str, Any],
        target: Mapping[str, Any],
        resolve_ref: Callable[[str], tuple[str, Relation]],
        resolve_source: Callable[[str, str], tuple[str, Relation]],
    ) -> None:
        self._variables = variables
        self._resolve_ref = resolve_ref
        self._resolve_source = resolve_source
        self._scope = Scope("")
        self._texts: dict[str, str] = {}
        self.environment_names: set[str] = set()
        self._environment = ImmutableSandboxedEnvironment(
            undefined=StrictUndefined,
            loader=FunctionLoader(self._load_text),
            extensions=["jinja2.ext.do"],
            keep_trailing_newline=False,
        )
        self._environment.globals.clear()
        self._environment.globals.update(
            ref=self._ref,
            source=self._source,
            var=self._var,
            env_var=self._env_var,
            config=_ConfigCall(lambda: self._scope),
            target=target,
            range=range,
            dict=dict,
        )
        self.macros: dict[str, Any] = {}
        for file in macros:
            self._add_macros(file)

    def render(self, text: str, scope: Scope) -> str:
        """Render ``text`` in ``scope``, which gathers references and configuration on the way."""
        self._scope = scope
        self._environment.globals["this"] = scope.this
        self._texts[scope.path] = text
        with _located_errors(scope.path, self._known_names):
            return self._environment.get_template(scope.path).render()

    def call_macro(self, name: str, scope: Scope, **arguments: Any) -> str:
        """Call a project macro by keywords and return its text, stripped."""
        self._scope = scope
        call = f"{{{{ {name}({', '.join(f'{key}={key}' for key in arguments)}) }}}}"
        with _located_errors(scope.path, self._known_names):
            return self._environment.from_string(call).render(**arguments).strip()

    def _load_text(self, path: str) -> tuple[str, str, Callable[[], bool]] | None:
        """Hand jinja the text last given for a path; its cached template holds while that is the same."""
        text = self._texts.get(path)
        if text is None:
            return None
        return text, path, lambda: self._texts.get(path) == text

    def _add_macros(self, file: MacroFile) -> None:
        self._texts[file.path] = file.text
        with _located_errors(file.path, self._known_names):
            # Shared: what a macro refers to is looked up in the globals when it is called.
            module = self._environment.get_template(file.path).make_module(
                self._environment.globals, shared=True
            )
        found = {name: value for name, value in vars(module).items() if hasattr(value, "catch_kwargs")}
        for name in found.keys() & self.macros.keys():
            raise ProjectError(f"{file.path}: the macro '{name}' is defined in another file already.")
        self.macros.update(found)
        self._environment.globals.update(found)

    def _known_names(self) -> Iterable[str]:
        return self._environment.globals

    def _ref(self, *names: str) -> Relation:
        if not 1 <= len(names) <= 2:
            raise ProjectError("ref() takes the name of a model or seed.")
        if self._scope.is_parsing:
            return Relation("", "", names[-1])
        unique_id, relation = self._resolve_ref(names[-1])
        self._scope.references.append(unique_id)
        return relation

    def _source(self, source_name: str, name: str) -> Relation:
        if self._scope.is_parsing:
            return Relation("", "", name)
        unique_id, relation = self._resolve_source(source_name, name)
        self._scope.references.append(unique_id)
        return relation

    def _var(self, name: str, default: Any = _MISSING) -> Any:
        value = self._variables.get(name, default)
        if value is _MISSING:
            hint = did_you_mean(name, self._variables)
            raise ProjectError(f"The variable '{name}' is not set and has no default.{hint}")
        return value

    def _env_var(self, name: str, default: str | None = None) -> str:
        self.environment_names.add(name)
        value = os.environ.get(name, default)
        if value is None:
            raise ProjectError(f"The environment variable {name} is not set and has no default.")
        return value


class _located_errors:  # noqa: N801 - reads as a statement
    """Turns what jinja raises, and a ProjectError without a place, into a ProjectError with file:line."""

    def __init__(self, path: str, known_names: Callable[[], Iterable[str]]) -> None:
        self._path = path
        self._known_names = known_names

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, trace: Any) -> None:
        if error is None:
            return
        if isinstance(error, TemplateSyntaxError):
            place = f"{error.filename or self._path}:{error.lineno}"
            raise ProjectError(f"{place}: {error.message}.") from None
        place = _template_place(trace, self._path)
        if isinstance(error, UndefinedError):
            name = str(error).split("'")[1] if "'" in str(error) else ""
            raise ProjectError(f"{place}: {error}.{did_you_mean(name, self._known_names())}") from None
        if isinstance(error, ProjectError):
            raise ProjectError(f"{place}: {error}") from None
        if isinstance(error, Exception):  # whatever the user's template did
            raise ProjectError(f"{place}: {str(error).rstrip('.')}.") from None


def _template_place(trace: Any, path: str) -> str:
    """Return `file:line` of the innermost frame that is a template; jinja names templates by their path."""
    for frame in reversed(traceback.extract_tb(trace)):
        if frame.filename.endswith((".sql", ".yml", ".yaml")):
            return f"{frame.filename}:{frame.lineno}"
    return path
