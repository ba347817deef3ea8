"""Fingerprints: a node whose fingerprint is that of its last build need not be built again."""

import hashlib
import json
from collections.abc import Mapping

from genredb.compile.compiler import Compilation
from genredb.compile.nodes import Node, NodeKind


def fingerprints(compilation: Compilation, contents: Mapping[str, str]) -> dict[str, str]:
    """Return a fingerprint for each node: its SQL, configuration, relation and everything upstream.

    ``contents`` maps the unique ids of sources and seeds to a digest of what they hold; a source that
    genredb does not load has none and counts as unchanging.
    """
    result: dict[str, str] = {}
    for node in compilation.nodes.values():
        stated = [
            node.sql,
            node.materialized,
            node.relation.qualified_name if node.relation else None,
            _configuration(node),
            contents.get(node.unique_id, ""),
            [result[unique_id] for unique_id in node.depends_on],
        ]
        result[node.unique_id] = hashlib.sha256(json.dumps(stated).encode()).hexdigest()[:32]
    return result


def _configuration(node: Node) -> str:
    """Return the configuration as text; what a source says of its columns is in its load's digest."""
    if node.kind is NodeKind.SOURCE:
        return ""
    return json.dumps(dict(node.config), sort_keys=True, default=str)
