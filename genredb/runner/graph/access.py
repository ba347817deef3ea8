"""Who may read a model: its group alone, its package alone, or everyone (``access:``)."""

import re
from collections.abc import Iterable, Iterator, Mapping

from genredb.errors import Place, ProjectError
from genredb.runner.graph.nodes import Assertion, Check, Dataset, Exposure, Model, Node, Snapshot
from genredb.runner.project.discover import Project
from genredb.runner.project.files import read_text, yaml_line
from genredb.runner.project.stated_values import is_on


def access_of(node: Node) -> str:
    """Return the access of a model: ``private``, ``protected`` or ``public``."""
    return str(node.config.get("access") or "protected")


def group_of(node: Node) -> str:
    """Return the group of a node; empty if it is in none."""
    return str(node.config.get("group") or "")


def access_errors(
    project: Project, datasets: Mapping[str, Dataset], others: Iterable[Check | Exposure]
) -> Iterator[ProjectError]:
    """Yield an error for each unknown group, and for each node that reads a model that it may not read."""
    known = [group.name for group in project.groups]
    closed = {
        one.name for one in project.config.installed if is_on(one.content.get("restrict-access", False))
    }
    for node in (*datasets.values(), *others):
        group = group_of(node)
        if group and group not in known:
            what = f"there is no group '{group}', which {node.name} is in"
            yield ProjectError(what, place=node.path, name=group, choices=known)
        if isinstance(node, Check) and node.attached_to in datasets:  # it is in the group of what it checks
            group = group_of(datasets[node.attached_to])
        for read in (datasets[i] for i in node.depends_on if i in datasets):
            if reason := _refusal(node, group, read, closed):
                cure = "let it be public, or read another model"
                what = f"{node.label} may not read {read.name}, which is {reason}"
                yield ProjectError(what, place=_place(project, node, read.name), cure=cure)


def _refusal(node: Node, group: str, read: Dataset, closed: Iterable[str]) -> str:
    """Return why a node of a group may not read another, in words; empty if it may."""
    if not isinstance(read, Model) or isinstance(read, Snapshot):
        return ""
    access, is_elsewhere = access_of(read), node.package != read.package and read.package in closed
    if access == "private" and (not group or group != group_of(read) or is_elsewhere):
        return f"private to the group '{group_of(read)}'" if group_of(read) else "private but in no group"
    return f"protected in the package {read.package}" if access == "protected" and is_elsewhere else ""


def _place(project: Project, node: Node, name: str) -> Place:
    """Return where a node names another: the line of its file, as far as it can be found."""
    text = read_text(project.config.root / node.path)
    if isinstance(node, Assertion | Exposure) and node.keys:
        return Place(node.path, yaml_line(text, node.keys))
    found = re.search(rf"\bref\s*\([^)]*['\"]{re.escape(name)}['\"]", text)
    line = text.count("\n", 0, found.start()) + 1 if found else None
    return Place(node.path, line, text=text)
