"""The JSON of builds, tests, loads and plans."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genredb.errors import GenredbError
from genredb.runner.planning.drops import LargeDrop
from genredb.runner.planning.plan import Plan, Touched
from genredb.runner.reasons import Cause
from genredb.runner.results import BuildResult, ChangedRows, FailingRows, NodeResult, Status
from genredb.warehouse.load import Load


@dataclass(frozen=True)
class PlannedLoad:
    """A raw table that a build would load, and from which files."""

    source: str
    files: tuple[Path, ...]


@dataclass(frozen=True)
class PlannedNode:
    """A node that a build would run, and why; ``touched`` is null if its columns are unknown.

    ``reason`` puts into words the ``cause``, such as ``upstream``, and its ``subject``, which may be empty.
    """

    unique_id: str
    kind: str
    name: str
    reason: str
    cause: Cause
    subject: str
    touched: Touched | None
    is_incremental: bool
    hindrance: str


@dataclass(frozen=True)
class PlanReport:
    """What a build would do.

    ``removed`` are relations that would be dropped; ``large_drop`` is the reason for which a build would stop
    without --allow-drops, or null. ``is_confirmed`` is true if the database is marked as completely built.
    """

    loads: tuple[PlannedLoad, ...]
    removed: tuple[str, ...]
    large_drop: LargeDrop | None
    is_confirmed: bool
    nodes: tuple[PlannedNode, ...]


def plan_report(plan: Plan) -> PlanReport:
    """Return what `plan` prints."""
    nodes = plan.compilation.nodes
    return PlanReport(
        tuple(PlannedLoad(raw.source.qualified_name, tuple(raw.sha256s)) for raw in plan.stale_files),
        tuple(plan.removed),
        plan.large_drop,
        plan.is_confirmed,
        tuple(
            PlannedNode(
                i,
                nodes[i].resource_type,
                nodes[i].name,
                str(reason),
                reason.cause,
                reason.subject,
                plan.touched.get(i),
                plan.updates.is_incremental(i),
                plan.updates.hindrance(i),
            )
            for i, reason in plan.reasons.items()
        ),
    )


@dataclass(frozen=True)
class FailingReport:
    """The first rows that fail a check, as objects by column, and the ``total`` number of failing rows."""

    total: int
    rows: tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class ErrorReport:
    """The parts of an error: what is wrong, where, and the cure; unknown parts are empty or null.

    ``name`` is the invalid name, ``choices`` are the valid ones.
    """

    what: str
    file: str
    line: int | None
    column: int | None
    name: str
    choices: tuple[str, ...]
    cure: str


def error_reports(error: GenredbError | None) -> tuple[ErrorReport, ...]:
    """Return an error, or the errors that it collects, by their parts."""
    return tuple(
        ErrorReport(one.what, one.place.path, *one.place.in_file, one.name, one.choices, one.cure)
        for one in (error.each() if error else ())
    )


@dataclass(frozen=True)
class ResultReport:
    """The result of a node: ``status`` is success, warn, fail, error or skipped.

    ``rows`` is the row count of the node's relation; ``failing`` is null unless a check has failing rows.
    ``culprit`` is the failed upstream node if this one was skipped. ``reason`` is the text of ``cause`` and
    ``subject``, ``message`` that of ``errors``. ``is_incremental`` means that it ran for changed rows alone;
    ``changed`` counts the changed rows of its table; it is null if they are not known.
    """

    unique_id: str
    kind: str
    name: str
    status: Status
    reason: str
    cause: Cause
    subject: str
    rows: int | None
    seconds: float
    message: str
    errors: tuple[ErrorReport, ...]
    culprit: str
    failing: FailingReport | None
    is_incremental: bool
    changed: ChangedRows | None


@dataclass(frozen=True)
class BuildReport:
    """The result of a build or test; ``published`` is false if nothing changed or something failed."""

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
        result.status,
        str(result.reason),
        result.reason.cause,
        result.reason.subject,
        result.rows,
        round(result.seconds, 4),
        result.message,
        error_reports(result.error),
        result.culprit,
        _failing(result.failing),
        result.is_incremental,
        result.changed,
    )


def _failing(found: FailingRows | None) -> FailingReport | None:
    if found is None:
        return None
    return FailingReport(found.total, tuple(dict(zip(found.columns, row, strict=True)) for row in found.rows))


@dataclass(frozen=True)
class LoadReport:
    """The files that were loaded; none if the raw files did not change."""

    loads: tuple[Load, ...]


@dataclass(frozen=True)
class CleanReport:
    """The paths that were removed."""

    removed: tuple[Path, ...]
