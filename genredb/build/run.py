"""The verbs of a build: build, retry, load raw files, run the checks, say what would run.

A build walks the graph once, upstream first. What failed keeps what depends on it from running;
nothing is published unless every node and every check of severity ``error`` succeeded. A failed build
is kept aside, and ``retry`` goes on from it.
"""

import time
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime

from genredb.build.artifacts import write_run_results
from genredb.build.history import record_run
from genredb.build.inputs import raw_files
from genredb.build.job import Build, load_files
from genredb.build.leak_guard import refuse_leaks
from genredb.build.options import Options, chosen_nodes, refuse_notices
from genredb.build.plan import Plan, is_loaded, make_plan
from genredb.build.results import BuildResult, Observer, SilentObserver
from genredb.build.runtime import Runtime, TemplateDatabase
from genredb.build.state import forget_inputs, read_state
from genredb.build.touched import touched_columns
from genredb.build.walk import Walk
from genredb.compile import Lineage, NodeKind, compile_inline, compile_project
from genredb.errors import UsageError
from genredb.project import Config, read_project
from genredb.warehouse import Load, create_tables, open_reader, publication

_SILENT = SilentObserver()
_ALL = Options()


def build(config: Config, observer: Observer = _SILENT, options: Options = _ALL) -> BuildResult:
    """Bring the database up to date with the project's files and the raw CSVs.

    Nodes whose text, configuration, upstream and input files did not change are left as they are; if
    that is all of them, nothing is written. Raises GenredbError where files are wrong; failing checks
    and failing SQL are in the result.
    """
    with publication(config.database) as turn:
        return Build(config, observer, options, turn).run("build")


def retry(config: Config, observer: Observer = _SILENT, options: Options = _ALL) -> BuildResult:
    """Go on from the last failed build: what succeeded in it and did not change is not run again.

    Raises UsageError where no build failed since the last one that was published.
    """
    with publication(config.database) as turn:
        return Build(config, observer, options, turn).retry()


def plan(config: Config, options: Options = _ALL) -> Plan:
    """Return what a build would do now, and which columns of what it makes that touches.

    Nothing is written. ProjectErrors where a feature depends on a label.
    """
    with ExitStack() as stack:
        connection = None
        if config.database.is_file():
            connection = stack.enter_context(open_reader(config.database))
        state = read_state(connection)
        compilation = compile_project(read_project(config), is_full_refresh=options.is_full_refresh)
        chosen = chosen_nodes(compilation, options)
        found = make_plan(compilation, state, connection, chosen, is_full_refresh=options.is_full_refresh)
        if not found.is_proved:
            refuse_leaks(compilation, connection)
        if not state.nodes or found.is_empty or options.is_full_refresh:
            return found
        database = TemplateDatabase(connection) if connection else None
        return replace(found, touched=touched_columns(found, state, Lineage(compilation, database)))


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
        loads = load_files(connection, config, stale_files, observer)
        forget_inputs(connection)
        record_run(connection, "load", started_at)
        turn.commit()
    return loads


def check(config: Config, observer: Observer = _SILENT, options: Options = _ALL) -> BuildResult:
    """Run the checks on the published database: all, or those that are selected.

    The file is only read, unless failing rows are to be stored. Raises UsageError for a selector that
    matches nothing.
    """
    started = time.perf_counter()
    compilation = compile_project(read_project(config))
    refuse_notices(compilation, options)
    chosen = chosen_nodes(compilation, options)
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
