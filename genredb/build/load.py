"""The verb ``load``, and what a build loads: raw CSVs into their tables."""

from collections.abc import Iterable
from datetime import UTC, datetime

from genredb.build.built_with import loaded_with, with_raw_folder, write_built_with
from genredb.build.freshness import has_songs
from genredb.build.history import record_run
from genredb.build.inputs import RawFiles, raw_files
from genredb.build.plan import is_loaded
from genredb.build.results import Observer, SilentObserver
from genredb.build.state import forget_whole, read_state, record_loads
from genredb.project.config import Config
from genredb.project.discover import read_project
from genredb.warehouse.database import Connection
from genredb.warehouse.load import Load, load_source
from genredb.warehouse.publish import publication
from genredb.warehouse.tables import create_tables

_SILENT = SilentObserver()


def load(config: Config, observer: Observer = _SILENT) -> tuple[Load, ...]:
    """Load the raw CSVs that changed, and publish the raw tables alone; return what was loaded."""
    started_at = datetime.now(UTC)
    with publication(config.database) as turn:
        state = read_state(turn.current)
        config = with_raw_folder(config, state.built_with)
        observer.settled(config)
        project = read_project(config)
        for notice in project.notices:
            observer.note(notice)
        stale = [raw for raw in raw_files(project) if not is_loaded(raw, state)]
        loaded = loaded_with(config, state.built_with)
        if not stale and loaded == state.built_with:
            return ()
        state.refuse_foreign(raw.source.qualified_name for raw in stale)
        connection = turn.begin()
        create_tables(connection, has_songs=has_songs(project))
        loads = load_files(connection, stale, observer)
        write_built_with(connection, loaded)
        if loads:
            forget_whole(connection)
        record_run(connection, "load", started_at)
        turn.commit()
    return loads


def load_files(connection: Connection, stale: Iterable[RawFiles], observer: Observer) -> tuple[Load, ...]:
    """Load the files of sources into their tables, and remember what was loaded."""
    loads: list[Load] = []
    for raw in stale:
        observer.start(f"load {raw.source.stated_files}")
        done = load_source(connection, raw.source, list(raw.sha256s))
        record_loads(connection, raw.source.qualified_name, done, raw.digest)
        for load in done:
            observer.loaded(load)
        loads += done
    return tuple(loads)
