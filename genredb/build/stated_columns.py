"""Holds the columns that a properties file describes against those that a relation has."""

from collections.abc import Iterable, Iterator

from genredb.build.locate import column_place
from genredb.compile.nodes import Node, NodeKind
from genredb.errors import ProjectErrors, did_you_mean
from genredb.project.config import Config
from genredb.warehouse.database import Connection, column_types, relation_exists


def refuse_unknown_columns(connection: Connection, config: Config, nodes: Iterable[Node]) -> None:
    """Raise ProjectErrors, with file and line, for each column described of a node that it does not have."""
    faults = [fault for node in nodes for fault in _faults(connection, config, node)]
    if faults:
        raise ProjectErrors(faults)


def _faults(connection: Connection, config: Config, node: Node) -> Iterator[str]:
    relation = node.relation
    if node.kind not in (NodeKind.MODEL, NodeKind.SEED) or not node.columns or relation is None:
        return
    if relation.expression or not relation_exists(connection, str(relation.schema), relation.identifier):
        return
    known = column_types(connection, str(relation.schema), relation.identifier)
    lower = {name.lower() for name in known}
    for column in node.columns:
        # `a.b` describes a field of the column `a`.
        if not {column.name.lower(), column.name.lower().partition(".")[0]} & lower:
            place = column_place(config, column)
            yield f"{place}: {node.name} has no column '{column.name}'.{did_you_mean(column.name, known)}"
