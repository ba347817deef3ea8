"""Chooses nodes by dbt's selectors: names, paths, methods, wildcards, graph operators, sets.

A selector is ``[@][n+][method:]value[+n]``. Space (or a further argument) is union, comma intersection.
What is chosen brings its checks with it.
"""

import fnmatch
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from genredb.compile.compiler import Compilation
from genredb.compile.nodes import Node, NodeKind
from genredb.errors import UsageError, did_you_mean

_CRITERION = re.compile(r"\A(@)?((\d*)\+)?(([\w.]+):)?(.*?)(\+(\d*))?\Z")
_WILDCARDS = "*?["


@dataclass(frozen=True)
class Before:
    """What selectors compare with: nodes of an earlier manifest (``state:``) and results (``result:``).

    Both are None where no such file was named or found.
    """

    nodes: Mapping[str, Mapping[str, Any]] | None = None
    results: Mapping[str, str] | None = None
    modified: Callable[[Node, Mapping[str, Any]], bool] = field(default=lambda _node, _before: False)


def select(
    compilation: Compilation,
    chosen: Sequence[str],
    excluded: Sequence[str] = (),
    before: Before | None = None,
) -> set[str]:
    """Return the unique ids that ``chosen`` names (everything, if it is empty) without ``excluded``.

    Raises UsageError for a selector that matches nothing, with what it may have meant, and where all that is
    chosen is excluded.
    """
    selector = _Selector(compilation, before or Before())
    found = selector.union(chosen) if chosen else set(compilation.nodes)
    left = found - (selector.union(excluded) if excluded else set())
    if found and not left:
        raise UsageError("--exclude leaves out everything that is selected; nothing would run.")
    return left


class _Selector:
    """Evaluates the selectors of one command."""

    def __init__(self, compilation: Compilation, before: Before) -> None:
        self._compilation = compilation
        self._nodes = compilation.nodes
        self._before = before

    def union(self, texts: Iterable[str]) -> set[str]:
        """Return what any of the texts names, and the checks of it."""
        found: set[str] = set()
        for union in (part for text in texts for part in text.split()):
            sets = [self._criterion(part) for part in union.split(",") if part]
            found |= self._with_checks(set.intersection(*sets)) if sets else set()
        return found

    def _with_checks(self, found: set[str]) -> set[str]:
        def checks(node: Node) -> bool:
            if node.unit_test:
                return node.unit_test.model in found
            return node.kind is NodeKind.CHECK and not found.isdisjoint(node.depends_on)

        return found | {unique_id for unique_id, node in self._nodes.items() if checks(node)}

    def _criterion(self, text: str) -> set[str]:
        match = _CRITERION.match(text)
        if match is None:
            raise UsageError(f"'{text}' is no selector; write [+]name[+] or [+]method:value[+].")
        at, parents, parent_depth, _, method, value, children, child_depth = match.groups()
        found = {node.unique_id for node in self._matches(method, value)}
        if not found:
            raise UsageError(f"The selector '{text}' matches nothing.{self._hint(method, value)}")
        result = set(found)
        if at:
            result |= self._reach(found, self._children, None)
            result |= self._reach(result, self._parents, None)
        if parents:
            result |= self._reach(found, self._parents, int(parent_depth) if parent_depth else None)
        if children:
            result |= self._reach(found, self._children, int(child_depth) if child_depth else None)
        return result

    def _parents(self, unique_id: str) -> Iterable[str]:
        return self._nodes[unique_id].depends_on

    def _children(self, unique_id: str) -> Iterable[str]:
        return self._compilation.children[unique_id]

    @staticmethod
    def _reach(start: Collection[str], step: Callable[[str], Iterable[str]], depth: int | None) -> set[str]:
        """Return what is reached from the start in at most ``depth`` steps, without limit if it is None."""
        reached: set[str] = set()
        edge = set(start)
        while edge and (depth is None or depth > 0):
            edge = {other for unique_id in edge for other in step(unique_id)} - reached
            reached |= edge
            depth = None if depth is None else depth - 1
        return reached

    def _matches(self, method: str | None, value: str) -> Iterator[Node]:
        if method is None:
            method = "path" if "/" in value else "file" if PurePosixPath(value).suffix in _FILES else "fqn"
        name, _, option = method.partition(".")
        if name in ("state", "result"):
            test = self._state if name == "state" else self._result
            return (node for node in self._nodes.values() if test(node, value))
        if name not in _METHODS:
            known = [*_METHODS, "state", "result"]
            raise UsageError(f"There is no selector method '{name}:'.{did_you_mean(name, known)}")
        return (node for node in self._nodes.values() if _METHODS[name](node, value, option))

    def _hint(self, method: str | None, value: str) -> str:
        nodes = self._nodes.values()
        if method in (None, "fqn"):
            named = {node.name for node in nodes if not node.is_check}
            return did_you_mean(value, named | {part for node in nodes for part in node.fqn[1:-1]})
        if method == "tag":
            return did_you_mean(value, {tag for node in nodes for tag in node.tags})
        if method == "source":
            return did_you_mean(value, {".".join(n.fqn[1:]) for n in nodes if n.kind is NodeKind.SOURCE})
        if method == "test_name":
            return did_you_mean(value, {node.check_kind for node in nodes if node.check_kind})
        if method in ("path", "file"):
            return did_you_mean(value, {node.path for node in nodes})
        return ""

    def _state(self, node: Node, value: str) -> bool:
        if self._before.nodes is None:
            raise UsageError("`state:` compares with an earlier manifest.json; name its folder by --state.")
        before = self._before.nodes.get(node.unique_id)
        if value == "new":
            return before is None
        if value == "old":
            return before is not None
        changed = before is None or self._before.modified(node, before)
        if value.startswith("modified"):
            return changed
        if value == "unmodified":
            return not changed
        choices = ("modified", "new", "old", "unmodified")
        raise UsageError(f"There is no selector 'state:{value}'.{did_you_mean(value, choices)}")

    def _result(self, node: Node, value: str) -> bool:
        if self._before.results is None:
            raise UsageError("`result:` needs the run_results.json of an earlier run; there is none.")
        return self._before.results.get(node.unique_id) == value


