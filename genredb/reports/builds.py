"""What builds, tests, loads and plans are as JSON."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genredb.errors import GenredbError
from genredb.runner.planning.drops import LargeDrop
from genredb.runner.planning.plan import Plan, Touched
from genredb.runner.reasons import Cause
from genredb.runner.results import BuildResult, FailingRows, NodeResult, Status
from genredb.warehouse.load import Load


@dataclass(frozen=True)
class PlannedLoad:
    """A raw table that a build would load, and from which files."""

    source: str
    files: tuple[Path, ...]


@dataclass(frozen=True)
class PlannedNode:
    """A node that a build would run and why; ``touched`` is null where no columns are told.

    ``reason`` puts into words the ``cause``, such as ``upstream``, and its ``subject``, which may be empty.
    """

    unique_id: str
    kind: str
    name: str
    reason: str
    cause: Cause
    subject: str
    touched: Touched | None


@dataclass(frozen=True)
class PlanReport:
    """What a build would do.

    ``removed`` are relations that would be dropped; ``large_drop`` is what a build would stop for unless
    --allow-drops is given, or null. ``is_confirmed`` says that the database remembers to be whole.
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
            )
            for i, reason in plan.reasons.items()
        ),
    )


@dataclass(frozen=True)
class FailingReport:
    """The first rows that fail a check, each by column, and how many there are in ``total``."""

    total: int
    rows: tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class ErrorReport:
    """What is wrong and where, and the cure; parts that are unknown are empty or null.

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
    """How a node ended: ``status`` is success, warn, fail, error or skipped.

    ``rows`` counts those of the relation made, ``failing`` is null unless a check found rows. ``culprit`` is
    what failed upstream of a node that was skipped. ``reason`` puts into words the ``cause`` and its
    ``subject``, ``message`` the ``errors``.
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
