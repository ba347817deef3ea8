"""Reads what a Python model states in its code: ``dbt.ref``, ``dbt.source`` and ``dbt.config`` with literals.

The code is parsed, not run.
"""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from genredb.errors import Place, ProjectError


@dataclass(frozen=True)
class Reading:
    """A call of ``dbt.ref`` or ``dbt.source`` with its names, and the line of the file."""

    function: str
    names: tuple[str, ...]
    line: int


@dataclass(frozen=True)
class PythonCode:
    """What the code of a Python model reads and configures."""

    readings: tuple[Reading, ...] = ()
    config: Mapping[str, Any] = field(default_factory=dict)


def read_python_code(text: str, path: str) -> PythonCode:
    """Parse the code of a Python model; ProjectError with the line if it is invalid or no model."""
    try:
        module = ast.parse(text)
    except (SyntaxError, ValueError) as error:
        line, column = getattr(error, "lineno", None), getattr(error, "offset", None)
        reason = getattr(error, "msg", None) or str(error)
        raise ProjectError(f"invalid Python: {reason}", place=Place(path, line, column, text)) from None
    functions = [node for node in module.body if isinstance(node, ast.FunctionDef) and node.name == "model"]
    if not functions:
        raise ProjectError("a Python model needs a function `def model(dbt, session):`", place=path)
    arguments = [argument.arg for argument in functions[-1].args.args]
    if len(arguments) != 2:
        what = "model() of a Python model has the arguments dbt and session"
        raise ProjectError(what, place=Place(path, functions[-1].lineno))
    readings: dict[Reading, None] = {}
    config: dict[str, Any] = {}
    for call, name in _calls(functions[-1], arguments[0]):
        if name == "config":
            config |= {keyword.arg or "": _value(keyword.value, name, path) for keyword in call.keywords}
        else:
            names = tuple(_value(argument, name, path) for argument in call.args)
            if call.keywords or not all(isinstance(one, str) for one in names):
                raise ProjectError(f"dbt.{name}() takes names", place=Place(path, call.lineno))
            readings[Reading(name, names, call.lineno)] = None
    return PythonCode(tuple(readings), config)


def _calls(function: ast.FunctionDef, dbt: str) -> Iterator[tuple[ast.Call, str]]:
    """Yield the calls of methods of ``dbt`` that say what the model reads or is."""
    for node in ast.walk(function):
        called = node.func if isinstance(node, ast.Call) else None
        if isinstance(node, ast.Call) and isinstance(called, ast.Attribute):
            is_of_dbt = isinstance(called.value, ast.Name) and called.value.id == dbt
            if is_of_dbt and called.attr in ("ref", "source", "config"):
                yield node, called.attr


def _value(node: ast.expr, name: str, path: str) -> Any:
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        what = f"dbt.{name}() takes literals, since the code is not run to find what it reads"
        raise ProjectError(what, place=Place(path, node.lineno)) from None
