"""Which descriptions a build writes into the database as comments (``persist_docs:``)."""

from collections.abc import Mapping
from dataclasses import dataclass

from genredb.runner.graph.nodes import Built, Node


@dataclass(frozen=True)
class Docs:
    """The comment of a relation, empty if it has none, and those of its columns."""

    text: str
    columns: Mapping[str, str]


def docs_of(node: Node) -> Docs | None:
    """Return the descriptions of a model, seed or snapshot that are written as comments, or None."""
    stated = node.config.get("persist_docs") if isinstance(node, Built) else None
    if not isinstance(node, Built) or not stated:
        return None
    columns = {column.name: column.description for column in node.columns} if stated.get("columns") else {}
    return Docs(node.description if stated.get("relation") else "", columns)
