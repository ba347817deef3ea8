"""Checks the columns described in properties files against the actual columns of relations."""

from collections.abc import Iterable, Iterator

from genredb.errors import ProjectError, ProjectErrors
from genredb.runner.execution.executor import Executor
from genredb.runner.execution.located import column_place
from genredb.runner.graph.nodes import Built, Node
from genredb.runner.project.config import Config
from genredb.warehouse.declared import Column


def refuse_unknown_columns(executor: Executor, config: Config, nodes: Iterable[Node]) -> None:
    """Raise ProjectErrors with file and line for each described column that the relation does not have."""
    faults = [fault for node in nodes for _, fault in unknown_columns(executor, config, node)]
    if faults:
        raise ProjectErrors(faults)


def unknown_columns(executor: Executor, config: Config, node: Node) -> Iterator[tuple[Column, ProjectError]]:
    """Yield each described column that the relation of a node does not have, with the error."""
    if not isinstance(node, Built) or not node.columns:
        return
    relation = node.relation
    if relation.expression or executor.kind(relation) is None:
        return
    known = executor.columns(str(relation.include(database=False)))
    lower = {name.lower() for name in known}
    for column in node.columns:
        # `a.b` describes a field of the column `a`.
        if not {column.name.lower(), column.name.lower().partition(".")[0]} & lower:
            place = column_place(config, column)
            yield (
                column,
                ProjectError(
                    f"{node.name} has no column '{column.name}'",
                    place=place,
                    name=column.name,
                    choices=known,
                ),
            )
