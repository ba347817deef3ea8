"""The run history: each run, what it built and the results of its checks (schema meta)."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import TypeVar

from genredb.runner.graph.nodes import Assertion
from genredb.runner.results import NodeResult
from genredb.version import __version__
from genredb.warehouse.connection import Connection
from genredb.warehouse.database import insert_rows, relation_exists
from genredb.warehouse.tables import has_current_layout


@dataclass(frozen=True)
class Run:
    """A command that wrote to the database, and the seconds that it took."""

    run_id: str
    command: str
    started_at: datetime
    seconds: float
    genredb_version: str


@dataclass(frozen=True)
class NodeRun:
    """A seed or model of a run: how it ended and why it ran; ``row_count`` is None if unknown."""

    run_id: str
    unique_id: str
    status: str
    reason: str
    row_count: int | None
    seconds: float


@dataclass(frozen=True)
class CheckResult:
    """A check or unit test of a run: how it ended, and how many rows fail it."""

    run_id: str
    unique_id: str
    severity: str
    status: str
    failing_rows: int


@dataclass(frozen=True)
class FileLoad:
    """A raw file as it was last loaded: ``records`` are the rows read, ``size`` is in bytes."""

    source: str
    file: str
    sha256: str
    size: int
    records: int
    loaded: int
    quarantined: int
    repaired: int
    ignored_columns: list[str]
    loaded_at: datetime


@dataclass(frozen=True)
class CheckCounts:
    """How many checks and unit tests of a run passed, warned, failed (errors included) or were skipped."""

    run_id: str
    passed: int
    warned: int
    failed: int
    skipped: int


@dataclass(frozen=True)
class QuarantinedRow:
    """A record of a raw file that could not be loaded; ``text`` is its text, unchanged."""

    source: str
    file: str
    line: int
    reason: str
    text: str


Row = TypeVar("Row", Run, NodeRun, CheckResult, CheckCounts, FileLoad, QuarantinedRow)


def run_id_of(started_at: datetime) -> str:
    """Return the id of a run that started at this time (UTC)."""
    return started_at.strftime("%Y%m%dT%H%M%S.%fZ")


def record_run(
    connection: Connection, command: str, started_at: datetime, results: Iterable[NodeResult] = ()
) -> None:
    """Add a run and its results to the history."""
    run_id = run_id_of(started_at)
    seconds = (datetime.now(UTC) - started_at).total_seconds()
    connection.execute(
        "insert into meta.runs values (?, ?, ?, ?, ?)", [run_id, command, started_at, seconds, __version__]
    )
    ran = list(results)
    insert_rows(
        connection,
        "meta.node_runs",
        [
            (run_id, r.node.unique_id, r.status.value, str(r.reason), r.rows, r.seconds)
            for r in ran
            if r.node.is_built
        ],
    )
    insert_rows(
        connection,
        "meta.check_results",
        [
            (run_id, r.node.unique_id, r.node.severity, r.status.value, r.failing.total if r.failing else 0)
            for r in ran
            if isinstance(r.node, Assertion)
        ],
    )


def read_runs(connection: Connection) -> tuple[Run, ...]:
    """Return the runs, newest first."""
    return _read(connection, Run, "meta.runs", "order by run_id desc")


def read_node_runs(connection: Connection) -> tuple[NodeRun, ...]:
    """Return what each run built, newest run first."""
    return _read(connection, NodeRun, "meta.node_runs", "order by run_id desc, rowid")


def read_last_checks(connection: Connection) -> tuple[CheckResult, ...]:
    """Return the last result of each check."""
    last = "qualify row_number() over (partition by unique_id order by run_id desc) = 1 order by unique_id"
    return _read(connection, CheckResult, "meta.check_results", last)


def read_check_counts(connection: Connection) -> tuple[CheckCounts, ...]:
    """Return the results of each run's checks, counted, newest run first."""
    counted = """
        (
            select
                run_id,
                count_if(status = 'success') as passed,
                count_if(status = 'warn') as warned,
                count_if(status in ('fail', 'error')) as failed,
                count_if(status = 'skipped') as skipped
            from meta.check_results
            group by run_id
        )
    """
    return _read(connection, CheckCounts, counted, "order by run_id desc")


def read_quarantined_rows(connection: Connection, most: int) -> tuple[QuarantinedRow, ...]:
    """Return the first quarantined rows, at most so many, by file and line."""
    if not relation_exists(connection, "raw", "quarantine"):  # a project without raw files
        return ()
    rest = f"order by source, file, line, reason limit {most:d}"
    return _read(connection, QuarantinedRow, "raw.quarantine", rest)


def read_quarantine_reasons(connection: Connection) -> dict[tuple[str, str], int]:
    """Return the number of quarantined rows by raw table and reason, most frequent first."""
    if not (has_current_layout(connection) and relation_exists(connection, "raw", "quarantine")):
        return {}
    sql = """
        select source, reason, count(*)
        from raw.quarantine
        group by source, reason
        order by count(*) desc, source, reason
    """
    return {(source, reason): count for source, reason, count in connection.rows(sql)}


def read_loads(connection: Connection) -> tuple[FileLoad, ...]:
    """Return the files that the raw tables were loaded from."""
    return _read(connection, FileLoad, "meta.loads", "where file is not null order by source, file")


def _read(connection: Connection, kind: type[Row], table: str, rest: str) -> tuple[Row, ...]:
    """Return rows of one of genredb's tables; none if this version of genredb has built nothing."""
    if not has_current_layout(connection):
        return ()
    columns = ", ".join(field.name for field in fields(kind))
    return tuple(kind(*row) for row in connection.rows(f"select {columns} from {table} {rest}"))
