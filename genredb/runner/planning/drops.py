"""Detects builds that would drop more than the user may have intended."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from genredb.errors import ConsentError
from genredb.runner.graph.compiler import Compilation
from genredb.runner.graph.materializations import adds_rows
from genredb.runner.planning.state import State


@dataclass(frozen=True)
class LargeDrop:
    """Relations that a build would drop although the user may not have intended it.

    Either they keep rows of earlier builds, which cannot be built again, or they are more than half of all
    ``built`` relations.
    """

    relations: tuple[str, ...]
    built: int
    keep_rows: bool

    def __str__(self) -> str:
        """Return the words that complete "This build would …"."""
        named = ", ".join(self.relations)
        if self.keep_rows:
            return f"drop {named} (whose rows of earlier builds cannot be rebuilt)"
        return f"drop {len(self.relations)} of the {self.built} relations: {named}"


def find_large_drop(
    compilation: Compilation, state: State, removed: Sequence[str], run: Iterable[str]
) -> LargeDrop | None:
    """Return the tables with rows of earlier builds, or most relations, that would be dropped, if any.

    ``removed`` are the relations to drop, ``run`` the unique ids of the nodes to run. A relation whose node
    moves elsewhere does not count as dropped.
    """
    gathered = {node.relation for node in state.nodes.values() if adds_rows(node.materialized)}
    replaced = [
        relation.qualified_name
        for node in map(compilation.nodes.__getitem__, run)
        if (relation := node.built_relation) and not adds_rows(node.materialized)
    ]
    built = {node.relation: unique_id for unique_id, node in state.nodes.items() if node.relation}
    lost = [relation for relation in (*removed, *replaced) if relation in gathered]
    if lost:
        return LargeDrop(tuple(lost), len(built), keep_rows=True)
    gone = [relation for relation in removed if built[relation] not in compilation.nodes]
    if 2 * len(gone) > len(built):
        return LargeDrop(tuple(gone), len(built), keep_rows=False)
    return None


def refuse_large_drop(found: LargeDrop | None) -> None:
    """Raise ConsentError if there is a large drop."""
    if found:
        cure = "fix the project, or add --allow-drops if this is intended"
        raise ConsentError(f"This build would {found}", cure=cure, option="--allow-drops")
