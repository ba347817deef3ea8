"""The verbs of a build: load raw files, build the graph, run the checks.

A build walks the graph once, upstream first. What failed keeps what depends on it from running;
nothing is published unless every node and every check of severity ``error`` succeeded.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from genredb.build.checks import run_check
from genredb.build.freshness import forget_stale_predictions
from genredb.build.inputs import RawFile, contents, inputs_digest, raw_files
from genredb.build.materialize import materialize
from genredb.build.results import BuildResult, NodeResult, Observer, SilentObserver, Status, is_built
from genredb.build.state import (
    State,
    drop_relation,
    forget_inputs,
    read_state,
    record_load,
    record_run,
    write_state,
)
from genredb.compile import Compilation, Node, NodeKind, compile_project, fingerprints
from genredb.errors import GenredbError
from genredb.project import Config, Project, project_digest, read_project
from genredb.warehouse import (
    Connection,
    Load,
    create_tables,
    file_digest,
    load_source,
    open_reader,
    publication,
)

_SILENT = SilentObserver()


@dataclass(frozen=True)
class _Plan:
    """What a build has to do: why which node runs, which files are loaded, which relations dropped.

    ``wanted`` maps every node to its fingerprint as the files are now.
    """

    compilation: Compilation
    wanted: Mapping[str, str]
    reasons: Mapping[str, str]
    stale_files: Sequence[RawFile]
    removed: Sequence[str]

    @property
    def is_empty(self) -> bool:
        return not (self.reasons or self.stale_files or self.removed)


def build(config: Config, observer: Observer = _SILENT) -> BuildResult:
    """Bring the database up to date with the project's files and the raw CSVs.

    Nodes whose text, configuration, upstream and input files did not change are left as they are; if
    that is all of them, nothing is written. Raises GenredbError where files are wrong; failing checks
    and failing SQL are in the result.
    """
    started_at = datetime.now(UTC)
    with publication(config.database) as turn:
        state = read_state(turn.current)
        # Taken before the files are read: an edit during the build is seen by the next one.
        files_digest = project_digest(config)
        if _is_current(config, state, files_digest):
            return BuildResult((), seconds=_seconds_since(started_at), standing_warnings=state.warnings)
        plan = _plan(config, state)
        # After a `load`, what was built is to be confirmed even where it need not be built again.
        if plan.is_empty and state.inputs:
            return BuildResult((), seconds=_seconds_since(started_at), standing_warnings=state.warnings)
        connection = turn.begin()
        create_tables(connection)
        observer.begin([plan.compilation.nodes[unique_id] for unique_id in plan.reasons])
        for relation in plan.removed:
            drop_relation(connection, relation)
            observer.dropped(relation)
        loads = _load_files(connection, config, plan.stale_files, observer)
        results = tuple(_Walk(connection, plan.compilation, plan.reasons, observer).run())
        result = BuildResult(results, loads, seconds=_seconds_since(started_at))
        if result.exit_code:
            return result
        inputs = inputs_digest(config, files_digest, plan.compilation.environment)
        write_state(connection, _new_state(inputs, plan))
        forgotten = forget_stale_predictions(connection)
        record_run(connection, "build", started_at, results)
        turn.commit()
    return replace(
        result,
        is_published=True,
        seconds=_seconds_since(started_at),
        forgotten_predictions=forgotten,
        replaced_own_songs=bool(loads) and config.is_sample and state.holds_own_songs,
    )


def load(config: Config, observer: Observer = _SILENT) -> tuple[Load, ...]:
    """Load the raw CSVs that changed, and publish the raw tables alone; return what was loaded."""
    started_at = datetime.now(UTC)
    with publication(config.database) as turn:
        state = read_state(turn.current)
        stale_files = _stale(raw_files(read_project(config)), state)
        if not stale_files:
            return ()
        connection = turn.begin()
        create_tables(connection)
        loads = _load_files(connection, config, stale_files, observer)
        forget_inputs(connection)
        record_run(connection, "load", started_at)
        turn.commit()
    return loads


def check(config: Config, names: Sequence[str], observer: Observer = _SILENT) -> BuildResult:
    """Run the checks on the published database: all, or those on the relations (or of the names) given.

    Raises UsageError for a name that does not exist.
    """
    started = time.perf_counter()
    compilation = compile_project(read_project(config))
    chosen = _chosen_checks(compilation, names)
    with open_reader(config.database) as connection:
        observer.begin(chosen)
        plan = {node.unique_id: "asked for" for node in chosen}
        results = tuple(_Walk(connection, compilation, plan, observer).run())
    return BuildResult(results, seconds=time.perf_counter() - started)


def _chosen_checks(compilation: Compilation, names: Sequence[str]) -> list[Node]:
    checks = compilation.of_kind(NodeKind.CHECK)
    if not names:
        return checks
    chosen = {compilation.find(name).unique_id for name in names}
    return [node for node in checks if chosen & {node.unique_id, *node.depends_on}]


def _is_current(config: Config, state: State, files_digest: str) -> bool:
    """Whether nothing changed since the last build, judged by bytes alone: no template is rendered."""
    if not state.inputs or not state.relations.issuperset(state.built.values()):
        return False
    files = [(config.raw_dir / name, sha256) for name, sha256 in state.files.items()]
    if not all(path.is_file() and file_digest(path) == sha256 for path, sha256 in files):
        return False
    return inputs_digest(config, files_digest, state.environment) == state.inputs


def _plan(config: Config, state: State) -> _Plan:
    """Read and compile the project, and hold it against what the published file was built from."""
    compilation = compile_project(read_project(config))
    files = raw_files(compilation.project)
    wanted = fingerprints(compilation, contents(compilation, files))
    reasons = {
        node.unique_id: why for node in compilation.nodes.values() if (why := _why(node, wanted, state))
    }
    return _Plan(compilation, wanted, reasons, _stale(files, state), _removed(compilation, state))


def _why(node: Node, wanted: Mapping[str, str], state: State) -> str:
    """Return why a node must run, or nothing if it need not."""
    if node.kind is NodeKind.SOURCE:
        return ""
    if node.unique_id not in state.fingerprints:
        return "new"
    if state.fingerprints[node.unique_id] != wanted[node.unique_id]:
        return "changed"
    if node.relation and node.relation.qualified_name not in state.relations:
        return "missing"
    return ""


def _stale(files: Iterable[RawFile], state: State) -> list[RawFile]:
    """Return the raw files whose tables do not hold them."""
    return [
        file
        for file in files
        if state.loads.get(file.source.qualified_name) != file.digest
        or file.source.qualified_name not in state.relations
    ]


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


def _removed(compilation: Compilation, state: State) -> list[str]:
    """Return the relations that were built for nodes which the project no longer has."""
    project = compilation.project.config.name
    kept = {node.relation.qualified_name for node in compilation.nodes.values() if node.relation}
    return [
        relation
        for unique_id, relation in state.built.items()
        if unique_id.split(".")[1] == project and unique_id not in compilation.nodes and relation not in kept
    ]


def _new_state(inputs: str, plan: _Plan) -> State:
    nodes = plan.compilation.nodes.values()
    return State(
        inputs=inputs,
        environment=plan.compilation.environment,
        fingerprints=plan.wanted,
        built={node.unique_id: node.relation.qualified_name for node in nodes if node.relation},
    )


def _seconds_since(moment: datetime) -> float:
    return (datetime.now(UTC) - moment).total_seconds()


class _Walk:
    """One pass over the planned nodes, upstream first; what follows a failure is skipped."""

    def __init__(
        self, connection: Connection, compilation: Compilation, plan: Mapping[str, str], observer: Observer
    ) -> None:
        self._connection = connection
        self._project: Project = compilation.project
        self._nodes = [node for node in compilation.nodes.values() if node.unique_id in plan]
        self._plan = plan
        self._observer = observer
        self._broken: dict[str, str] = {}

    def run(self) -> Iterable[NodeResult]:
        for node in self._nodes:
            self._observer.start(f"{node.kind.value} {node.label}")
            result = self._run_node(node)
            if result.status in (Status.ERROR, Status.FAIL, Status.SKIPPED):
                self._mark_broken(node, result.culprit or node.label)
            self._observer.finish(result)
            yield result

    def _run_node(self, node: Node) -> NodeResult:
        reason = self._plan[node.unique_id]
        culprit = next((self._broken[name] for name in node.depends_on if name in self._broken), None)
        if culprit:
            return NodeResult(node, Status.SKIPPED, reason, culprit=culprit)
        started = time.perf_counter()
        try:
            if is_built(node):
                rows = materialize(self._connection, self._project, node)
                return NodeResult(node, Status.SUCCESS, reason, rows, time.perf_counter() - started)
            status, failing = run_check(self._connection, node)
        except GenredbError as error:
            return NodeResult(node, Status.ERROR, reason, None, time.perf_counter() - started, str(error))
        return NodeResult(node, status, reason, None, time.perf_counter() - started, failing=failing)

    def _mark_broken(self, node: Node, culprit: str) -> None:
        """Keep what depends on this node, or on what this check checks, from running."""
        for unique_id in (node.unique_id, *(node.depends_on if node.kind is NodeKind.CHECK else ())):
            self._broken.setdefault(unique_id, culprit)
