"""The verb ``run-operation``: call a macro, and publish what it wrote, all of it or nothing."""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from genredb.runner.artifacts.history import record_run
from genredb.runner.execution.duckdb_executor import DuckDBExecutor
from genredb.runner.execution.outcome import refuse_lost_memory
from genredb.runner.execution.runtime import TemplateDatabase
from genredb.runner.extension import PLAIN, Extension
from genredb.runner.graph.compiler import compile_files
from genredb.runner.planning.built_with import refuse_other_engine
from genredb.runner.planning.state import forget_nodes, mark_unconfirmed, read_state
from genredb.runner.project.config import Config
from genredb.runner.templates.queries import ResultTable
from genredb.warehouse.publish import publication
from genredb.warehouse.tables import create_tables
from genredb.warehouse.user_sql import ASKS

# A query may write too, by `with … as (insert …)`; publishing what only looks like that does no harm.
_WORD = re.compile(r"\w+")
_WRITES = re.compile(r"\b(insert|update|delete|merge)\b", re.IGNORECASE)


@dataclass(frozen=True)
class OperationResult:
    """What a macro logged, and whether it wrote anything, which is then published."""

    macro: str
    messages: tuple[str, ...]
    published: bool
    seconds: float


def run_operation(
    config: Config, macro: str, arguments: Mapping[str, Any], extension: Extension = PLAIN
) -> OperationResult:
    """Call a macro of the project, or ``package.macro``, on a copy of the database.

    What it wrote is published if it succeeds. UsageError if there is no such macro.
    """
    started_at, started = datetime.now(UTC), time.perf_counter()
    with publication(config.database, config.engine) as writer:
        refuse_other_engine(config, read_state(writer.current).built_with)
        compilation = compile_files(config)
        connection = writer.begin()
        create_tables(connection, *extension.tables(compilation.project))
        database = _Database(DuckDBExecutor(connection))
        called = compilation.deferred.call(macro, arguments, database)
        if database.written:
            refuse_lost_memory(connection)
            mark_unconfirmed(connection)  # the macro may have changed anything
            forget_nodes(connection, set(_WORD.findall(" ".join(database.written).lower())))
            record_run(connection, "run-operation", started_at)
            writer.commit()
    return OperationResult(macro, called.messages, bool(database.written), time.perf_counter() - started)


class _Database(TemplateDatabase):
    """Runs the queries of the macro; ``written`` has those that may write."""

    def __init__(self, executor: DuckDBExecutor) -> None:
        super().__init__(executor, may_write=True)
        self.written: list[str] = []

    def query(self, sql: str) -> ResultTable | None:
        """Run SQL; return its rows, if any."""
        kinds = self._executor.statement_kinds(sql)
        if any(kind not in ASKS for kind in kinds) or _WRITES.search(sql):
            self.written.append(sql)
        return super().query(sql)
