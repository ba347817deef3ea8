"""One build: what is planned is done on a copy, which is published if all went well, else kept aside."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from genredb.build.artifacts import write_artifacts, write_run_results
from genredb.build.freshness import forget_stale_predictions
from genredb.build.history import record_run, run_id_of
from genredb.build.inputs import RawFile, inputs_digest
from genredb.build.leak_guard import prove_on_data, refuse_leaks
from genredb.build.options import Options, chosen_nodes, refuse_notices
from genredb.build.plan import Plan, is_current, make_plan, new_nodes
from genredb.build.results import BuildResult, NodeResult, Observer, Status
from genredb.build.runtime import Runtime
from genredb.build.state import State, drop_relation, mark, read_state, record_load, write_state
from genredb.build.walk import Walk
from genredb.compile import Compilation, Node, compile_project
from genredb.errors import UsageError
from genredb.project import Config, project_digest, read_project
from genredb.warehouse import Connection, Load, Publication, create_tables, load_source, restless

FAILED = "failed.duckdb"


class Build:
    """One build: the published state, the plan, the new state."""

    def __init__(self, config: Config, observer: Observer, options: Options, turn: Publication) -> None:
        self._config = config
        self._observer = observer
        self._options = options
        self._turn = turn
        self._started_at = datetime.now(UTC)
        self._failed = config.target_dir / FAILED

    def run(self, command: str) -> BuildResult:
        """Build from the published state."""
        config, options = self._config, self._options
        state = read_state(self._turn.current)
        # Taken before the files are read: an edit during the build is seen by the next one.
        files_digest = project_digest(config)
        if options.is_everything and not options.is_full_refresh and is_current(config, state, files_digest):
            return self._unchanged(state, command)
        plan = self._plan(state, self._turn.current)
        if plan.is_empty and not plan.is_proved and self._turn.current:
            self._prove(plan, self._turn.current)
        # After a `load`, what was built is to be confirmed even where it need not be built again.
        if plan.is_empty and (state.inputs or not options.is_everything):
            return self._unchanged(state, command)
        return self._carry_out(plan, state, self._turn.begin(), files_digest, command)

    def retry(self) -> BuildResult:
        """Build from the failed state, if it still fits what is published; else from the published one."""
        if not self._failed.is_file():
            raise UsageError("There is no failed build to go on from; run `genredb build`.")
        published = read_state(self._turn.current)
        connection = self._turn.begin(self._failed)
        state = read_state(connection)
        if state.base != published.run_id:
            self._observer.note("The database was written since that build failed; starting over.")
            self._turn.discard()
            return self.run("retry")
        files_digest = project_digest(self._config)
        return self._carry_out(self._plan(state, connection), state, connection, files_digest, "retry")

    def _plan(self, state: State, connection: Connection | None) -> Plan:
        options = self._options
        compilation = compile_project(read_project(self._config), is_full_refresh=options.is_full_refresh)
        refuse_notices(compilation, options)
        for notice in compilation.notices:
            self._observer.note(notice)
        chosen = chosen_nodes(compilation, options)
        plan = make_plan(compilation, state, connection, chosen, is_full_refresh=options.is_full_refresh)
        if not plan.is_proved:
            refuse_leaks(compilation, connection)
        return plan

    def _prove(self, plan: Plan, connection: Connection) -> bool:
        """Run the leak guard's proof on data; return whether all that it needs is there."""
        self._observer.start("leak guard")
        proof = prove_on_data(plan.compilation, connection)
        if proof is not None:
            self._observer.proved(proof)
        return proof is not None

    def _unchanged(self, state: State, command: str) -> BuildResult:
        result = BuildResult((), seconds=self._seconds(), standing_warnings=state.warnings)
        write_run_results(self._config, command, result)
        return result

    def _carry_out(
        self, plan: Plan, state: State, connection: Connection, files_digest: str, command: str
    ) -> BuildResult:
        """Do what is planned on a copy; publish it if all went well, else keep it for a retry."""
        config, compilation = self._config, plan.compilation
        create_tables(connection)
        write_artifacts(compilation)
        self._observer.begin([compilation.nodes[unique_id] for unique_id in plan.reasons])
        for relation in plan.removed:
            drop_relation(connection, relation)
            self._observer.dropped(relation)
        loads = load_files(connection, config, plan.stale_files, self._observer)
        runtime = Runtime(
            connection,
            compilation,
            is_full_refresh=self._options.is_full_refresh,
            store_failures=self._options.store_failures,
            warn_error=self._options.warn_error,
        )
        walk = Walk(runtime, plan.reasons, self._observer)
        results = tuple(walk.run_with_hooks(config.on_run_start, config.on_run_end))
        result = BuildResult(results, loads, seconds=self._seconds(), messages=tuple(compilation.messages))
        after = self._state_after(plan, state, results, connection, files_digest)
        if not result.exit_code and not plan.is_proved and self._prove(plan, connection):
            after = replace(after, proof=plan.proof)
        if result.exit_code:
            self._keep(connection, replace(after, inputs="", base=state.base or state.run_id))
        else:
            result = self._publish(connection, after, result, command, state)
        write_run_results(config, command, result)
        return result

    def _publish(
        self, connection: Connection, after: State, result: BuildResult, command: str, before: State
    ) -> BuildResult:
        write_state(connection, after)
        forgotten = forget_stale_predictions(connection)
        record_run(connection, command, self._started_at, result.results)
        self._turn.commit()
        self._failed.unlink(missing_ok=True)
        return replace(
            result,
            is_published=True,
            seconds=self._seconds(),
            forgotten_predictions=forgotten,
            replaced_own_songs=bool(result.loads) and self._config.is_sample and before.holds_own_songs,
        )

    def _keep(self, connection: Connection, state: State) -> None:
        """Keep the failed copy aside, for `genredb retry` and for looking at."""
        create_tables(connection)
        write_state(connection, state)
        self._turn.keep(self._failed)

    def _state_after(
        self,
        plan: Plan,
        state: State,
        results: Sequence[NodeResult],
        connection: Connection,
        files_digest: str,
    ) -> State:
        compilation = plan.compilation
        succeeded = [found for found in results if found.status in (Status.SUCCESS, Status.WARN)]
        done = [found.node for found in succeeded]
        warned = {found.node.unique_id: found.status is Status.WARN for found in succeeded}
        nodes = new_nodes(plan, state, warned, _restless(connection, compilation, done))
        for node in done:
            if node.is_built and node.relation:
                kind = "view" if node.materialized == "view" else "table"
                mark(
                    connection,
                    str(node.relation.include(database=False)),
                    kind,
                    nodes[node.unique_id].fingerprint,
                )
        is_whole = plan.is_whole and len(done) == len(results)
        return State(
            inputs=inputs_digest(self._config, files_digest, compilation.environment) if is_whole else "",
            environment=compilation.environment,
            uses_clock=compilation.uses_clock,
            base=state.base,
            run_id=run_id_of(self._started_at),
            proof=state.proof,
            nodes=nodes,
        )

    def _seconds(self) -> float:
        return (datetime.now(UTC) - self._started_at).total_seconds()


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
        if node.sql and not node.is_check
    }
    return {unique_id: reason for unique_id, reason in found.items() if reason}


def load_files(
    connection: Connection, config: Config, files: Iterable[RawFile], observer: Observer
) -> tuple[Load, ...]:
    """Load raw files into their tables, and remember what was loaded."""
    loads = []
    for file in files:
        observer.start(f"load {file.path.name}")
        done = load_source(connection, file.source, file.path)
        record_load(connection, done, str(file.source.file), file.digest, is_sample=config.is_sample)
        observer.loaded(done)
        loads.append(done)
    return tuple(loads)
