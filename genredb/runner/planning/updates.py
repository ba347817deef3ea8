"""Which nodes of a plan run for changed rows alone, and which build or check everything, and why."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from genredb.runner.graph.compiler import Compilation
from genredb.runner.graph.nodes import Node

if TYPE_CHECKING:
    from genredb.runner.flow.locality import Locality


@dataclass(frozen=True)
class Updates:
    """How the nodes run whose inputs only changed in known rows; other nodes are not in it.

    ``localities`` says by unique id which of a node's rows depend on the changed ones. The tables
    ``compared`` are built anew and then compared with what they were, so that nodes downstream know what
    changed. The ``views`` count as a part of the queries that read them.
    """

    localities: "Mapping[str, Locality]" = field(default_factory=dict)
    compared: frozenset[str] = frozenset()
    views: frozenset[str] = frozenset()

    def is_incremental(self, unique_id: str) -> bool:
        """Return True if a node can run for changed rows alone."""
        return unique_id in self.localities and not self.hindrance(unique_id)

    def hindrance(self, unique_id: str) -> str:
        """Return in words why a node cannot run for changed rows alone; empty if it can, or has no need."""
        found = self.localities.get(unique_id)
        return found.why if found else ""


def is_ephemeral(node: Node) -> bool:
    """Return True if a node is a part of the queries that read it, and no relation."""
    return node.materialized == "ephemeral"


def read_by(compilation: Compilation, node: Node, views: Collection[str]) -> Iterator[str]:
    """Yield the unique ids of what a node reads, also by these ``views`` and by ephemeral models."""
    for unique_id in node.depends_on:
        read = compilation.nodes[unique_id]
        if not is_ephemeral(read):
            yield unique_id
        if unique_id in views or is_ephemeral(read):
            yield from read_by(compilation, read, views)


def inputs(compilation: Compilation, node: Node, views: Collection[str]) -> list[str]:
    """Return the unique ids of what a node reads, with these ``views`` as a part of it."""
    found = read_by(compilation, node, views)
    return list(dict.fromkeys(unique_id for unique_id in found if unique_id not in views))
