"""Whether a build would drop what nobody may have meant to drop."""

from collections.abc import Iterable, Sequence

from genredb.build.state import State
from genredb.compile.compiler import Compilation
from genredb.errors import ConsentError


def large_drop(compilation: Compilation, state: State, removed: Sequence[str], run: Iterable[str]) -> str:
    """Return what would go, as the end of "This build would …": incremental tables, or most relations.

    ``removed`` are the relations to drop, ``run`` the unique ids of the nodes to run. Empty where what goes
    is little and can be built again; what its node makes elsewhere does not go.
    """
    gathered = {node.relation for node in state.nodes.values() if node.materialized == "incremental"}
    replaced = [
        node.relation.qualified_name
        for node in map(compilation.nodes.__getitem__, run)
        if node.relation and node.is_built and node.materialized != "incremental"
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
    """Raise ConsentError where there is a large drop to say."""
    if what:
        cure = "mend the project, or add --allow-drops if that is meant"
        raise ConsentError(f"This build would {what}", cure, "--allow-drops")
