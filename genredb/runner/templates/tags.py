"""Extends jinja as dbt does: ``{% test %}`` blocks, and macros that return values by ``return``.

Macros in macro files carry a prefix inside their own file, so that calls from the same file go through the
same callable as calls from anywhere else.
"""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from jinja2 import nodes
from jinja2.ext import Extension
from jinja2.parser import Parser

from genredb.runner.project.template_limits import LimitedEnvironment
from genredb.runner.templates.undefined import UNSET, UnknownName, empty_what_branches_set, unset

MACRO_PREFIX = "macro__"
TEST_PREFIX = "test_"
_OWN_MATERIALIZATIONS = ("view", "table", "incremental", "snapshot", "seed", "test", "unit", "external")


class Namespace(SimpleNamespace):
    """The macros of a package, as templates see them by its name."""


class MacroReturnError(Exception):
    """Carries the value of ``return(…)`` out of a macro."""

    def __init__(self, value: Any) -> None:
        super().__init__("return() outside a macro")
        self.value = value


def return_value(value: Any) -> None:
    """Return from the calling macro; available in templates as ``return``."""
    raise MacroReturnError(value)


def returning(macro: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a macro so that ``return(…)`` ends it with a value."""

    def call(*arguments: Any, **named: Any) -> Any:
        try:
            return macro(*arguments, **named)
        except MacroReturnError as returned:
            return returned.value

    return call


class _TestBlock(Extension):
    """``{% test name(model, column_name) %} … {% endtest %}`` defines the macro ``test_name``."""

    tags = {"test", "data_test"}  # noqa: RUF012 - jinja's way

    def parse(self, parser: Parser) -> nodes.Node:
        tag = next(parser.stream)
        macro = nodes.Macro(lineno=tag.lineno)
        macro.name = MACRO_PREFIX + TEST_PREFIX + parser.parse_assign_target(name_only=True).name
        parser.parse_signature(macro)
        macro.body = parser.parse_statements((f"name:end{tag.value}",), drop_needle=True)
        return macro


class _UnsupportedBlock(Extension):
    """Rejects blocks that would have an effect in dbt.

    A materialization of another name is passed over: a model that states it is an error.
    """

    tags = {"snapshot", "materialization"}  # noqa: RUF012

    def parse(self, parser: Parser) -> nodes.Node:
        tag = next(parser.stream)
        if tag.value == "snapshot":
            parser.fail("a snapshot should be in a file of `snapshot-paths:`", tag.lineno)
        name = parser.stream.expect("name").value
        if name in _OWN_MATERIALIZATIONS:
            parser.fail(f"genredb does not support other materializations named '{name}'", tag.lineno)
        while parser.stream.current.type != "block_end":
            next(parser.stream)
        parser.parse_statements(("name:endmaterialization",), drop_needle=True)
        return nodes.Output([], lineno=tag.lineno)


class _MacroParser(Parser):
    """Adds the prefix to the macros of a macro file."""

    def parse_macro(self) -> nodes.Macro:
        macro = super().parse_macro()
        macro.name = MACRO_PREFIX + macro.name
        return macro


class Environment(LimitedEnvironment):
    """jinja with dbt's extensions; ``reads_macros`` is true while a macro file is parsed."""

    reads_macros = False

    def __init__(self, **options: Any) -> None:
        super().__init__(
            extensions=["jinja2.ext.do", "jinja2.ext.loopcontrols", _TestBlock, _UnsupportedBlock],
            cache_size=-1,
            undefined=UnknownName,
            **options,
        )
        self.filters[UNSET] = unset

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        parser = _MacroParser if self.reads_macros else Parser
        template = parser(self, source, name, filename).parse()
        empty_what_branches_set(template)
        template.set_environment(self)
        return template

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Return True for a name that templates may read: a macro of a package may begin with a _, too."""
        is_macro = isinstance(obj, Namespace) and not attr.startswith("__")
        return is_macro or super().is_safe_attribute(obj, attr, value)
