"""Renders jinja templates with dbt's context."""

import contextlib
import random
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

from jinja2 import FunctionLoader, StrictUndefined

from genredb.compile.context import (
    CONSTANT,
    Adapter,
    MacroReturnError,
    NeedsDatabaseError,
    ResultTable,
    modules,
)
from genredb.compile.locate import TemplateError, located_errors
from genredb.compile.macros import MACROS
from genredb.compile.nodes import Database, Relation
from genredb.compile.plain import Call, plain_parts
from genredb.compile.scope import ConfigCall, Scope, VarCall
from genredb.compile.tags import MACRO_PREFIX, TEST_PREFIX, Environment
from genredb.errors import ProjectError
from genredb.project.config import Config
from genredb.project.nodes import MacroFile
from genredb.project.template_limits import limited
from genredb.project.yml_jinja import env_var

_MISSING = object()
# What makes a text differ from run to run.
_CLOCK = re.compile(r"\b(run_started_at|invocation_id|modules\.datetime)\b")
_NOT_HERE = "graph selected_resources thread_id load_result_name connection_name".split()


class Renderer:
    """Renders the templates of one project.

    ``resolve_ref`` and ``resolve_source`` give the unique id and the relation of a name.
    ``environment_names`` gathers the environment variables that were asked for, ``messages`` what
    templates log, ``notices`` what of their configuration has no effect; ``uses_clock`` says that a
    template's text may differ from run to run.
    """

    def __init__(
        self,
        config: Config,
        resolve_ref: Callable[..., tuple[str, Relation]],
        resolve_source: Callable[[str, str], tuple[str, Relation]],
        *,
        is_full_refresh: bool = False,
    ) -> None:
        self._resolve_ref = resolve_ref
        self._resolve_source = resolve_source
        self._is_full_refresh = is_full_refresh
        self._own = config.database_name
        self._scope = Scope("")
        self._texts: dict[str, str] = {}
        self._results: dict[str, Any] = {}
        self._expressions: dict[str, Callable[..., Any]] = {}
        self.environment_names: set[str] = set()
        self.messages: list[str] = []
        self.notices: list[str] = []
        self.uses_clock = False
        self._environment = Environment(
            undefined=StrictUndefined, loader=FunctionLoader(self._load_text), keep_trailing_newline=False
        )
        self._environment.filters.update(
            as_bool=lambda value: str(value).strip().lower() == "true",
            as_native=lambda value: value,
            as_number=lambda value: float(value) if "." in str(value) else int(value),
            as_text=str,
            random=self._random,
        )
        self._globals: dict[str, Any] = self._environment.globals
        self._target = config.target
        self._globals.pop("lipsum")
        self._globals.update(self._context(config))
        self.macros: dict[str, Callable[..., Any]] = {}
        self._package = self._globals[config.name] = SimpleNamespace()

    def add_macros(self, file: MacroFile) -> None:
        """Define the macros of a file; ProjectError where it is wrong or a name stands twice."""
        self._register(file.path, file.text)
        self._environment.reads_macros = True
        try:
            with located_errors(file.path, self._texts, self._known_names), limited():
                template = self._environment.get_template(file.path)
                try:
                    # Shared: what a macro refers to is looked up in the globals when it is called.
                    module = template.make_module(self._globals, shared=True)
                except Exception:  # noqa: BLE001 - raised again, with the template's own lines
                    self._environment.handle_exception()
        finally:
            self._environment.reads_macros = False
        for full_name, macro in vars(module).items():
            if not full_name.startswith(MACRO_PREFIX):
                continue
            name = full_name.removeprefix(MACRO_PREFIX)
            if name in self.macros:
                raise ProjectError(f"{file.path}: the macro '{name}' is defined in another file already.")
            self.macros[name] = self._globals[name] = _returning(macro)
            setattr(self._package, name, self.macros[name])

    def render(self, text: str, scope: Scope) -> str:
        """Render ``text`` in ``scope``, which gathers references and configuration on the way."""
        self._enter(scope)
        self._register(scope.path, text)
        parts = None if scope.extra or scope.overrides else plain_parts(text)
        if parts is not None:
            with contextlib.suppress(Exception):  # jinja tells where in the text it is
                return "".join(part if isinstance(part, str) else str(self._call(part)) for part in parts)
        with located_errors(scope.path, self._texts, self._known_names), limited():
            return _writable(
                self._overridden(
                    scope,
                    lambda: self._environment.get_template(scope.path, globals=dict(scope.extra)).render(),
                )
            )

    def _call(self, call: Call) -> Any:
        return self._globals[call.name](*call.arguments, **dict(call.settings))

    def evaluate(self, expression: str, scope: Scope) -> Any:
        """Return the value of a jinja expression, such as ``ref('songs')``."""
        self._enter(scope)
        with located_errors(scope.path, self._texts, self._known_names), limited():
            parts = plain_parts("{{" + expression + "}}")
            if parts is not None and len(parts) == 3 and isinstance(parts[1], Call):
                return self._call(parts[1])
            if expression not in self._expressions:
                self._expressions[expression] = self._environment.compile_expression(
                    expression, undefined_to_none=False
                )
            return self._expressions[expression](**scope.extra)

    def call_named(self, name: str, scope: Scope, custom: str | None, node: Mapping[str, Any]) -> str:
        """Call generate_schema_name or generate_alias_name: the project's own, or as dbt has it."""
        self._enter(scope)
        macro = self.macros.get(name) or self._globals[f"default__{name}"]
        with located_errors(scope.path, self._texts, self._known_names), limited():
            return _writable(str(macro(custom, node)))

    def test_macro(self, kind: str) -> str | None:
        """Return the name of the project's own macro of a generic check, if it defines one."""
        return TEST_PREFIX + kind if TEST_PREFIX + kind in self.macros else None

    def known_tests(self) -> list[str]:
        """Return the names of the generic checks that the project defines."""
        return [name.removeprefix(TEST_PREFIX) for name in self.macros if name.startswith(TEST_PREFIX)]

    def _enter(self, scope: Scope) -> None:
        self._scope = scope
        self._globals.update(
            this=scope.this,
            model=scope.model,
            execute=scope.execute,
            schema=scope.this.schema if scope.this else None,
            identifier=scope.this.identifier if scope.this else None,
        )

    def _overridden(self, scope: Scope, render: Callable[[], str]) -> str:
        """Render while the macros that a unit test overrides give its values."""
        values = scope.overrides.get("macros", {})
        kept = {name: self._globals[name] for name in values if name in self._globals}
        self._globals.update({name: lambda *_a, _v=value, **_k: _v for name, value in values.items()})
        try:
            return render()
        finally:
            for name in values.keys() - kept.keys():
                del self._globals[name]
            self._globals.update(kept)

    def _context(self, config: Config) -> dict[str, Any]:
        """Return what every template may name, but for the project's own macros."""
        adapter = Adapter(self._database, self._dispatch, self._own)
        own_macros = {
            "default__generate_schema_name": self._default_schema_name,
            "generate_schema_name_for_env": self._schema_name_for_env,
            "default__generate_alias_name": self._default_alias_name,
            "load_relation": adapter.load_relation,
            "should_full_refresh": lambda: self._is_full_refresh,
            "should_store_failures": lambda: bool(self._scope.config.get("store_failures")),
        }
        config_call = ConfigCall(lambda: self._scope, self.notices)
        return {
            **MACROS,
            **CONSTANT,
            **own_macros,
            "adapter": adapter,
            "builtins": {"ref": self._ref, "source": self._source, "config": config_call},
            "config": config_call,
            "database": self._own,
            "dbt": SimpleNamespace(**MACROS, **own_macros, is_incremental=self._is_incremental),
            "env_var": self._env_var,
            "flags": SimpleNamespace(FULL_REFRESH=self._is_full_refresh, WHICH="build", STORE_FAILURES=False),
            "invocation_id": str(uuid4()),
            "is_incremental": self._is_incremental,
            "load_result": self._results.get,
            "log": self._log,
            "modules": _Lazy(self._modules),
            "print": self._log_info,
            "project_name": config.name,
            "ref": self._ref,
            "run_query": self._run_query,
            "run_started_at": datetime.now(UTC),
            "source": self._source,
            "statement": self._statement,
            "target": config.target,
            "var": VarCall(config.vars, lambda: self._scope),
        }

    def _modules(self) -> Any:
        self.uses_clock = True
        return modules()

    def _random(self, values: Any) -> Any:
        self.uses_clock = True
        return random.choice(list(values))

    def _load_text(self, path: str) -> tuple[str, str, Callable[[], bool]] | None:
        """Hand jinja the text last given for a path; its cached template holds while that is the same."""
        text = self._texts.get(path)
        if text is None:
            return None
        return text, path, lambda: self._texts.get(path) == text

    def _register(self, path: str, text: str) -> None:
        self._texts[path] = text
        self.uses_clock = self.uses_clock or bool(_CLOCK.search(text))

    def _known_names(self) -> Iterable[str]:
        return (name for name in self._globals if name not in _NOT_HERE)

    def _database(self, what: str) -> Database | None:
        """Return the database to ask, or None while a template is parsed only."""
        if not self._scope.execute:
            return None
        if self._scope.database is None:
            raise NeedsDatabaseError(what)
        return self._scope.database

    def _ref(self, *names: str, **version: Any) -> Relation:
        if not 1 <= len(names) <= 2 or not all(isinstance(name, str) for name in names):
            raise TemplateError("ref() takes the name of a model or seed.", "ref")
        if version.get("v", version.get("version")) is not None:
            raise TemplateError("genredb does not support versions of models.", "ref")
        if self._scope.is_naming:
            return Relation("", "", names[-1])
        unique_id, relation = self._resolve_ref(*names)
        self._scope.references.append(unique_id)
        return self._scope.relations.get(unique_id, relation)

    def _source(self, source_name: str, name: str) -> Relation:
        if self._scope.is_naming:
            return Relation("", "", name)
        unique_id, relation = self._resolve_source(source_name, name)
        self._scope.references.append(unique_id)
        return self._scope.relations.get(unique_id, relation)

    def _env_var(self, name: str, default: str | None = None) -> str:
        overrides = self._scope.overrides.get("env_vars", {})
        if name in overrides:
            return str(overrides[name])
        self.environment_names.add(name)
        try:
            return env_var(name, default)
        except ProjectError as error:
            raise TemplateError(str(error), name) from None

    def _is_incremental(self) -> bool:
        self._scope.asks_incremental = True
        return self._scope.is_incremental

    def _run_query(self, sql: str) -> Any:
        database = self._database("run_query")
        return None if database is None else database.query(str(sql)) or ResultTable((), ())

    def _statement(
        self, name: str | None = None, *, fetch_result: bool = False, caller: Any = None, **_options: Any
    ) -> str:
        database = self._database("statement")
        if database is not None:
            table = database.query(str(caller()))
            if name and fetch_result and table is not None:
                self._results[name] = {
                    "table": table,
                    "data": [tuple(row) for row in table.rows],
                    "response": "OK",
                }
        return ""

    def _log(self, message: Any, info: bool = False) -> str:
        if info:
            self._log_info(message)
        return ""

    def _log_info(self, message: Any) -> str:
        if self._scope.execute and str(message) not in self.messages:
            self.messages.append(str(message))
        return ""

    def _dispatch(
        self, macro_name: str, macro_namespace: str | None = None, **_rest: Any
    ) -> Callable[..., Any]:
        for name in (f"duckdb__{macro_name}", f"default__{macro_name}"):
            if name in self._globals:
                return self._globals[name]  # type: ignore[no-any-return]
        if macro_name in MACROS:
            return MACROS[macro_name]
        package = f" of the package {macro_namespace}" if macro_namespace else ""
        raise TemplateError(
            f"dispatch finds no duckdb__{macro_name} or default__{macro_name} in the project{package}; "
            "genredb supports no packages.",
            macro_name,
        )

    def _default_schema_name(self, custom_schema_name: str | None, node: Any = None) -> str:
        schema = str(self._target["schema"])
        return f"{schema}_{custom_schema_name.strip()}" if custom_schema_name else schema

    def _schema_name_for_env(self, custom_schema_name: str | None, node: Any = None) -> str:
        target = self._target
        is_production = target["name"] == "prod" and custom_schema_name
        return str(custom_schema_name).strip() if is_production else str(target["schema"])

    def _default_alias_name(self, custom_alias_name: str | None = None, node: Any = None) -> str:
        return str(custom_alias_name or node["name"])


class _Lazy:
    """Makes its mapping when a name in it is first asked for."""

    def __init__(self, make: Callable[[], Mapping[str, Any]]) -> None:
        self._make = make

    def __getattr__(self, name: str) -> Any:
        found = {} if name.startswith("_") else self._make()
        if name not in found:
            raise AttributeError(name)
        return found[name]


def _writable(text: str) -> str:
    """Return a text that can be written down; ProjectError for half a character."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ProjectError(f"the template makes {text[error.start]!a}, which is no character.") from None
    return text


def _returning(macro: Callable[..., Any]) -> Callable[..., Any]:
    """Give a macro that ``return(…)`` ends with a value."""

    def call(*arguments: Any, **named: Any) -> Any:
        try:
            return macro(*arguments, **named)
        except MacroReturnError as returned:
            return returned.value

    return call
