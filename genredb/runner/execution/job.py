"""One build: runs the plan on a copy, which is published if all succeeded, else kept for a retry."""

import functools
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from genredb.errors import Notice, UsageError
from genredb.runner.artifacts.history import record_run, run_id_of
from genredb.runner.artifacts.manifest import write_manifest
from genredb.runner.artifacts.run_results import write_run_results
from genredb.runner.execution.binding import Bound
from genredb.runner.execution.executor import Executor
from genredb.runner.execution.foreign_keys import released
from genredb.runner.execution.outcome import refuse_lost_memory, state_after, write_marked
from genredb.runner.execution.prepare import Request, new_guard, prepare
from genredb.runner.execution.runtime import Runtime
from genredb.runner.execution.settle import Settlement
from genredb.runner.execution.walk import Walk
from genredb.runner.planning.built_with import (
    as_built,
    refuse_other_engine,
    settings_of,
    write_built_with,
)
from genredb.runner.planning.loads import forget_load
from genredb.runner.planning.plan import Plan
from genredb.runner.planning.receipt import write_receipt
from genredb.runner.planning.state import State, read_state
from genredb.runner.results import BuildResult, NodeResult, Proof
from genredb.runner.templates.relation import Relation
from genredb.warehouse.connection import Connection
from genredb.warehouse.database import transaction
from genredb.warehouse.duckdb_errors import noticed_damage
from genredb.warehouse.publish import Publication, publication
from genredb.warehouse.tables import create_tables

if TYPE_CHECKING:
    from genredb.runner.execution.leak_guard import LeakGuard
    from genredb.warehouse.load import Load


def run_job(request: Request, *, is_retry: bool = False) -> BuildResult:
    """Build, or resume the failed build."""
    with publication(request.config.database, request.config.engine) as writer:
        if writer.set_aside:
            what = f"Moved a write-ahead log that does not match the database to {writer.set_aside}"
            request.observer.note(Notice(what))
        job = _Job(request, writer)
        return job.retry() if is_retry else job.run("build", job.published_state())


