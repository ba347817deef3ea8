"""Compares the columns described in properties files with the actual columns of relations."""

from collections.abc import Collection, Iterable, Iterator

from genredb.errors import Notice
from genredb.runner.execution.executor import Executor
from genredb.runner.execution.located import column_place
from genredb.runner.graph.nodes import Built, Node
from genredb.runner.project.config import Config


def missing_columns(executor: Executor, config: Config, nodes: Iterable[Node]) -> Iterator[Notice]:
    """Yield a notice with file and line for each described column that a relation does not have."""
    for node in nodes:
        if isinstance(node, Built) and node.columns and not node.relation.expression:
            relation = node.relation
            if executor.kind(relation):
                known = executor.columns(str(relation.include(database=False)))
                yield from unknown_columns(config, node, known)


def unknown_columns(config: Config, node: Built, known: Collection[str]) -> Iterator[Notice]:
    """Yield a notice for each described column that is not among the ``known`` ones of a node."""
    lower = {name.lower() for name in known}
    for column in node.columns:
        # `a.b` describes a field of the column `a`.
        if not {column.name.lower(), column.name.lower().partition(".")[0]} & lower:
            what = f"{node.name} has no column '{column.name}', which is described here"
            yield Notice(what, column_place(config, column), name=column.name, choices=tuple(known))
