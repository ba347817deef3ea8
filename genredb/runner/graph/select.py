"""Selects nodes with dbt's selectors: names, paths, methods, wildcards, graph operators, set operators.

A selector is ``[@][n+][method:]value[+n]``. Space (or a further argument) is union, comma intersection.
Selected nodes include their checks.
"""

import fnmatch
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from genredb.errors import UsageError
from genredb.runner.graph.access import access_of
from genredb.runner.graph.compiler import Compilation
from genredb.runner.graph.nodes import Check, Exposure, Model, Node, Source, UnitTest

_CRITERION = re.compile(r"\A(@)?((\d*)\+)?(([\w.]+):)?(.*?)(\+(\d*))?\Z")
_WILDCARDS = "*?["


@dataclass(frozen=True)
class Before:
    """What selectors compare with: nodes of an earlier manifest (``state:``) and results (``result:``).

    ``fresher`` are the sources with newer rows than then. Each is None if no such file was given or found.
    """

    nodes: Mapping[str, Mapping[str, Any]] | None = None
    results: Mapping[str, str] | None = None
    modified: Callable[[Node, Mapping[str, Any]], bool] = field(default=lambda _node, _before: False)
    fresher: frozenset[str] | None = None


def select(
    compilation: Compilation,
    chosen: Sequence[str],
    excluded: Sequence[str] = (),
    before: Before | None = None,
) -> set[str]:
    """Return the unique ids selected by ``chosen`` (all nodes if it is empty), minus ``excluded``.

    Raises UsageError, with a suggestion, for a selector that matches nothing, and if everything selected is
    excluded.
    """
    selector = _Selector(compilation, before or Before())
    found = selector.union(chosen) if chosen else set(compilation.nodes)
    left = found - (selector.union(excluded) if excluded else set())
    if found and not left:
        raise UsageError("--exclude removes everything that is selected; nothing would run")
    return left


class _Selector:
    """Evaluates the selectors of one command."""

    def __init__(self, compilation: Compilation, before: Before) -> None:
        self._compilation = compilation
        self._nodes = compilation.nodes
        self._before = before
        # Methods that need more than the node: earlier artifacts, or the other versions of a model.
        self._comparing = {
            "state": self._state,
            "result": self._result,
            "source_status": self._source_status,
            "version": self._version,
        }

    def union(self, texts: Iterable[str]) -> set[str]:
        """Return the nodes that any of the texts selects, with their checks."""
        found: set[str] = set()
        for union in (part for text in texts for part in text.split()):
            sets = [self._criterion(part) for part in union.split(",") if part]
            found |= self._with_checks(set.intersection(*sets)) if sets else set()
        return found

    def _with_checks(self, found: set[str]) -> set[str]:
        def checks(node: Node) -> bool:
            if isinstance(node, UnitTest):
                return node.model in found
            return isinstance(node, Check) and not found.isdisjoint(node.depends_on)

        return found | {unique_id for unique_id, node in self._nodes.items() if checks(node)}

    def _criterion(self, text: str) -> set[str]:
        match = _CRITERION.match(text)
        if match is None:
            raise UsageError(f"'{text}' is not a selector", cure="write [+]name[+] or [+]method:value[+]")
        at, parents, parent_depth, _, method, value, children, child_depth = match.groups()
        found = {node.unique_id for node in self._matches(method, value)}
        if not found:
            known = self._known_to(method)
            raise UsageError(f"The selector '{text}' matches nothing", name=value, choices=known)
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
        """Return the nodes reachable in at most ``depth`` steps, or in any number if it is None."""
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
        if test := self._comparing.get(name):
            return (node for node in self._nodes.values() if test(node, value))
        if name not in _METHODS:
            known = [*_METHODS, *self._comparing]
            raise UsageError(f"There is no selector method '{name}:'", name=name, choices=known)
        if name == "package" and value == "this":
            value = self._compilation.project.config.name
        return (node for node in self._nodes.values() if _METHODS[name](node, value, option))

    def _known_to(self, method: str | None) -> set[str]:
        """Return the values that a method accepts; empty if they cannot be listed."""
        nodes = self._nodes.values()
        if method in (None, "fqn"):
            named = {node.name for node in nodes if not node.is_check}
            return named | {part for node in nodes for part in node.fqn[1:-1]}
        if method == "tag":
            return {tag for node in nodes for tag in node.tags}
        if method in ("source", "exposure"):
            kind = Source if method == "source" else Exposure
            return {
                ".".join(n.fqn[1:] if kind is Source else (n.name,)) for n in nodes if isinstance(n, kind)
            }
        if method == "test_name":
            return {node.check_kind for node in nodes if isinstance(node, Check)}
        if method in ("path", "file"):
            return {node.path for node in nodes}
        return set()

    def _state(self, node: Node, value: str) -> bool:
        if self._before.nodes is None:
            raise UsageError("`state:` needs an earlier manifest.json", cure="give its folder with --state")
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
        raise UsageError(f"There is no selector 'state:{value}'", name=value, choices=choices)

    def _version(self, node: Node, value: str) -> bool:
        if value not in _VERSIONS:
            raise UsageError(f"There is no selector 'version:{value}'", name=value, choices=_VERSIONS)
        if node.resource_type != Model.resource_type:
            return False
        version = self._compilation.project.models[node.unique_id].version
        return value == (version.age if version else "none")

    def _result(self, node: Node, value: str) -> bool:
        if self._before.results is None:
            raise UsageError("`result:` needs the run_results.json of an earlier run; there is none")
        return self._before.results.get(node.unique_id) == value

    def _source_status(self, node: Node, value: str) -> bool:
        if value != "fresher":
            choices = ("fresher",)
            raise UsageError(f"There is no selector 'source_status:{value}'", name=value, choices=choices)
        if self._before.fresher is None:
            raise UsageError(
                "`source_status:` needs sources.json of `genredb freshness` and an earlier one",
                cure="run it, and give the folder of the earlier one with --state",
            )
        return node.unique_id in self._before.fresher