class _Job:
    """One build: the published state, the plan, the new state."""

    def __init__(self, request: Request, writer: Publication) -> None:
        self._request = request
        self._guard: LeakGuard | None = None
        self._proof: Proof | None = None
        self._missing: Mapping[Path, str] = {}
        self._bound = Bound()
        self._config = request.config
        self._observer = request.observer
        self._options = request.options
        self._extension = request.extension
        self._engine = request.engine
        self._writer = writer
        self._started_at = datetime.now(UTC)
        self._failed = request.config.failed_build

    def published_state(self) -> State:
        """Return the published state."""
        state = read_state(self._writer.current, self._engine.marks())
        refuse_other_engine(self._config, state.built_with)
        return state

    def run(self, command: str, state: State) -> BuildResult:
        """Build from the published state."""
        plan = self._prepare(state, self._writer.current)
        # After a `load`, or with new settings, unchanged relations must still be confirmed.
        if plan.is_empty and (plan.is_confirmed or not plan.is_whole):
            is_proved = bool(self._writer.current and self._prove(self._writer.current))
            result = BuildResult((), seconds=self._seconds(), standing_warnings=state.warnings)
            write_run_results(self._config, command, result)
            self._write_receipt(plan, state, is_proved=is_proved)
            self._failed.unlink(missing_ok=True)
            return result
        return self._carry_out(plan, state, self._writer.begin(), command)

    def retry(self) -> BuildResult:
        """Build from the failed state if it still matches the published one; else from the published one."""
        if not self._failed.is_file():
            raise UsageError("There is no failed build to resume", cure="run `genredb build`")
        published, base = self.published_state(), self._writer.published
        with noticed_damage(self._failed):
            connection = self._writer.begin(self._failed)
            state = read_state(connection)
            is_empty = state.built_with.is_empty
            stated = replace(self._config, settings=replace(self._config.settings, is_empty=is_empty))
            self._config = as_built(stated, state.built_with)
            if state.base == base:
                return self._carry_out(self._prepare(state, connection), state, connection, "retry")
        self._observer.note(Notice("The database was written since that build failed; starting over"))
        self._writer.discard()
        return self.run("retry", published)

    def _prepare(self, state: State, connection: Connection | None) -> Plan:
        prepared = prepare(replace(self._request, config=self._config), state, connection)
        self._config, self._guard = prepared.config, prepared.guard
        self._missing, self._bound = prepared.missing, prepared.bound
        return prepared.plan

    def _prove(self, connection: Connection) -> bool:
        """Run the leak guard's proof on data; return True if proved or nothing to prove."""
        if self._guard is None:
            return True
        self._observer.start("leak guard")
        proof = self._guard.prove_on_data(connection, self._engine.executor(connection))
        if proof is not None:
            self._proof = replace(proof, run_id=run_id_of(self._started_at))
            self._observer.proved(proof)
        return proof is not None

    def _carry_out(self, plan: Plan, state: State, connection: Connection, command: str) -> BuildResult:
        """Run the plan on a copy; publish it if all succeeded, else keep it for a retry."""
        config, compilation = self._config, plan.compilation
        if discarded := create_tables(connection, *self._extension.tables(compilation.project)):
            self._observer.note(discarded)
        write_built_with(connection, settings_of(compilation))  # predictions depend on some settings
        write_manifest(compilation)
        executor = self._engine.executor(
            connection, is_new=not state.marks and not config.hooks("on-run-start")
        )
        self._observer.begin([compilation.nodes[unique_id] for unique_id in plan.reasons])
        runtime = self._runtime(executor, plan)
        for relation in plan.removed:
            with released(runtime, relation):
                executor.drop(relation)
            forget_load(connection, relation)
            self._observer.dropped(relation)
        loads = self._load(connection, plan, runtime)
        is_proved_before = plan.is_proved and plan.proof not in ("", state.proof)
        if is_proved_before and not _have_grown(plan, runtime):  # as was expected
            self._guard = new_guard(plan.compilation, executor, self._extension)
        forget = functools.partial(self._extension.forget_stale, connection, config)
        tables = self._extension.tables(compilation.project)
        settled = Settlement(plan, state, self._options, connection, runtime, tables, forget)
        walk = Walk(runtime, plan.reasons, self._observer, settled.late, settled.settle)
        results = tuple(walk.run_with_hooks(config.hooks("on-run-start"), config.hooks("on-run-end")))
        plan = settled.plan
        result = BuildResult(
            results,
            loads,
            seconds=self._seconds(),
            messages=runtime.all_messages,
            forgotten=settled.forgotten,
        )
        after = state_after(plan, state, results, connection)
        if not result.exit_code:
            proof = plan.proof if self._prove(connection) else ""
            after = replace(after, proof=proof, proved=self._proof or state.proved)
        refuse_lost_memory(connection)
        create_tables(
            connection, *self._extension.tables(compilation.project)
        )  # a hook may have dropped some
        if result.exit_code:
            self._keep(connection, executor, results, replace(after, is_whole=False))
        else:
            executor.refuse_damage(set(plan.replaced) - runtime.changes.in_place)
            if again := forget():  # a hook has changed the songs
                after = replace(after, is_whole=False)  # the next build brings up to date what read them
                result = replace(result, forgotten={**result.forgotten, **again})
            result = self._publish(connection, executor, after, result, command)
            self._write_receipt(plan, after, is_proved=plan.proof in ("", after.proof))
        write_run_results(config, command, result)
        return result

    def _runtime(self, executor: Executor, plan: Plan) -> Runtime:
        full = self._options.is_full_refresh
        return Runtime(
            executor,
            plan.compilation,
            updates=plan.updates,
            replaced=frozenset((*(plan.made if full else plan.replaced), *plan.removed)),
            is_full_refresh=full,
            seed_types=self._bound.seed_types,
            compared=self._bound.compared,
            store_failures=self._options.store_failures,
            warn_error=self._options.warn_error,
            fail_fast=self._options.fail_fast,
        )

    def _load(self, connection: Connection, plan: Plan, runtime: Runtime) -> "tuple[Load, ...]":
        if not plan.stale_files:
            return ()
        from genredb.runner.execution.load_files import load_files  # noqa: PLC0415 - for projects that load CSVs

        executor, changes = runtime.executor, runtime.changes
        return load_files(executor, connection, plan.stale_files, self._observer, changes)

    def _keep(
        self, connection: Connection, executor: Executor, results: Iterable[NodeResult], after: State
    ) -> None:
        """Keep the new state of a failed build for ``retry``, if its engine can resume."""
        if self._engine.resumes:
            with transaction(connection):
                write_marked(connection, executor, results, replace(after, base=self._writer.published))
            self._writer.keep(self._failed)

    def _publish(
        self,
        connection: Connection,
        executor: Executor,
        after: State,
        result: BuildResult,
        command: str,
    ) -> BuildResult:
        with transaction(connection):
            write_marked(connection, executor, result.results, after)
            forgotten = {**result.forgotten, **self._engine.forget_stale()}
            record_run(connection, command, self._started_at, result.results)
        self._writer.commit()
        self._engine.publish()
        self._failed.unlink(missing_ok=True)
        return replace(
            result,
            is_published=True,
            seconds=self._seconds(),
            forgotten=forgotten,
        )

    def _write_receipt(self, plan: Plan, state: State, *, is_proved: bool) -> None:
        """Write a receipt, if possible, so that the next build can tell at once that nothing changed."""
        compilation = plan.compilation
        is_volatile = compilation.uses_clock or any(node.volatile for node in state.nodes.values())
        may_skip = self._engine.has_receipt and state.is_whole and plan.is_whole
        if may_skip and is_proved and not is_volatile:
            files = {path: sha256 for raw in plan.files for path, sha256 in raw.sha256s.items()}
            files |= self._missing
            write_receipt(
                self._config, self._request.files_digest, compilation.environment, files, state.warnings
            )

    def _seconds(self) -> float:
        return (datetime.now(UTC) - self._started_at).total_seconds()


def _have_grown(plan: Plan, runtime: Runtime) -> bool:
    """Return True if rows were only added to the sources whose files have grown."""
    sources = [raw.source for raw in plan.stale_files if raw.held is not None]
    return all(runtime.changes.of(Relation(None, one.schema, one.table)) for one in sources)