_FILES = frozenset((".sql", ".csv", ".yml", ".yaml"))


def _fqn(node: Node, value: str, _option: str) -> bool:
    if node.fqn and fnmatch.fnmatchcase(node.fqn[-1], value):
        return True
    wanted = value.split(".")
    for start in (0, 1):
        parts = [part for segment in node.fqn[start:] for part in segment.split(".")]
        if len(parts) >= len(wanted) and all(map(fnmatch.fnmatchcase, parts, wanted)):
            return True
    return False


def _path(node: Node, value: str, _option: str) -> bool:
    wanted = value.rstrip("/")
    path = PurePosixPath(node.path)
    folders = [str(path), *(str(folder) for folder in path.parents)]
    return any(fnmatch.fnmatchcase(folder, wanted) for folder in folders)


def _file(node: Node, value: str, _option: str) -> bool:
    path = PurePosixPath(node.path)
    return fnmatch.fnmatchcase(path.name, value) or fnmatch.fnmatchcase(path.stem, value)


def _tag(node: Node, value: str, _option: str) -> bool:
    return any(fnmatch.fnmatchcase(tag, value) for tag in node.tags)


def _source(node: Node, value: str, _option: str) -> bool:
    if node.kind is not NodeKind.SOURCE:
        return False
    wanted = value.split(".")
    parts = node.fqn if len(wanted) == 3 else node.fqn[1:]
    return all(map(fnmatch.fnmatchcase, parts, wanted))


def _config(node: Node, value: str, option: str) -> bool:
    found: Any = {"materialized": node.materialized, **node.config}
    for key in option.split("."):
        found = found.get(key) if isinstance(found, Mapping) else None
    values = found if isinstance(found, list | tuple) else [found]
    return any(fnmatch.fnmatchcase(str(item).lower(), value.lower()) for item in values if item is not None)


def _test_type(node: Node, value: str, _option: str) -> bool:
    if node.kind is NodeKind.UNIT_TEST:
        return value == "unit"
    if node.kind is not NodeKind.CHECK:
        return False
    return value in ("data", "singular" if node.check_kind == "singular" else "generic")


_METHODS: Mapping[str, Callable[[Node, str, str], bool]] = {
    "config": _config,
    "file": _file,
    "fqn": _fqn,
    "package": lambda node, value, _option: fnmatch.fnmatchcase(node.fqn[0], value) or value == "this",
    "path": _path,
    "resource_type": lambda node, value, _option: node.kind.value == value,
    "source": _source,
    "tag": _tag,
    "test_name": lambda node, value, _option: fnmatch.fnmatchcase(node.check_kind, value),
    "test_type": _test_type,
    "unit_test": lambda node, value, _option: (
        node.kind is NodeKind.UNIT_TEST and fnmatch.fnmatchcase(node.name, value)
    ),
}
