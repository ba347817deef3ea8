"""What builds, plans, nodes, lineage and relations are as JSON: a class for each shape, and how it is made.

docs/json.md is written from these classes and from those that functions return.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genredb.ask.describe import Section
from genredb.ask.relations import Relation
from genredb.runner.flow.lineage import ColumnRef, Edge
from genredb.runner.graph.nodes import Dataset, Node
from genredb.runner.lineage import Trace
from genredb.runner.planning.plan import Plan, Touched
from genredb.runner.results import BuildResult, FailingRows, NodeResult
from genredb.warehouse.load import Load


@dataclass(frozen=True)
class ListedNode:
    """A node of the graph; ``relation`` (``schema.name``) is null where it is none."""

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
class PlannedLoad:
    """A raw table that a build would load, and from which files."""

    source: str
    files: tuple[Path, ...]


@dataclass(frozen=True)
class PlannedNode:
    """A node that a build would run and why; ``touched`` is null where no columns are told."""

    unique_id: str
    kind: str
    name: str
    reason: str
    touched: Touched | None


@dataclass(frozen=True)
class PlanReport:
    """What a build would do.

    ``removed`` are relations that would be dropped; ``large_drop`` is what a build would stop for unless
    --allow-drops is given, or null. ``is_confirmed`` says that the database remembers to be whole.
    """

    loads: tuple[PlannedLoad, ...]
    removed: tuple[str, ...]
    large_drop: str | None
    is_confirmed: bool
    nodes: tuple[PlannedNode, ...]


def plan_report(plan: Plan) -> PlanReport:
    """Return what `plan` prints."""
    nodes = plan.compilation.nodes
    return PlanReport(
        tuple(PlannedLoad(raw.source.qualified_name, tuple(raw.sha256s)) for raw in plan.stale_files),
        tuple(plan.removed),
        plan.large_drop or None,
        plan.is_confirmed,
        tuple(
            PlannedNode(i, nodes[i].resource_type, nodes[i].name, str(reason), plan.touched.get(i))
            for i, reason in plan.reasons.items()
        ),
    )


@dataclass(frozen=True)
class FailingReport:
    """The first rows that fail a check, each by column, and how many there are in ``total``."""

    total: int
    rows: tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class ResultReport:
    """How a node ended: ``status`` is success, warn, fail, error or skipped.

    ``rows`` counts those of the relation made, ``failing`` is null unless a check found rows. ``culprit`` is
    what failed upstream of a node that was skipped.
    """

    unique_id: str
    kind: str
    name: str
    status: str
    reason: str
    rows: int | None
    seconds: float
    message: str
    culprit: str
    failing: FailingReport | None


@dataclass(frozen=True)
class BuildReport:
    """How a build or test ended; ``published`` is false where nothing changed or something failed."""

    published: bool
    exit_code: int
    seconds: float
    loads: tuple[Load, ...]
    results: tuple[ResultReport, ...]


def build_report(result: BuildResult) -> BuildReport:
    """Return what `build`, `retry` and `test` print."""
    return BuildReport(
        result.is_published,
        result.exit_code,
        round(result.seconds, 3),
        result.loads,
        tuple(map(_result, result.results)),
    )


def _result(result: NodeResult) -> ResultReport:
    return ResultReport(
        result.node.unique_id,
        result.node.resource_type,
        result.node.name,
        result.status.value,
        str(result.reason),
        result.rows,
        round(result.seconds, 4),
        result.message,
        result.culprit,
        _failing(result.failing),
    )


def _failing(found: FailingRows | None) -> FailingReport | None:
    if found is None:
        return None
    return FailingReport(found.total, tuple(dict(zip(found.columns, row, strict=True)) for row in found.rows))


@dataclass(frozen=True)
class LoadReport:
    """The files that were loaded; none where the raw files did not change."""

    loads: tuple[Load, ...]


@dataclass(frozen=True)
class CleanReport:
    """The paths that were removed."""

    removed: tuple[Path, ...]


@dataclass(frozen=True)
class LoadedColumn:
    """A column that is loaded from a file, and the header that it has there."""

    relation: str
    column: str
    file: str
    header: str


@dataclass(frozen=True)
class LineageReport:
    """The columns asked for, the edges above or below them, and the columns of files among them.

    ``unresolved`` says of relations whose SQL could not be read, why.
    """

    columns: tuple[ColumnRef, ...]
    edges: tuple[Edge, ...]
    files: tuple[LoadedColumn, ...]
    unresolved: dict[str, str]


def lineage_report(found: Trace) -> LineageReport:
    """Return what `lineage` prints."""
    return LineageReport(
        found.columns,
        found.edges,
        tuple(LoadedColumn(ref.relation, ref.column, at.file, at.header) for ref, at in found.files.items()),
        found.unresolved,
    )


@dataclass(frozen=True)
class ListedRelation:
    """A table or view, as a query calls it, and its columns' names; ``meaning`` may be empty."""

    relation: str
    kind: str
    meaning: str
    columns: tuple[str, ...]


def listed_relation(one: Relation) -> ListedRelation:
    """Return how a relation is listed."""
    return ListedRelation(
        one.asked_as, one.kind, one.description, tuple(column.name for column in one.columns)
    )


@dataclass(frozen=True)
class RelationsReport:
    """The relations of a database in which nothing describes songs."""

    relations: tuple[ListedRelation, ...]


@dataclass(frozen=True)
class GenreCount:
    """How many labelled songs a genre has, and their artists; ``percent`` is of all labelled songs."""

    genre: str
    genre_group: str
    songs: int
    percent: float
    artists: int


@dataclass(frozen=True)
class GroupCount:
    """How many labelled songs a genre group has; ``percent`` is of all labelled songs."""

    genre_group: str
    songs: int
    percent: float


@dataclass(frozen=True)
class SongsReport:
    """What the labelled songs are like.

    ``numbers`` and ``texts`` are the rows of ``numeric_summary`` and ``text_summary``. ``correlations`` have
    an object for each column, by its ``name``, with its correlation to each other one; ``genre_means`` one
    for each genre, with the mean of each column.
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
