"""Puts nodes in an order in which every node follows what it depends on."""

import graphlib
from collections.abc import Iterable, Mapping

from genredb.compile.nodes import Node, NodeKind
from genredb.errors import ProjectError


def ordered(nodes: Iterable[Node]) -> Mapping[str, Node]:
    """Return the nodes by unique id, upstream first; a check follows its relation as soon as it can.

    The order is a function of the names alone. ProjectError prints a cycle as a path, and names a
    check that stands twice.
    """
    by_id: dict[str, Node] = {}
    for node in nodes:
        if node.unique_id in by_id:
            raise ProjectError(
                f"{node.path}: the {node.kind.value} '{node.name}' stands twice; "
                "remove one or give it a `name:`."
            )
        by_id[node.unique_id] = node
    sorter = graphlib.TopologicalSorter({node.unique_id: node.depends_on for node in by_id.values()})
    try:
        sorter.prepare()
    except graphlib.CycleError as error:
        path = " → ".join(by_id[unique_id].name for unique_id in error.args[1])
        raise ProjectError(f"The models refer to each other in a circle: {path}.") from None
    result: dict[str, Node] = {}
    ready: list[str] = []
    while sorter.is_active():
        ready = sorted([*ready, *sorter.get_ready()], key=lambda unique_id: _rank(by_id[unique_id]))
        unique_id = ready.pop(0)
        result[unique_id] = by_id[unique_id]
        sorter.done(unique_id)
    return result


_KIND_RANK = {NodeKind.SOURCE: 0, NodeKind.SEED: 1, NodeKind.CHECK: 2, NodeKind.MODEL: 3}


def _rank(node: Node) -> tuple[int, str]:
    return _KIND_RANK[node.kind], node.unique_id
