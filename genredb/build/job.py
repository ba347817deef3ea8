"""One build: what is planned is done on a copy, which is published if all went well, else kept aside."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from genredb.build.built_with import as_built, settings_of, with_raw_folder
from genredb.build.current import write_receipt
from genredb.build.drops import refuse_large_drop
from genredb.build.freshness import forget_stale_predictions, has_songs
from genredb.build.history import record_run
from genredb.build.manifest import write_manifest
from genredb.build.options import Options
from genredb.build.plan import Plan, make_plan, new_nodes
from genredb.build.results import BuildResult, NodeResult, Observer, Status
from genredb.build.run_results import write_run_results
from genredb.build.runtime import Runtime, apply_settings
from genredb.build.selection import chosen_nodes, refuse_notices
from genredb.build.state import State, drop_relation, mark, read_state, write_state
from genredb.build.stated_columns import refuse_unknown_columns
from genredb.build.walk import Walk
from genredb.compile.compiler import Compilation, compile_project
from genredb.compile.nodes import Node, NodeKind
from genredb.errors import ProjectError, UsageError
from genredb.project.config import Config
from genredb.project.discover import read_project
from genredb.project.raw_folder import absent_files
from genredb.warehouse.database import Connection, read_whole, relations, transaction
from genredb.warehouse.duckdb_errors import noticed_damage
from genredb.warehouse.publish import Publication, publication
from genredb.warehouse.sql_text import restless
from genredb.warehouse.tables import create_tables, has_current_layout

if TYPE_CHECKING:
    from genredb.build.leak_guard import LeakGuard
    from genredb.warehouse.load import Load


def run_job(
    config: Config, observer: Observer, options: Options, files_digest: str, *, is_retry: bool = False
) -> BuildResult:
    """Build, or go on from the failed build; ``files_digest`` is that of the project's files."""
    with publication(config.database) as turn:
        if turn.set_aside:
            observer.note(f"Moved a write-ahead log that fits no state of the database to {turn.set_aside}.")
        job = _Job(config, observer, options, turn, files_digest)
        return job.retry() if is_retry else job.run("build", read_state(turn.current))


