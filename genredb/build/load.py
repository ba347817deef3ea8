"""The verb ``load``, and what a build loads: raw CSVs into their tables."""

from collections.abc import Iterable
from datetime import UTC, datetime

from genredb.build.history import record_run
from genredb.build.inputs import RawFile, raw_files
from genredb.build.plan import is_loaded
from genredb.build.results import Observer, SilentObserver
from genredb.build.state import forget_whole, read_state, record_load
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
        stale_files = [file for file in raw_files(read_project(config)) if not is_loaded(file, state)]
        if not stale_files:
            return ()
        connection = turn.begin()
        create_tables(connection)
        loads = load_files(connection, config, stale_files, observer)
        forget_whole(connection)
        record_run(connection, "load", started_at)
        turn.commit()
    return loads


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
