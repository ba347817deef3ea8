"""The verb ``plan``: show what a build would run, and why; nothing is written."""

from dataclasses import replace

from genredb.runner.execution.binding import bind_plan
from genredb.runner.execution.engine import DUCKDB, Engine
from genredb.runner.execution.leak_guard import LeakGuard
from genredb.runner.extension import PLAIN, Extension
from genredb.runner.flow.lineage import Lineage
from genredb.runner.graph.compiler import Compilation, compile_files
from genredb.runner.graph.nodes import Model
from genredb.runner.opened import Opened
from genredb.runner.planning.built_with import refuse_other_engine, with_raw_folder
from genredb.runner.planning.options import Options
from genredb.runner.planning.plan import Plan
from genredb.runner.planning.planner import make_plan
from genredb.runner.planning.state import State, read_state
from genredb.runner.planning.touched import touched_columns
from genredb.runner.results import Observer, SilentObserver

_ALL = Options()
_SILENT = SilentObserver()


def plan(
    opened: Opened,
    options: Options = _ALL,
    extension: Extension = PLAIN,
    engine: Engine = DUCKDB,
    observer: Observer = _SILENT,
) -> Plan:
    """Return what a build would run, and which columns of its relations would change.

    Nothing is written. The observer is told which described columns would not be there. ProjectErrors if SQL
    is wrong or a feature depends on a label.
    """
    connection = opened.published
    state = read_state(connection, engine.marks())
    refuse_other_engine(opened.config, state.built_with)
    compilation = _compilation(opened, state, options)
    engine.refuse(compilation, extension.tables(compilation.project))
    found = make_plan(compilation, state, connection, options, extension)
    if engine.binds:
        for notice in bind_plan(found, options, connection, extension.tables(compilation.project)).notices:
            observer.note(notice)
    if not found.is_proved:
        extension.refuse_features(compilation)
        executor = engine.executor(connection) if connection else None
        LeakGuard(compilation, executor, extension).refuse_leaks()
    if not state.nodes or found.is_empty or options.is_full_refresh:
        return found
    standing = {node.unique_id for node in compilation.of_type(Model) if node.is_built} - found.reasons.keys()
    lineage = Lineage(compilation, opened.templates_database, standing)
    return replace(found, touched=touched_columns(found, state, lineage))


def _compilation(opened: Opened, state: State, options: Options) -> Compilation:
    """Return the graph that a build would run, using the raw folder that it would load."""
    config = with_raw_folder(opened.config, state.built_with)
    if config is opened.config and not options.is_full_refresh:
        return opened.compilation
    return compile_files(config, is_full_refresh=options.is_full_refresh)
