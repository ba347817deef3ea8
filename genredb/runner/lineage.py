"""Traces a column through the project: up to the raw files, or down to everything derived from it."""

from collections.abc import Iterator
from dataclasses import dataclass

from genredb.runner.flow.lineage import ColumnRef, Edge
from genredb.runner.flow.values import Unresolved
from genredb.runner.opened import Opened


@dataclass(frozen=True)
class FileColumn:
    """The raw file and header that a column is loaded from."""

    file: str
    header: str


@dataclass(frozen=True)
class Trace:
    """The requested columns and all edges above (or below) them, nearest first.

    ``names`` maps each column to its display name, ``files`` each column loaded from a raw file to its place
    there, and ``unresolved`` each relation whose SQL could not be read to the reason.
    """

    columns: tuple[ColumnRef, ...]
    edges: tuple[Edge, ...]
    names: dict[ColumnRef, str]
    files: dict[ColumnRef, FileColumn]
    unresolved: dict[str, Unresolved]


def trace(opened: Opened, name: str, *, is_downstream: bool = False) -> Trace:
    """Trace the column ``NAME.COLUMN``, or every column of the relation ``NAME``.

    The published database, if there is one, provides the columns of sources that no file describes.
    UsageError with a suggestion if there is no such relation or column.
    """
    lineage = opened.lineage
    relation, column = lineage.find(name)
    columns = (column,) if column else tuple(lineage.columns(relation))
    follow = lineage.downstream if is_downstream else lineage.upstream
    edges = tuple(dict.fromkeys(edge for start in columns for edge in follow(start)))
    refs = dict.fromkeys([*columns, *_ends(edges)])
    files = {ref: FileColumn(*found) for ref in refs if (found := lineage.file_column(ref))}
    relations = dict.fromkeys(ref.relation for ref in refs)
    unresolved = {r: reason for r in relations if (reason := lineage.flow(r).unresolved)}
    return Trace(columns, edges, {ref: lineage.label(ref) for ref in refs}, files, unresolved)


def _ends(edges: tuple[Edge, ...]) -> Iterator[ColumnRef]:
    for edge in edges:
        yield from (edge.target, edge.source)
