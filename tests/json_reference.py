"""The JSON of commands as data: the class behind each, the page docs/json.md, and what holds JSON against it."""

import inspect
import types
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from genredb.ask.describe import ColumnFacts, RelationFacts
from genredb.ask.diff import Diff
from genredb.ask.export import ExportResult
from genredb.deps.install import Dependency
from genredb.doctor import Finding
from genredb.init import Layout
from genredb.look.plot import PlotResult
from genredb.look.site.write import SiteResult
from genredb.reports.builds import BuildReport, CleanReport, LoadReport, PlanReport
from genredb.reports.contents import LineageReport, ListedNode, ListedRelation, RelationsReport, SongsReport
from genredb.runner.results import SourceAge
from genredb.runner.run_operation import OperationResult
from genredb.songs.classifiers import Kept, KeptFacts
from genredb.songs.compare import Comparison
from genredb.songs.explain import Explanation
from genredb.songs.learn.leaderboard import Evaluation
from genredb.songs.learn.registry import Available
from genredb.songs.learn.reports import Reliability, ValueReport
from genredb.songs.learning_curve import CurvePoint
from genredb.songs.predict import PredictResult
from genredb.songs.sample.write import SampleResult
from genredb.songs.train import TrainResult

HEAD = """# The JSON of commands

This page is generated from the classes that commands print; regenerate it with
`GENREDB_UPDATE_GOLDEN=1 python -m pytest tests/test_json_shapes.py`.

No key is ever left out: unknown values are `null`, and so are NaN and infinity, which JSON does not have. Paths
and times are text.
"""

SHAPES: Mapping[str, Any] = {
    "build": BuildReport,
    "retry": BuildReport,
    "test": BuildReport,
    "freshness": list[SourceAge],
    "run-operation": OperationResult,
    "load": LoadReport,
    "plan": PlanReport,
    "ls": list[ListedNode],
    "lineage": LineageReport,
    "clean": CleanReport,
    "describe": SongsReport | RelationsReport,
    "describe RELATION": RelationFacts,
    "diff": Diff,
    "deps": list[Dependency],
    "doctor": list[Finding],
    "export": ExportResult,
    "plot": PlotResult,
    "site": SiteResult,
    "init": Layout,
    "sample": SampleResult,
    "train": TrainResult,
    "predict": PredictResult,
    "explain": list[Explanation],
    "classifiers available": list[Available],
    "classifiers list": list[Kept],
    "classifiers show": KeptFacts,
    "evaluate": list[Evaluation],
    "evaluate --by genre": list[ValueReport],
    "evaluate --by probability": Reliability,
    "evaluate --learning-curve": list[CurvePoint],
    "evaluate --compare-to": Comparison,
}
# Of `genredb mcp`; `query` answers with the rows' own columns.
TOOLS: Mapping[str, Any] = {
    "relations": list[ListedRelation],
    "columns": list[ColumnFacts],
    "lineage": LineageReport,
    "explain": list[Explanation],
}


def page() -> str:
    """Return docs/json.md."""
    commands = [f"| `genredb {name} --json` | {_words(shape)} |" for name, shape in SHAPES.items()]
    tools = [f"| `{name}` | {_words(shape)} |" for name, shape in TOOLS.items()]
    found: dict[type, None] = {}
    for shape in (*SHAPES.values(), *TOOLS.values()):
        for one in _classes(shape):
            found.setdefault(one)
    sections = [_section(one) for one in sorted(found, key=lambda one: one.__name__)]
    head = ["| command | prints |", "|---|---|", *commands]
    head += ["", "| tool of `genredb mcp` | answers |", "|---|---|", *tools]
    return "\n".join([HEAD, *head, "", *sections])


def _section(shape: Any) -> str:
    rows = [f"| `{name}` | {_words(kind)} |" for name, kind in _keys(shape).items()]
    told = (inspect.getdoc(shape) or "").replace("``", "`")
    return "\n".join([f"## {shape.__name__}", "", told, "", "| key | value |", "|---|---|", *rows, ""])


def _keys(shape: Any) -> dict[str, Any]:
    hints = get_type_hints(shape)
    return {field.name: hints[field.name] for field in fields(shape)}


def _classes(kind: Any) -> Iterator[type]:
    """Yield the dataclasses within a type."""
    if is_dataclass(kind) and isinstance(kind, type):
        yield kind
        for inner in _keys(kind).values():
            yield from _classes(inner)
    for inner in get_args(kind):
        yield from _classes(inner)


_LISTS = (tuple, list, Sequence)
_NAMES = {str: "text", bool: "true or false", int: "integer", float: "number", Any: "any value"}


def _words(kind: Any) -> str:
    """Return what JSON has for a type, in words."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return " or ".join("null" if one is types.NoneType else _words(one) for one in inner)
    if origin is Literal:
        return " or ".join(f"`{one}`" for one in inner)
    if origin in _LISTS:
        is_fixed = origin is tuple and Ellipsis not in inner
        return f"list of {', '.join(map(_words, inner if is_fixed else inner[:1]))}"
    if origin in (dict, Mapping):
        return f"object of {_words(inner[1])} by {_words(inner[0])}"
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return " or ".join(f"`{one}`" for one in kind)
    name = getattr(kind, "__name__", "")
    return f"[{name}](#{name.lower()})" if is_dataclass(kind) else _NAMES.get(kind, "text")


def faults(value: Any, kind: Any, where: str = "it") -> Iterator[str]:
    """Yield how a JSON value differs from its type: keys that lack or are too many, values of another type."""
    origin, inner = get_origin(kind), get_args(kind)
    if is_dataclass(kind):
        keys = _keys(kind)
        if isinstance(value, dict) and list(value) == list(keys):
            for name, one in keys.items():
                yield from faults(value[name], one, f"{where}.{name}")
        else:
            yield f"{where}: not the keys {list(keys)}: {value!r}"
    elif origin in (dict, Mapping):
        for name, one in value.items():
            yield from faults(one, inner[1], f"{where}.{name}")
    elif origin in _LISTS:
        parts = inner if origin is tuple and Ellipsis not in inner else [inner[0]] * len(value)
        for number, (one, part) in enumerate(zip(value, parts, strict=True)):
            yield from faults(one, part, f"{where}[{number}]")
    elif not _is_of(value, kind):
        yield f"{where}: {value!r} is not {_words(kind)}"


def _is_of(value: Any, kind: Any) -> bool:
    """Whether a value is of a type that is one of several, a literal, or has no parts."""
    if get_origin(kind) in (Union, types.UnionType):
        return any(not list(faults(value, one)) for one in get_args(kind))
    if get_origin(kind) is Literal:
        return value in get_args(kind)
    if kind is float:  # NaN is null
        return value is None or type(value) in (int, float)
    if isinstance(kind, type) and issubclass(kind, Path | datetime | StrEnum):
        return isinstance(value, str)
    return kind is Any or type(value) is kind
