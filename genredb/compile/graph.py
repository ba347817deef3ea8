"""Puts nodes in an order in which every node follows what it depends on."""

import graphlib
import heapq
from collections.abc import Iterable, Mapping

from genredb.compile.nodes import Node, NodeKind
from genredb.errors import ProjectError

_KIND_RANK = {
    NodeKind.SOURCE: 0,
    NodeKind.SEED: 1,
    NodeKind.CHECK: 2,
    NodeKind.UNIT_TEST: 3,
    NodeKind.MODEL: 4,
}


def ordered(nodes: Iterable[Node]) -> Mapping[str, Node]:
    """Return the nodes by unique id, upstream first; a check follows its relation as soon as it can.

    A unit test comes before its model. The order is a function of the names alone. ProjectError prints a
    cycle as a path, and names a check that stands twice.
    """
    by_id: dict[str, Node] = {}
    for node in nodes:
        if node.unique_id in by_id:
            raise ProjectError(
                f"{node.path}: the {node.kind.value} '{node.name}' stands twice; "
                "remove one or give it a `name:`."
            )
        by_id[node.unique_id] = node
    edges = {node.unique_id: list(node.depends_on) for node in by_id.values()}
    for node in by_id.values():
        if node.unit_test:
            edges[node.unit_test.model].append(node.unique_id)
    sorter = prepared(by_id, edges)
    result: dict[str, Node] = {}
    ready: list[tuple[int, str]] = []
    while sorter.is_active():
        for unique_id in sorter.get_ready():
            heapq.heappush(ready, (_KIND_RANK[by_id[unique_id].kind], unique_id))
        _, unique_id = heapq.heappop(ready)
        result[unique_id] = by_id[unique_id]
        sorter.done(unique_id)
    return result


def prepared(
    nodes: Mapping[str, Node], edges: Mapping[str, Iterable[str]]
) -> "graphlib.TopologicalSorter[str]":
    """Return a sorter of nodes that depend on others of them; ProjectError prints a cycle as a path."""
    sorter = graphlib.TopologicalSorter(edges)
    try:
        sorter.prepare()
    except graphlib.CycleError as error:
        path = " → ".join(nodes[unique_id].name for unique_id in reversed(error.args[1]))
        raise ProjectError(f"The models refer to each other in a circle: {path}.") from None
    return sorter
