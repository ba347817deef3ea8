"""Feature views: models that give columns the role ``feature``, and what the leak guard looks at for them."""

from collections.abc import Mapping

from genredb.compile.compiler import Compilation
from genredb.compile.identity import Identity, digest
from genredb.compile.nodes import Node, NodeKind
from genredb.errors import ProjectError


def feature_views(compilation: Compilation) -> list[Node]:
    """Return the models that have a column of role ``feature``, upstream ones first."""
    return [
        node
        for node in compilation.of_kind(NodeKind.MODEL)
        if node.is_built and columns_of_role(node, "feature")
    ]


def guarded_nodes(compilation: Compilation) -> list[Node]:
    """Return the feature views and all that they are made of, upstream first."""
    needed = {node.unique_id for node in feature_views(compilation)}
    for node in reversed(list(compilation.nodes.values())):
        if node.unique_id in needed:
            needed |= set(node.depends_on)
    return [node for node in compilation.nodes.values() if node.unique_id in needed]


def proof_digest(compilation: Compilation, own: Mapping[str, Identity]) -> str:
    """Return a digest of all that the guard's answer depends on; empty where there is nothing to guard."""
    parts = [
        part
        for node in guarded_nodes(compilation)
        for part in (
            node.unique_id,
            own[node.unique_id].sql_id,
            own[node.unique_id].rest if node.kind is not NodeKind.SEED else "",
            repr([(column.name, column.role) for column in node.columns]),
            str(_meta(node)),
        )
    ]
    return digest(*parts) if parts else ""


def row_filter(node: Node) -> bool:
    """Whether a feature view says that its rows depend on a label. ProjectError for another statement."""
    stated = _meta(node).get("row_filter")
    if stated not in (None, "label"):
        raise ProjectError(
            f"{node.path}: `row_filter:` of {node.name} is `label` or left out, not {stated!r}."
        )
    return stated is not None


def columns_of_role(node: Node, role: str) -> list[str]:
    """Return the names of a node's columns of one role, in order."""
    return [column.name for column in node.columns if column.role == role]


def _meta(node: Node) -> Mapping[str, object]:
    return node.config.get("meta") or {}
