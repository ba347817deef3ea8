"""Runs a check: the rows its query returns are the ones that fail."""

from genredb.build.results import FailingRows, Status
from genredb.compile import Node
from genredb.warehouse import Connection, fetch_sample

SHOWN_ROWS = 10


def run_check(connection: Connection, node: Node) -> tuple[Status, FailingRows | None]:
    """Return how the check ended, with up to ten failing rows."""
    columns, rows, total = fetch_sample(connection, node.sql, SHOWN_ROWS, node.path)
    if not total:
        return Status.SUCCESS, None
    status = Status.WARN if node.severity == "warn" else Status.FAIL
    return status, FailingRows(columns, rows, total)
