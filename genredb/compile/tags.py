"""The jinja dialect: dbt's ``{% test %}`` blocks, and macros whose ``return`` gives a value.

Macros of macro files carry a prefix inside their own file, so that a call from a sibling goes through
the same callable as a call from anywhere else.
"""

from typing import Any

from jinja2 import nodes
from jinja2.ext import Extension
from jinja2.parser import Parser

from genredb.project.template_limits import LimitedEnvironment

MACRO_PREFIX = "macro__"
TEST_PREFIX = "test_"


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
    """Refuses by name the blocks that genredb does not run."""

    tags = {"snapshot", "materialization"}  # noqa: RUF012

    def parse(self, parser: Parser) -> nodes.Node:
        tag = next(parser.stream)
        plural = {"snapshot": "snapshots", "materialization": "materializations of a project's own"}
        parser.fail(f"genredb does not support {plural[tag.value]}", tag.lineno)


class _MacroParser(Parser):
    """Names the macros of a macro file with the prefix."""

    def parse_macro(self) -> nodes.Macro:
        macro = super().parse_macro()
        macro.name = MACRO_PREFIX + macro.name
        return macro


class Environment(LimitedEnvironment):
    """jinja as dbt speaks it; ``reads_macros`` while the file that is parsed holds macros."""

    reads_macros = False

    def __init__(self, **options: Any) -> None:
        super().__init__(
            extensions=["jinja2.ext.do", "jinja2.ext.loopcontrols", _TestBlock, _UnsupportedBlock],
            cache_size=-1,
            **options,
        )

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        parser = _MacroParser if self.reads_macros else Parser
        return parser(self, source, name, filename).parse()
