"""Follows a column through the project: up to the CSVs it is loaded from, or down to what is made of it."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from genredb.build.runtime import TemplateDatabase
from genredb.compile.compiler import compile_project
from genredb.compile.lineage import ColumnRef, Edge, Lineage
from genredb.project.config import Config
from genredb.project.discover import read_project
from genredb.warehouse.database import open_reader


@dataclass(frozen=True)
class FileColumn:
    """The CSV and header that a column is loaded from."""

    file: str
    header: str


@dataclass(frozen=True)
class Trace:
    """The columns asked for and every edge above (or below) them, nearest first.

    ``names`` maps each column to the name a person knows it by, ``files`` those loaded from a CSV to
    where they stand there, ``unresolved`` the relations whose SQL could not be read to why.
    """

    columns: tuple[ColumnRef, ...]
    edges: tuple[Edge, ...]
    names: dict[ColumnRef, str]
    files: dict[ColumnRef, FileColumn]
    unresolved: dict[str, str]

    def plain(self) -> dict[str, Any]:
        """Return it as what is printed as JSON, whose keys can only be texts."""
        return {
            "columns": self.columns,
            "edges": [{"target": e.target, "source": e.source, "how": e.how.value} for e in self.edges],
            "files": [
                {"relation": ref.relation, "column": ref.column, "file": at.file, "header": at.header}
                for ref, at in self.files.items()
            ],
            "unresolved": self.unresolved,
        }


def trace(config: Config, name: str, *, is_downstream: bool = False) -> Trace:
    """Follow the column ``NAME.COLUMN``, or every column of the relation ``NAME``.

    The published database, where there is one, tells the columns of sources that no file describes.
    UsageError with a suggestion where there is no such relation or column.
    """
    with ExitStack() as stack:
        database = None
        if config.database.is_file():
            database = TemplateDatabase(stack.enter_context(open_reader(config.database)))
        lineage = Lineage(compile_project(read_project(config)), database)
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
