"""Renders the templates of a project during compilation, and collects what they use."""

from collections.abc import Mapping
from typing import Any, TypeVar

from genredb.errors import Notice
from genredb.runner.project.specs import MacroFile
from genredb.runner.templates.given import Given, Rendered
from genredb.runner.templates.render import Renderer

Value = TypeVar("Value")


class Templates:
    """A project's templates; ``environment``, ``notices``, ``messages``, ``uses_clock`` cover all of them."""

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer
        self.environment: set[str] = set()
        self.notices: dict[Notice, None] = {}
        self.messages: dict[str, None] = {}
        self.uses_clock = False

    def add_macros(self, file: MacroFile) -> None:
        """Define the macros in a file; ProjectError if it is invalid or redefines a macro."""
        self._added(self._renderer.add_macros(file))

    def render(self, text: str, given: Given) -> Rendered[str]:
        """Return the rendered template."""
        return self._added(self._renderer.render(text, given))

    def evaluate(self, expression: str, given: Given) -> Rendered[Any]:
        """Return the value of an expression."""
        return self._added(self._renderer.evaluate(expression, given))

    def call_named(
        self, name: str, given: Given, custom: str | None, node: Mapping[str, Any]
    ) -> Rendered[str]:
        """Return the result of generate_schema_name or generate_alias_name for a custom name."""
        return self._added(self._renderer.call_named(name, given, custom, node))

    def _added(self, rendered: Rendered[Value]) -> Rendered[Value]:
        self.environment |= rendered.environment
        self.notices |= dict.fromkeys(rendered.notices)
        self.messages |= dict.fromkeys(rendered.messages)
        self.uses_clock = self.uses_clock or rendered.uses_clock
        return rendered
