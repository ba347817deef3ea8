"""Which nodes of a plan run for changed rows alone, and which build or check everything, and why."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from genredb.runner.flow.locality import Locality


@dataclass(frozen=True)
class Updates:
    """How the nodes run whose inputs only changed in known rows; other nodes are not in it.

    ``localities`` says by unique id which of a node's rows depend on the changed ones. The tables
    ``compared`` are built anew and then compared with what they were, so that nodes downstream know what
    changed.
    """

    localities: "Mapping[str, Locality]" = field(default_factory=dict)
    compared: frozenset[str] = frozenset()

    def is_incremental(self, unique_id: str) -> bool:
        """Return True if a node can run for changed rows alone."""
        return unique_id in self.localities and not self.hindrance(unique_id)

    def hindrance(self, unique_id: str) -> str:
        """Return in words why a node cannot run for changed rows alone; empty if it can, or has no need."""
        found = self.localities.get(unique_id)
        return found.why if found else ""
