"""Loads changed raw files into their tables and records the loads."""

from collections.abc import Iterable

from genredb.runner.execution.executor import Executor
from genredb.runner.planning.inputs import RawFiles
from genredb.runner.planning.state import record_loads
from genredb.runner.results import Observer
from genredb.runner.templates.relation import Relation
from genredb.warehouse.connection import Connection
from genredb.warehouse.load import Load


def load_files(
    executor: Executor, ledger: Connection, stale: Iterable[RawFiles], observer: Observer
) -> tuple[Load, ...]:
    """Load the files of sources into their tables, mark these, and record the loads in the ledger."""
    loads: list[Load] = []
    for raw in stale:
        observer.start(f"load {raw.source.stated_files}")
        done = executor.load(raw.source, list(raw.sha256s))
        executor.mark(Relation(None, raw.source.schema, raw.source.table), "table", raw.digest)
        record_loads(ledger, raw.source, done, raw.digest)
        for load in done:
            observer.loaded(load)
        loads += done
    return tuple(loads)