class _Job:
    """One build: the published state, the plan, the new state."""

    def __init__(
        self, config: Config, observer: Observer, options: Options, turn: Publication, files_digest: str
    ) -> None:
        self._files_digest = files_digest
        self._guard: LeakGuard | None = None
        self._config = config
        self._observer = observer
        self._options = options
        self._turn = turn
        self._started_at = datetime.now(UTC)
        self._failed = config.failed_build

    def run(self, command: str, state: State) -> BuildResult:
        """Build from the published state."""
        plan = self._plan(state, self._turn.current)
        # After a `load`, or with other settings, what was built is to be confirmed even where it stays.
        if plan.is_empty and (plan.is_confirmed or not plan.is_whole):
            is_proved = bool(self._turn.current and self._prove(self._turn.current))
            result = BuildResult((), seconds=self._seconds(), standing_warnings=state.warnings)
            write_run_results(self._config, command, result)
            self._write_receipt(plan, state, is_proved=is_proved)
            self._failed.unlink(missing_ok=True)
            return result
        return self._carry_out(plan, state, self._turn.begin(), command)

    def retry(self) -> BuildResult:
        """Build from the failed state, if it still fits what is published; else from the published one."""
        if not self._failed.is_file():
            raise UsageError("There is no failed build to go on from; run `genredb build`.")
        published, base = read_state(self._turn.current), self._turn.published
        with noticed_damage(self._failed):
            connection = self._turn.begin(self._failed)
            state = read_state(connection)
            self._config = as_built(self._config, state.built_with)
            if state.base == base:
                return self._carry_out(self._plan(state, connection), state, connection, "retry")
        self._observer.note("The database was written since that build failed; starting over.")
        self._turn.discard()
        return self.run("retry", published)

    def _plan(self, state: State, connection: Connection | None) -> Plan:
        options = self._options
        self._config = with_raw_folder(self._config, state.built_with)
        self._observer.settled(self._config)
        compilation = compile_project(read_project(self._config), is_full_refresh=options.is_full_refresh)
        refuse_notices(compilation, options)
        for notice in compilation.notices:
            self._observer.note(notice)
        chosen = chosen_nodes(compilation, options)
        plan = make_plan(compilation, state, connection, chosen, options)
        if connection is not None:  # what is not made anew may be described anew
            ids = compilation.nodes.keys() if chosen is None else chosen
            standing = [compilation.nodes[i] for i in ids if i not in plan.reasons]
            refuse_unknown_columns(connection, self._config, standing)
        if not options.allow_drops:
            refuse_large_drop(plan.large_drop)
        if not plan.is_proved:
            # Most builds need no proof.
            from genredb.build.feature_columns import refuse_differing_features  # noqa: PLC0415
            from genredb.build.leak_guard import LeakGuard  # noqa: PLC0415

            refuse_differing_features(compilation)
            self._guard = LeakGuard(compilation, connection)
            self._guard.refuse_leaks()
        return plan

    def _prove(self, connection: Connection) -> bool:
        """Run the leak guard's proof on data; return whether it needs none, or all that it needs is there."""
        if self._guard is None:
            return True
        self._observer.start("leak guard")
        proof = self._guard.prove_on_data(connection)
        if proof is not None:
            self._observer.proved(proof)
        return proof is not None

    def _carry_out(self, plan: Plan, state: State, connection: Connection, command: str) -> BuildResult:
        """Do what is planned on a copy; publish it if all went well, else keep it for a retry."""
        config, compilation = self._config, plan.compilation
        apply_settings(connection, config.profile)
        create_tables(connection, has_songs=has_songs(compilation.project))
        write_manifest(compilation)
        self._observer.begin([compilation.nodes[unique_id] for unique_id in plan.reasons])
        for relation in plan.removed:
            drop_relation(connection, relation)
            self._observer.dropped(relation)
        loads = self._load(connection, plan)
        runtime = Runtime(
            connection,
            compilation,
            is_full_refresh=self._options.is_full_refresh,
            store_failures=self._options.store_failures,
            warn_error=self._options.warn_error,
            is_new=not state.marks and not config.on_run_start,
        )
        walk = Walk(runtime, plan.reasons, self._observer)
        results = tuple(walk.run_with_hooks(config.on_run_start, config.on_run_end))
        result = BuildResult(results, loads, seconds=self._seconds(), messages=tuple(compilation.messages))
        after = self._state_after(plan, state, results, connection)
        if not result.exit_code and self._prove(connection):
            after = replace(after, proof=plan.proof)
        _refuse_lost_memory(connection)
        create_tables(connection, has_songs=has_songs(compilation.project))  # a hook may have dropped some
        if result.exit_code:
            base = self._turn.published
            with transaction(connection):
                _write(connection, results, replace(after, is_whole=False, base=base))
            self._turn.keep(self._failed)
        else:
            made, found = set(plan.made), relations(connection).items()
            kept = [key for key, kind in found if kind == "table" and ".".join(key) not in made]
            read_whole(connection, kept)  # what is damaged is not published again
            result = self._publish(connection, after, result, command)
            self._write_receipt(plan, after, is_proved=plan.proof in ("", after.proof))
        write_run_results(config, command, result)
        return result

    def _load(self, connection: Connection, plan: Plan) -> "tuple[Load, ...]":
        if not plan.stale_files:
            return ()
        from genredb.build.load import load_files  # noqa: PLC0415 - for projects that load CSVs

        return load_files(connection, plan.stale_files, self._observer)

    def _publish(
        self, connection: Connection, after: State, result: BuildResult, command: str
    ) -> BuildResult:
        with transaction(connection):
            _write(connection, result.results, after)
            forgotten = forget_stale_predictions(connection, self._config.home)
            record_run(connection, command, self._started_at, result.results)
        self._turn.commit()
        self._failed.unlink(missing_ok=True)
        return replace(
            result,
            is_published=True,
            seconds=self._seconds(),
            forgotten_predictions=forgotten,
        )

    def _state_after(
        self,
        plan: Plan,
        state: State,
        results: Sequence[NodeResult],
        connection: Connection,
    ) -> State:
        compilation = plan.compilation
        succeeded = _succeeded(results)
        done = [found.node for found in succeeded]
        warned = {found.node.unique_id: found.status is Status.WARN for found in succeeded}
        nodes = new_nodes(plan, state, warned, _restless(connection, compilation, done))
        return State(
            is_whole=plan.is_whole and len(done) == len(results),
            proof=state.proof,
            nodes=nodes,
            built_with=settings_of(compilation),
        )

    def _write_receipt(self, plan: Plan, state: State, *, is_proved: bool) -> None:
        """Let the next build see at once that there is nothing to do, where that can be seen."""
        compilation = plan.compilation
        is_restless = compilation.uses_clock or any(node.restless for node in state.nodes.values())
        if state.is_whole and plan.is_whole and is_proved and not is_restless:
            files = {path: sha256 for raw in plan.files for path, sha256 in raw.sha256s.items()}
            files |= {path: "" for raw in plan.files for path in absent_files(raw.source, self._config)}
            write_receipt(self._config, self._files_digest, compilation.environment, files, state.warnings)

    def _seconds(self) -> float:
        return (datetime.now(UTC) - self._started_at).total_seconds()


def _succeeded(results: Iterable[NodeResult]) -> list[NodeResult]:
    return [found for found in results if found.status in (Status.SUCCESS, Status.WARN)]


def _write(connection: Connection, results: Iterable[NodeResult], state: State) -> None:
    """Mark the relations that were made, unless a hook dropped them, and replace the memory of the file."""
    there = relations(connection)
    for node in (found.node for found in _succeeded(results)):
        if node.is_built and node.relation:
            kind = there.get((str(node.relation.schema), node.relation.identifier))
            relation = str(node.relation.include(database=False))
            if kind:
                mark(connection, relation, kind, state.nodes[node.unique_id].fingerprint)
    write_state(connection, state)


def _refuse_lost_memory(connection: Connection) -> None:
    """Raise ProjectError where a hook dropped what genredb remembers, or made another database current."""
    if not has_current_layout(connection):
        raise ProjectError(
            "A hook dropped meta.state or left another database or schema current; "
            "genredb needs both as they were."
        )


def _restless(connection: Connection, compilation: Compilation, nodes: Iterable[Node]) -> dict[str, str]:
    """Return why some of the nodes must run each time."""
    known = {
        node.relation.qualified_name.lower()
        for node in compilation.nodes.values()
        if node.relation and not node.is_check
    }
    found = {
        node.unique_id: restless(connection, node.sql, known)
        for node in nodes
        if node.sql and node.kind is not NodeKind.UNIT_TEST  # which reads the rows that it states
    }
    return {unique_id: reason for unique_id, reason in found.items() if reason}
