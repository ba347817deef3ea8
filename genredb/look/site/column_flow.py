"""The columns of the graph and how each comes from others, from the headers of raw files to the exports."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from genredb.look.site.dag import Dag, Step, file_id
from genredb.runner.flow.lineage import ColumnRef, Lineage
from genredb.runner.flow.values import How

if TYPE_CHECKING:
    from collections.abc import Iterator

# The one column of a step of the Python layer: all that it learned.
LEARNED = ""


@dataclass(frozen=True, order=True)
class NodeColumn:
    """A column of a node, given by its unique id, as the project spells it."""

    node: str
    name: str


@dataclass(frozen=True)
class Contribution:
    """How ``source`` contributes to ``target``."""

    target: NodeColumn
    source: NodeColumn
    how: How


@dataclass(frozen=True)
class ColumnFlow:
    """The columns of each node in order, and all contributions.

    ``unresolved`` maps a node to why its columns could not be traced.
    """

    columns: Mapping[str, tuple[NodeColumn, ...]]
    contributions: tuple[Contribution, ...]
    unresolved: Mapping[str, str]

    @cached_property
    def sources(self) -> Mapping[NodeColumn, tuple[Contribution, ...]]:
        """The contributions to each column that has any; values come first."""
        found: dict[NodeColumn, list[Contribution]] = {}
        for one in self.contributions:
            found.setdefault(one.target, []).append(one)
        return {
            target: tuple(sorted(ones, key=lambda one: (one.how is not How.VALUE, one.how, one.source)))
            for target, ones in found.items()
        }


def read_column_flow(lineage: Lineage, dag: Dag) -> ColumnFlow:
    """Trace every column of the project once."""
    names = dict(_names(lineage))
    columns: dict[str, list[NodeColumn]] = {node: [] for node in dag.nodes}
    for own in names.values():
        columns[own.node].append(own)
    found: dict[Contribution, None] = {}
    for step in dag.steps:
        columns[step.unique_id].append(NodeColumn(step.unique_id, LEARNED))
    for ref, own in names.items():
        header = _header(lineage, ref, own)
        if header is not None and header.node in columns:
            columns[header.node].append(header)
            found[Contribution(own, header, How.VALUE)] = None
    writers = {node: step for step in dag.steps for node in step.writes}
    for edge in lineage.edges():
        target, source = names[edge.target], names.get(edge.source)
        if source is None:  # a column that its relation turned out not to have
            continue
        if edge.how is How.CLASSIFIER and target.node in writers:
            found.update(dict.fromkeys(_through(writers[target.node], dag.steps, target, source)))
        else:
            found[Contribution(target, source, edge.how)] = None
    return ColumnFlow(
        {node: tuple(dict.fromkeys(own)) for node, own in columns.items()},
        tuple(found),
        dict(_unresolved(lineage)),
    )


def coded(flow: ColumnFlow, dag: Dag, paths: Mapping[str, str]) -> dict[str, Any]:
    """Return nodes, columns and contributions as lists of numbers and of names, each name once.

    A column is the place of its node and of its name; a contribution is target, source and way.
    """
    names: dict[str, int] = {}
    ways = {how.value: place for place, how in enumerate(How)}
    numbers: dict[NodeColumn, int] = {}
    columns: list[int] = []
    for node, own in flow.columns.items():
        for one in own:
            numbers[one] = len(numbers)
            columns += (dag.places[node], names.setdefault(one.name, len(names)))
    return {
        "nodes": [[node.label, paths[unique_id], node.what] for unique_id, node in dag.nodes.items()],
        "names": list(names),
        "ways": list(ways),
        "columns": columns,
        "unresolved": {dag.places[node]: reason for node, reason in flow.unresolved.items()},
        "edges": [
            number
            for one in flow.contributions
            for number in (numbers[one.target], numbers[one.source], ways[one.how.value])
        ],
    }


def _names(lineage: Lineage) -> "Iterator[tuple[ColumnRef, NodeColumn]]":
    for relation, node in lineage.nodes.items():
        spelt = {column.name.lower(): column.name for column in node.columns}
        for name in lineage.flow(relation).columns:
            yield ColumnRef(relation, name), NodeColumn(node.unique_id, spelt.get(name, name))


def _header(lineage: Lineage, ref: ColumnRef, own: NodeColumn) -> NodeColumn | None:
    """Return the column of the raw file that a source's column is loaded from."""
    if not own.node.startswith("source."):
        return None
    found = lineage.file_column(ref)
    return NodeColumn(file_id(found[0]), found[1]) if found else None


def _through(
    step: Step, steps: tuple[Step, ...], target: NodeColumn, source: NodeColumn
) -> "Iterator[Contribution]":
    """Lead what a classifier learned through the steps that read it; other views it does not read."""
    learned = NodeColumn(step.unique_id, LEARNED)
    yield Contribution(target, learned, How.CLASSIFIER)
    if source.node in step.reads:
        yield Contribution(learned, source, How.CLASSIFIER)
    for earlier in steps:
        if earlier.unique_id in step.reads:
            fitted = NodeColumn(earlier.unique_id, LEARNED)
            yield Contribution(learned, fitted, How.CLASSIFIER)
            if source.node in earlier.reads:
                yield Contribution(fitted, source, How.CLASSIFIER)


def _unresolved(lineage: Lineage) -> "Iterator[tuple[str, str]]":
    for relation, node in lineage.nodes.items():
        reason = lineage.flow(relation).unresolved
        if reason:
            yield node.unique_id, str(reason)
