"""Sorts nodes topologically."""

import graphlib
import heapq
from collections.abc import Iterable, Mapping

from genredb.errors import ProjectError
from genredb.runner.graph.nodes import (
    Check,
    Exposure,
    Model,
    Node,
    PythonModel,
    Seed,
    Snapshot,
    Source,
    UnitTest,
)

_RANK: Mapping[type[Node], int] = {
    Source: 0,
    Seed: 1,
    Check: 2,
    UnitTest: 3,
    Snapshot: 4,
    Model: 5,
    PythonModel: 5,
    Exposure: 6,
}


def ordered(nodes: Iterable[Node]) -> Mapping[str, Node]:
    """Return the nodes by unique id, upstream first; a check follows its relation as soon as possible.

    A unit test precedes its model. The order depends only on the names. ProjectError shows a cycle as a path,
    and names duplicate checks.
    """
    by_id: dict[str, Node] = {}
    for node in nodes:
        if node.unique_id in by_id:
            raise ProjectError(
                f"the {node.resource_type} '{node.name}' is defined twice",
                place=node.path,
                cure="remove one or give it a `name:`",
            )
        by_id[node.unique_id] = node
    # What could not be compiled is missing.
    edges = {node.unique_id: [i for i in node.depends_on if i in by_id] for node in by_id.values()}
    for node in by_id.values():
        if isinstance(node, UnitTest):
            edges[node.model].append(node.unique_id)
    sorter = prepared(by_id, edges)
    result: dict[str, Node] = {}
    ready: list[tuple[int, str]] = []
    while sorter.is_active():
        for unique_id in sorter.get_ready():
            heapq.heappush(ready, (_RANK[type(by_id[unique_id])], unique_id))
        _, unique_id = heapq.heappop(ready)
        result[unique_id] = by_id[unique_id]
        sorter.done(unique_id)
    return result


def prepared(
    nodes: Mapping[str, Node], edges: Mapping[str, Iterable[str]]
) -> "graphlib.TopologicalSorter[str]":
    """Return a sorter for nodes and their dependencies; ProjectError shows a cycle as a path."""
    sorter = graphlib.TopologicalSorter(edges)
    try:
        sorter.prepare()
    except graphlib.CycleError as error:
        path = " → ".join(nodes[unique_id].name for unique_id in reversed(error.args[1]))
        raise ProjectError(f"The models form a cycle: {path}") from None
    return sorter
