"""Loads changed raw files into their tables and records the loads."""

from collections.abc import Iterable

from genredb.runner.execution.changes import Changes
from genredb.runner.execution.executor import Executor
from genredb.runner.planning.inputs import RawFiles
from genredb.runner.planning.loads import record_extension, record_loads
from genredb.runner.results import Observer
from genredb.runner.templates.relation import Relation
from genredb.warehouse.connection import Connection
from genredb.warehouse.load import Load


def load_files(
    executor: Executor, ledger: Connection, stale: Iterable[RawFiles], observer: Observer, changes: Changes
) -> tuple[Load, ...]:
    """Load the files of sources into their tables, mark these, and record the loads in the ledger."""
    loads: list[Load] = []
    for raw in stale:
        observer.start(f"load {raw.source.stated_files}")
        done = _extended(executor, ledger, raw, changes)
        if done is None:
            done = executor.load(raw.source, list(raw.sha256s))
            record_loads(ledger, raw.source, done, raw.digest)
        executor.mark(Relation(None, raw.source.schema, raw.source.table), "table", raw.digest)
        observer.loaded(done)
        loads += done
    return tuple(loads)


def _extended(
    executor: Executor, ledger: Connection, raw: RawFiles, changes: Changes
) -> tuple[Load, ...] | None:
    """Load only what is new, if the files allow it, so that the rows that were added are known."""
    if raw.held is None:
        return None
    relation = Relation(None, raw.source.schema, raw.source.table)
    done = executor.extend(raw.source, raw.held, changes.added(relation))
    if done is not None:
        executor.run(f"create table {changes.removed(relation)} as from {changes.added(relation)} limit 0")
        changes.record(relation)
        changes.in_place.add(relation.qualified_name)
        record_extension(ledger, raw.source, done, raw.digest)
    return done
