"""The verb ``ls``: list the nodes of a project, upstream first."""

from collections.abc import Sequence
from pathlib import Path

from genredb.runner.artifacts.manifest import read_before
from genredb.runner.graph.nodes import Node
from genredb.runner.graph.select import select
from genredb.runner.opened import Opened


def ls(
    opened: Opened,
    selected: Sequence[str] = (),
    excluded: Sequence[str] = (),
    state_dir: Path | None = None,
    resource_type: str | None = None,
) -> list[Node]:
    """Return the selected nodes, optionally only those of one of dbt's resource types.

    UsageError for a selector that matches nothing.
    """
    compilation = opened.compilation
    chosen = select(compilation, selected, excluded, read_before(opened.config, state_dir))
    return [
        node
        for node in compilation.nodes.values()
        if node.unique_id in chosen and resource_type in (None, node.resource_type)
    ]
