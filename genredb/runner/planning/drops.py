"""Detects builds that would drop more than the user may have intended."""

from collections.abc import Iterable, Sequence

from genredb.errors import ConsentError
from genredb.runner.graph.compiler import Compilation
from genredb.runner.graph.materializations import adds_rows
from genredb.runner.planning.state import State


def large_drop(compilation: Compilation, state: State, removed: Sequence[str], run: Iterable[str]) -> str:
    """Return what would be dropped, to complete "This build would …": incremental tables, or most relations.

    ``removed`` are the relations to drop, ``run`` the unique ids of the nodes to run. Empty if little is
    dropped and it can be rebuilt; a relation whose node moves elsewhere does not count as dropped.
    """
    gathered = {node.relation for node in state.nodes.values() if adds_rows(node.materialized)}
    replaced = [
        relation.qualified_name
        for node in map(compilation.nodes.__getitem__, run)
        if (relation := node.built_relation) and not adds_rows(node.materialized)
    ]
    lost = [relation for relation in (*removed, *replaced) if relation in gathered]
    if lost:
        return f"drop {', '.join(lost)}, incremental, whose rows cannot be built again"
    built = {node.relation: unique_id for unique_id, node in state.nodes.items() if node.relation}
    gone = [relation for relation in removed if built[relation] not in compilation.nodes]
    if 2 * len(gone) > len(built):
        return f"drop {len(gone)} of the {len(built)} relations: {', '.join(gone)}"
    return ""


def refuse_large_drop(what: str) -> None:
    """Raise ConsentError if ``what`` names a large drop."""
    if what:
        cure = "fix the project, or add --allow-drops if this is intended"
        raise ConsentError(f"This build would {what}", cure=cure, option="--allow-drops")
