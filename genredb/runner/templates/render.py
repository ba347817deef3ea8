"""Renders jinja templates with dbt's context, as a function from ``Given`` to ``Rendered``."""

import contextlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from jinja2 import FunctionLoader

from genredb.errors import ProjectError
from genredb.runner.project.config import Config
from genredb.runner.project.specs import MacroFile
from genredb.runner.project.template_limits import limited
from genredb.runner.templates.context import add_context
from genredb.runner.templates.given import Given, Rendered
from genredb.runner.templates.located import located_errors
from genredb.runner.templates.macros import Macros
from genredb.runner.templates.plain import Call, plain_parts
from genredb.runner.templates.python_modules import RandomFilter
from genredb.runner.templates.references import Resolve
from genredb.runner.templates.rendering import Current, NeedsDatabaseError, Rendering
from genredb.runner.templates.tags import MACRO_PREFIX, Environment, returning
from genredb.runner.templates.undefined import UnknownName, UnknownWhileParsing

Value = TypeVar("Value")
# Names whose values differ between runs.
_CLOCK = re.compile(r"\b(run_started_at|invocation_id|modules\.datetime)\b")
_NOT_HERE = "graph selected_resources thread_id load_result_name connection_name".split()


class Renderer:
    """Renders the templates of one project; ``resolve`` holds the resolvers of ``ref`` and ``source``.

    Between renderings it keeps only compiled templates and the project's macros.
    """

    def __init__(
        self, config: Config, resolve: tuple[Resolve, Resolve], *, is_full_refresh: bool = False
    ) -> None:
        self._current = Current()
        self._missing = config.missing
        self._texts: dict[str, str] = {}
        self._expressions: dict[str, Callable[..., Any]] = {}
        self._environment = Environment(loader=FunctionLoader(self._load_text), keep_trailing_newline=False)
        self._environment.filters.update(
            as_bool=lambda value: str(value).strip().lower() == "true",
            as_native=lambda value: value,
            as_number=lambda value: float(value) if "." in str(value) else int(value),
            as_text=str,
            random=RandomFilter(self._current),
        )
        self._globals: dict[str, Any] = self._environment.globals
        self._globals.pop("lipsum")
        self.macros = Macros(config, self._globals)
        add_context(config, self._current, self.macros, resolve, is_full_refresh=is_full_refresh)

    def add_macros(self, file: MacroFile) -> Rendered[None]:
        """Define the macros in a file; ProjectError if it is invalid or redefines a macro."""
        self._texts[file.path] = file.text
        self._environment.reads_macros = True
        try:
            given = Given(file.path, file.package, execute=False)
            read = self._rendered(file.text, given, lambda: self._module(file.path))
        finally:
            self._environment.reads_macros = False
        for full_name, macro in vars(read.value).items():
            if full_name.startswith(MACRO_PREFIX):
                name = full_name.removeprefix(MACRO_PREFIX)
                self.macros.add(file.package, name, returning(macro), file.path)
        return replace(read, value=None)

    def render(self, text: str, given: Given) -> Rendered[str]:
        """Render a template; ProjectError with file and line if it is invalid."""
        self._texts[given.path] = text
        parts = None if given.extra or given.overrides else plain_parts(text)
        if parts is not None:
            with contextlib.suppress(Exception):  # on an error, jinja renders again and locates it
                return self._attempt(text, Rendering.of(given), lambda: "".join(map(self._part, parts)))
        return self._rendered(text, given, lambda: self._text(given))

    def evaluate(self, expression: str, given: Given) -> Rendered[Any]:
        """Return the value of a jinja expression, such as ``ref('songs')``."""
        parts = plain_parts("{{" + expression + "}}")
        if parts is not None and len(parts) == 3 and isinstance(call := parts[1], Call):
            with contextlib.suppress(Exception):
                return self._attempt(expression, Rendering.of(given), lambda: self._call(call))
        return self._rendered(
            expression, given, lambda: self._placed(lambda: self._expression(expression)(**given.extra))
        )

    def call_named(
        self, name: str, given: Given, custom: str | None, node: Mapping[str, Any]
    ) -> Rendered[str]:
        """Call generate_schema_name or generate_alias_name of the package, the project or dbt."""
        macro = self.macros.seen_by(given.package, name)
        if macro is None:
            with located_errors(given.path, self._texts, self._known_names, self._missing):
                own = self._globals[f"default__{name}"](custom, node)
                return Rendered(_writable(own), config=given.config)
        return self._rendered("", given, lambda: _writable(str(self._placed(lambda: macro(custom, node)))))

    def _rendered(self, text: str, given: Given, make: Callable[[], Value]) -> Rendered[Value]:
        """Render within limits; if the template needs a database and there is none, only parse it."""
        with located_errors(given.path, self._texts, self._known_names, self._missing), limited():
            rendering = Rendering.of(given)
            try:
                return self._attempt(text, rendering, make)
            except NeedsDatabaseError as asked:
                return self._attempt(text, rendering.without_answer(asked.what), make)

    def _attempt(self, text: str, rendering: Rendering, make: Callable[[], Value]) -> Rendered[Value]:
        given = rendering.given
        self.macros.show(given.package)
        self._environment.undefined = UnknownName if given.execute else UnknownWhileParsing
        self._globals.update(
            this=given.this,
            model=given.model,
            execute=given.execute,
            schema=given.this.schema if given.this else None,
            identifier=given.this.identifier if given.this else None,
        )
        rendering.uses_clock = rendering.uses_clock or bool(_CLOCK.search(text))
        with self._current.entered(rendering):
            return rendering.ended(make())

    def _part(self, part: str | Call) -> str:
        return part if isinstance(part, str) else str(self._call(part))

    def _call(self, call: Call) -> Any:
        return self._globals[call.name](*call.arguments, **dict(call.settings))

    def _expression(self, expression: str) -> Callable[..., Any]:
        if expression not in self._expressions:
            self._expressions[expression] = self._environment.compile_expression(
                expression, undefined_to_none=False
            )
        return self._expressions[expression]

    def _text(self, given: Given) -> str:
        """Render a template; macros overridden by a unit test return their given values."""
        with self.macros.replaced(given.overrides.get("macros", {})):
            return _writable(self._environment.get_template(given.path).render(dict(given.extra)))

    def _module(self, path: str) -> Any:
        """Run a macro file and return the resulting module."""
        template = self._environment.get_template(path)
        # Shared, so that the names a macro uses are looked up in the globals when it is called.
        return self._placed(lambda: template.make_module(self._globals, shared=True))

    def _placed(self, call: Callable[[], Any]) -> Any:
        """Call code compiled by jinja, rewriting tracebacks to show the template's lines."""
        try:
            return call()
        except Exception:  # noqa: BLE001 - raised again
            self._environment.handle_exception()

    def _load_text(self, path: str) -> tuple[str, str, Callable[[], bool]] | None:
        """Return the last text given for a path; jinja's cached template is valid until it changes."""
        text = self._texts.get(path)
        if text is None:
            return None
        return text, path, lambda: self._texts.get(path) == text

    def _known_names(self) -> Iterable[str]:
        return (name for name in self._globals if name not in _NOT_HERE)


def _writable(text: str) -> str:
    """Return the text if it can be encoded; ProjectError for a lone surrogate."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ProjectError(f"the template produces {text[error.start]!a}, which is not a character") from None
    return text
