"""The JSON of nodes, lineage, relations and songs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from genredb.ask.describe import Section
from genredb.ask.relations import Relation
from genredb.runner.flow.lineage import ColumnRef, Edge
from genredb.runner.flow.values import Obstacle
from genredb.runner.graph.nodes import Dataset, Node
from genredb.runner.lineage import Trace


@dataclass(frozen=True)
class ListedNode:
    """A node of the graph; ``relation`` (``schema.name``) is null if the node creates none."""

    unique_id: str
    kind: str
    name: str
    relation: str | None
    materialized: str
    path: str
    description: str
    depends_on: tuple[str, ...]


def listed(node: Node) -> ListedNode:
    """Return what `ls` prints of a node."""
    return ListedNode(
        node.unique_id,
        node.resource_type,
        node.name,
        node.relation.qualified_name if isinstance(node, Dataset) else None,
        node.materialized,
        node.path,
        node.description,
        node.depends_on,
    )


@dataclass(frozen=True)
class LoadedColumn:
    """A column loaded from a file, and its header in the file."""

    relation: str
    column: str
    file: str
    header: str


@dataclass(frozen=True)
class UnresolvedReport:
    """Why a relation cannot be traced; ``reason`` is the text of ``obstacle`` and ``subject``."""

    reason: str
    obstacle: Obstacle
    subject: str


@dataclass(frozen=True)
class LineageReport:
    """The requested columns, the edges upstream or downstream of them, and the file columns among them.

    ``unresolved`` says of each relation that cannot be traced, why.
    """

    columns: tuple[ColumnRef, ...]
    edges: tuple[Edge, ...]
    files: tuple[LoadedColumn, ...]
    unresolved: dict[str, UnresolvedReport]


def lineage_report(found: Trace) -> LineageReport:
    """Return what `lineage` prints."""
    return LineageReport(
        found.columns,
        found.edges,
        tuple(LoadedColumn(ref.relation, ref.column, at.file, at.header) for ref, at in found.files.items()),
        {
            relation: UnresolvedReport(str(one), one.obstacle, one.subject)
            for relation, one in found.unresolved.items()
        },
    )


@dataclass(frozen=True)
class ListedRelation:
    """A table or view, by its name in queries, and its columns' names; ``meaning`` may be empty."""

    relation: str
    kind: str
    meaning: str
    columns: tuple[str, ...]


def listed_relation(one: Relation) -> ListedRelation:
    """Return the entry of a relation."""
    return ListedRelation(
        one.asked_as, one.kind, one.description, tuple(column.name for column in one.columns)
    )


@dataclass(frozen=True)
class RelationsReport:
    """The relations of a database without songs."""

    relations: tuple[ListedRelation, ...]


@dataclass(frozen=True)
class GenreCount:
    """The numbers of a genre's labelled songs and artists; ``percent`` is of all labelled songs."""

    genre: str
    genre_group: str
    songs: int
    percent: float
    artists: int


@dataclass(frozen=True)
class GroupCount:
    """The number of a genre group's labelled songs; ``percent`` is of all labelled songs."""

    genre_group: str
    songs: int
    percent: float


@dataclass(frozen=True)
class SongsReport:
    """Summary of the labelled songs.

    ``numbers`` and ``texts`` are the rows of ``numeric_summary`` and ``text_summary``. ``correlations`` has
    an object for each column (``name``) with its correlation to every column; ``genre_means`` has one for
    each genre with the mean of each column.
    """

    genres: tuple[GenreCount, ...]
    groups: tuple[GroupCount, ...]
    numbers: tuple[dict[str, Any], ...]
    texts: tuple[dict[str, Any], ...]
    correlations: tuple[dict[str, Any], ...]
    genre_means: tuple[dict[str, Any], ...]


def songs_report(sections: Sequence[Section]) -> SongsReport:
    """Return what `describe` prints of songs."""
    genres, groups, *others = sections
    return SongsReport(
        tuple(GenreCount(*row) for row in genres.rows),
        tuple(GroupCount(*row) for row in groups.rows),
        *map(_objects, others),
    )


def _objects(section: Section) -> tuple[dict[str, Any], ...]:
    names = [name or "name" for name in section.columns]
    return tuple(dict(zip(names, row, strict=True)) for row in section.rows)
