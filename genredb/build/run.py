"""The verbs of a build: build, retry, load raw files, run the checks, say what would run.

A build walks the graph once, upstream first. What failed keeps what depends on it from running;
nothing is published unless every node and every check of severity ``error`` succeeded. A failed build
is kept aside, and ``retry`` goes on from it.
"""

import time
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from genredb.build.artifacts import read_before, write_artifacts, write_run_results
from genredb.build.freshness import forget_stale_predictions
from genredb.build.history import record_run, run_id_of
from genredb.build.inputs import RawFile, inputs_digest, raw_files
from genredb.build.plan import Plan, is_current, is_loaded, make_plan, new_nodes
from genredb.build.results import BuildResult, NodeResult, Observer, SilentObserver, Status
from genredb.build.runtime import Runtime, TemplateDatabase
from genredb.build.state import (
    State,
    drop_relation,
    forget_inputs,
    mark,
    read_state,
    record_load,
    write_state,
)
from genredb.build.walk import Walk
from genredb.compile import Compilation, Node, NodeKind, compile_inline, compile_project, select
from genredb.errors import ProjectErrors, UsageError
from genredb.project import Config, project_digest, read_project
from genredb.warehouse import (
    Connection,
    Load,
    Publication,
    create_tables,
    load_source,
    open_reader,
    publication,
    restless,
)

_SILENT = SilentObserver()
FAILED = "failed.duckdb"


@dataclass(frozen=True)
class Options:
    """What a build or test is asked for: selectors, and how to treat what it finds.

    ``state_dir`` holds the artifacts that ``state:`` and ``result:`` selectors compare with.
    """

    selected: Sequence[str] = ()
    excluded: Sequence[str] = ()
    is_full_refresh: bool = False
    store_failures: bool = False
    warn_error: bool = False
    state_dir: Path | None = None

    @property
    def is_everything(self) -> bool:
        """Whether nothing is left out."""
        return not (self.selected or self.excluded)


def build(config: Config, observer: Observer = _SILENT, options: Options = Options()) -> BuildResult:
    """Bring the database up to date with the project's files and the raw CSVs.

    Nodes whose text, configuration, upstream and input files did not change are left as they are; if
    that is all of them, nothing is written. Raises GenredbError where files are wrong; failing checks
    and failing SQL are in the result.
    """
    with publication(config.database) as turn:
        return _Build(config, observer, options, turn).run("build")


def retry(config: Config, observer: Observer = _SILENT, options: Options = Options()) -> BuildResult:
    """Go on from the last failed build: what succeeded in it and did not change is not run again.

    Raises UsageError where no build failed since the last one that was published.
    """
    with publication(config.database) as turn:
        return _Build(config, observer, options, turn).retry()


def plan(config: Config, options: Options = Options()) -> Plan:
    """Return what a build would do now; nothing is written."""
    with ExitStack() as stack:
        connection = None
        if config.database.is_file():
            connection = stack.enter_context(open_reader(config.database))
        state = read_state(connection)
        compilation = compile_project(read_project(config), is_full_refresh=options.is_full_refresh)
        chosen = _chosen(compilation, options)
        return make_plan(compilation, state, connection, chosen, is_full_refresh=options.is_full_refresh)


def load(config: Config, observer: Observer = _SILENT) -> tuple[Load, ...]:
    """Load the raw CSVs that changed, and publish the raw tables alone; return what was loaded."""
    started_at = datetime.now(UTC)
    with publication(config.database) as turn:
        state = read_state(turn.current)
        stale_files = [file for file in raw_files(read_project(config)) if not is_loaded(file, state)]
        if not stale_files:
            return ()
        connection = turn.begin()
        create_tables(connection)
        loads = _load_files(connection, config, stale_files, observer)
        forget_inputs(connection)
        record_run(connection, "load", started_at)
        turn.commit()
    return loads


def check(config: Config, observer: Observer = _SILENT, options: Options = Options()) -> BuildResult:
    """Run the checks on the published database: all, or those that are selected.

    The file is only read, unless failing rows are to be stored. Raises UsageError for a selector that
    matches nothing.
    """
    started = time.perf_counter()
    compilation = compile_project(read_project(config))
    _refuse_notices(compilation, options)
    chosen = _chosen(compilation, options)
    checks = [
        n for n in compilation.nodes.values() if n.is_check and (chosen is None or n.unique_id in chosen)
    ]
    with ExitStack() as stack:
        turn = stack.enter_context(publication(config.database)) if options.store_failures else None
        connection = turn.begin() if turn else stack.enter_context(open_reader(config.database))
        observer.begin(checks)
        runtime = Runtime(
            connection,
            compilation,
            store_failures=options.store_failures,
            warn_error=options.warn_error,
            may_write=turn is not None,
        )
        reasons = {node.unique_id: "asked for" for node in checks}
        results = tuple(Walk(runtime, reasons, observer).run())
        if turn:
            turn.commit()
    result = BuildResult(results, seconds=time.perf_counter() - started, messages=tuple(compilation.messages))
    write_run_results(config, "test", result)
    return result


def rendered(config: Config, name: str | None = None, template: str | None = None) -> str:
    """Return the SQL of a node, or of a template of no node; what it asks is asked of the published file."""
    project = read_project(config)
    with ExitStack() as stack:
        database = None
        if config.database.is_file():
            database = TemplateDatabase(stack.enter_context(open_reader(config.database)))
        if template is not None:
            return compile_inline(project, template, database)
        compilation = compile_project(project)
        node = compilation.find(str(name))
        if node.kind is NodeKind.SEED:
            return f"select * from {node.relation}"
        if node.dynamic and database is None:
            raise UsageError(f"{node.name} calls {node.dynamic}, and there is no database yet to ask.")
        return compilation.compiler.sql(node, database) if database else node.sql


class _Build:
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
        _refuse_notices(compilation, options)
        for notice in compilation.notices:
            self._observer.note(notice)
        chosen = _chosen(compilation, options)
        return make_plan(compilation, state, connection, chosen, is_full_refresh=options.is_full_refresh)

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
        loads = _load_files(connection, config, plan.stale_files, self._observer)
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
            nodes=nodes,
        )

    def _seconds(self) -> float:
        return (datetime.now(UTC) - self._started_at).total_seconds()


def _chosen(compilation: Compilation, options: Options) -> set[str] | None:
    """Return the unique ids that are selected, or None for everything."""
    if options.is_everything:
        return None
    before = read_before(compilation.project.config, options.state_dir)
    return select(compilation, options.selected, options.excluded, before)


def _refuse_notices(compilation: Compilation, options: Options) -> None:
    """Under ``--warn-error``, refuse a project that says what has no effect."""
    if options.warn_error and compilation.notices:
        raise ProjectErrors(compilation.notices)


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


def _load_files(
    connection: Connection, config: Config, files: Iterable[RawFile], observer: Observer
) -> tuple[Load, ...]:
    loads = []
    for file in files:
        observer.start(f"load {file.path.name}")
        done = load_source(connection, file.source, file.path)
        record_load(connection, done, str(file.source.file), file.digest, is_sample=config.is_sample)
        observer.loaded(done)
        loads.append(done)
    return tuple(loads)
