"""Checks the columns described in properties files against the actual columns of relations."""

from collections.abc import Collection, Iterable, Iterator

from genredb.errors import ProjectError, ProjectErrors
from genredb.runner.execution.executor import Executor
from genredb.runner.execution.located import column_place
from genredb.runner.graph.nodes import Built, Node
from genredb.runner.project.config import Config
from genredb.warehouse.declared import Column


def refuse_unknown_columns(executor: Executor, config: Config, nodes: Iterable[Node]) -> None:
    """Raise ProjectErrors with file and line for each described column that the relation does not have."""
    faults = []
    for node in nodes:
        if isinstance(node, Built) and node.columns and not node.relation.expression:
            relation = node.relation
            known = executor.columns(str(relation.include(database=False))) if executor.kind(relation) else {}
            faults += [fault for _, fault in unknown_columns(config, node, known)] if known else []
    if faults:
        raise ProjectErrors(faults)


def unknown_columns(
    config: Config, node: Built, known: Collection[str]
) -> Iterator[tuple[Column, ProjectError]]:
    """Yield each described column that is not among the ``known`` ones of a node, with the error."""
    lower = {name.lower() for name in known}
    for column in node.columns:
        # `a.b` describes a field of the column `a`.
        if not {column.name.lower(), column.name.lower().partition(".")[0]} & lower:
            what = f"{node.name} has no column '{column.name}'"
            place = column_place(config, column)
            yield column, ProjectError(what, place=place, name=column.name, choices=known)