_VERSIONS = ("latest", "prerelease", "old", "none")
_FILES = frozenset((".sql", ".csv", ".yml", ".yaml"))


def _fqn(node: Node, value: str, _option: str) -> bool:
    wanted = value.split(".")
    if isinstance(node, Model) and node.is_versioned:
        if fnmatch.fnmatchcase(node.name, value) or "_".join(node.fqn[-2:]) == "_".join(wanted[-2:]):
            return True
    elif node.fqn and fnmatch.fnmatchcase(node.fqn[-1], value):
        return True
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
    if not isinstance(node, Source):
        return False
    wanted = value.split(".")
    parts = node.fqn if len(wanted) == 3 else node.fqn[1:]
    return all(map(fnmatch.fnmatchcase, parts, wanted))


def _exposure(node: Node, value: str, _option: str) -> bool:
    package, _, name = value.rpartition(".")
    if not isinstance(node, Exposure) or not fnmatch.fnmatchcase(node.package, package or "*"):
        return False
    return fnmatch.fnmatchcase(node.name, name)


def _config(node: Node, value: str, option: str) -> bool:
    found: Any = {"materialized": node.materialized, **node.config}
    for key in option.split("."):
        found = found.get(key) if isinstance(found, Mapping) else None
    values = found if isinstance(found, list | tuple) else [found]
    return any(fnmatch.fnmatchcase(str(item).lower(), value.lower()) for item in values if item is not None)


def _test_type(node: Node, value: str, _option: str) -> bool:
    if isinstance(node, UnitTest):
        return value == "unit"
    if not isinstance(node, Check):
        return False
    return value in ("data", "singular" if node.check_kind == "singular" else "generic")


_METHODS: Mapping[str, Callable[[Node, str, str], bool]] = {
    "access": lambda node, value, _option: node.resource_type == "model" and access_of(node) == value,
    "config": _config,
    "exposure": _exposure,
    "file": _file,
    "fqn": _fqn,
    "group": lambda node, value, _option: fnmatch.fnmatchcase(str(node.config.get("group") or ""), value),
    "package": lambda node, value, _option: fnmatch.fnmatchcase(node.package, value),
    "path": _path,
    "resource_type": lambda node, value, _option: node.resource_type == value,
    "source": _source,
    "tag": _tag,
    "test_name": lambda node, value, _option: (
        isinstance(node, Check) and fnmatch.fnmatchcase(node.check_kind, value)
    ),
    "test_type": _test_type,
    "unit_test": lambda node, value, _option: (
        isinstance(node, UnitTest) and fnmatch.fnmatchcase(node.name, value)
    ),
}
