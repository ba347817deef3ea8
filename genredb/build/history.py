"""The history of the file: each run, what it built and how its checks ended (schema meta)."""

from collections.abc import Iterable
from datetime import UTC, datetime

from genredb.build.results import NodeResult
from genredb.version import __version__
from genredb.warehouse.database import Connection, insert_rows


def run_id_of(started_at: datetime) -> str:
    """Return the id of a run that began at this moment (UTC)."""
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
            (run_id, r.node.unique_id, r.status.value, r.reason, r.rows, r.seconds)
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
            if r.node.is_check
        ],
    )
