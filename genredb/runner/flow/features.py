"""Feature views: models with columns of role ``feature``, and what the leak guard examines for them."""

from collections.abc import Mapping

from genredb.errors import ProjectError
from genredb.runner.graph.compiler import Compilation
from genredb.runner.graph.identity import Identity, digest
from genredb.runner.graph.nodes import Dataset, Model, Node, Seed

# Rows per source for the proof on data: enough for a feature that depends on a label to change.
PROOF_ROWS = 1_000


def feature_views(compilation: Compilation) -> list[Model]:
    """Return the models that have a column of role ``feature``, upstream first."""
    return [
        model for model in compilation.of_type(Model) if model.is_built and columns_of_role(model, "feature")
    ]


def guarded_nodes(compilation: Compilation) -> list[Dataset]:
    """Return the feature views and everything upstream of them, upstream first."""
    needed = {node.unique_id for node in feature_views(compilation)}
    for node in reversed(list(compilation.nodes.values())):
        if node.unique_id in needed:
            needed |= set(node.depends_on)
    return [node for node in compilation.of_type(Dataset) if node.unique_id in needed]


def proof_digest(compilation: Compilation, own: Mapping[str, Identity]) -> str:
    """Return a digest of everything the leak guard's proof depends on; empty if there is nothing to prove."""
    parts = [
        part
        for node in guarded_nodes(compilation)
        for part in (
            node.unique_id,
            own[node.unique_id].sql_id,
            own[node.unique_id].rest if not isinstance(node, Seed) else "",
            repr([(column.name, column.role) for column in node.columns]),
            str(_meta(node)),
        )
    ]
    return digest(*parts) if parts else ""


def row_filter(node: Dataset) -> bool:
    """Return True if a feature view declares that its rows depend on a label. ProjectError if invalid."""
    stated = _meta(node).get("row_filter")
    if stated not in (None, "label"):
        raise ProjectError(
            f"`row_filter:` of {node.name} can only be `label`, not {stated!r}", place=node.path
        )
    return stated is not None


def columns_of_role(node: Dataset, role: str) -> list[str]:
    """Return the names of a node's columns with a role, in order."""
    return [column.name for column in node.columns if column.role == role]


def _meta(node: Node) -> Mapping[str, object]:
    return node.config.get("meta") or {}
