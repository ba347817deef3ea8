"""The verb ``load``: load raw files into their tables without building models."""

from contextlib import closing
from datetime import UTC, datetime

from genredb.runner.artifacts.history import record_run
from genredb.runner.execution.changes import Changes
from genredb.runner.execution.engine import DUCKDB, Engine
from genredb.runner.execution.load_files import load_files
from genredb.runner.extension import PLAIN, Extension
from genredb.runner.planning.built_with import (
    loaded_with,
    refuse_other_engine,
    with_raw_folder,
    write_built_with,
)
from genredb.runner.planning.inputs import raw_files
from genredb.runner.planning.own_tables import refuse_replacing
from genredb.runner.planning.planner import is_loaded
from genredb.runner.planning.state import mark_unconfirmed, read_state
from genredb.runner.project.config import Config
from genredb.runner.project.discover import read_project
from genredb.runner.results import Observer, SilentObserver
from genredb.warehouse.load import Load
from genredb.warehouse.publish import publication
from genredb.warehouse.tables import create_tables

_SILENT = SilentObserver()


def load(
    config: Config,
    observer: Observer = _SILENT,
    extension: Extension = PLAIN,
    engine: Engine = DUCKDB,
) -> tuple[Load, ...]:
    """Load the raw files that changed and publish only the raw tables; return the loads."""
    started_at = datetime.now(UTC)
    with closing(engine), publication(config.database, config.engine) as writer:
        state = read_state(writer.current, engine.marks())
        refuse_other_engine(config, state.built_with)
        config = with_raw_folder(config, state.built_with)
        observer.settled(config)
        project = read_project(config)
        for notice in project.notices:
            observer.note(notice)
        refuse_replacing(extension.tables(project), project.loaded_sources)
        stale = [raw for raw in raw_files(project, state.loads) if not is_loaded(raw, state)]
        loaded = loaded_with(config, state.built_with)
        if not stale and loaded == state.built_with:
            return ()
        state.refuse_foreign(raw.source.qualified_name for raw in stale)
        connection = writer.begin()
        if discarded := create_tables(connection, *extension.tables(project)):
            observer.note(discarded)
        executor = engine.executor(connection)
        loads = load_files(executor, connection, stale, observer, Changes(executor))
        write_built_with(connection, loaded)
        if loads:
            mark_unconfirmed(connection)
        record_run(connection, "load", started_at)
        writer.commit()
        engine.publish()
    return loads
