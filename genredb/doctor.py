"""The verb ``doctor``: looks for common problems and suggests a cure for each."""

import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

from genredb.catalog import Catalog
from genredb.drafts import leftovers
from genredb.errors import GenredbError, did_you_mean
from genredb.runner.graph.nodes import PythonModel
from genredb.runner.plan import plan
from genredb.runner.planning.built_with import BuiltWith, as_built, built_with, read_built_with
from genredb.runner.planning.options import Options
from genredb.runner.project.config import Config, Settings, read_config
from genredb.runner.project.raw_folder import source_files
from genredb.songs.extension import SONGS
from genredb.songs.learn.dataset import feature_view
from genredb.songs.learn.drift import describe_drift, find_drift
from genredb.songs.needed_columns import VIEW_COLUMNS, missing_columns
from genredb.songs.staleness import find_stale, read_fingerprints
from genredb.songs.views import PREDICT_VIEW
from genredb.version import __version__
from genredb.warehouse.connection import Connection
from genredb.warehouse.csvfile import refuse_unreadable
from genredb.warehouse.database import open_reader, read_whole, relations
from genredb.warehouse.declared import SourceSpec
from genredb.warehouse.duckdb_errors import found_damage, noticed_damage, write_ahead_log
from genredb.warehouse.publish import leftovers_of, lock_of

_LIBRARIES = ("duckdb", "sqlglot", "pandas", "pyarrow", "scikit-learn", "skops")
_SPARE_BYTES = 1 << 28
_NAMED = 4


@dataclass(frozen=True)
class Finding:
    """The result of one check. A ``problem`` keeps genredb from working, a ``note`` does not."""

    level: Literal["ok", "note", "problem"]
    about: str
    text: str
    cure: str = ""
    exit_code: int = 0


def examine(settings: Settings) -> Iterator[Finding]:
    """Check versions, project, raw files, disk, database, classifier, predictions and relations."""
    yield _versions()
    try:
        config = read_config(settings)
        database = _read_built_with(config)
        config = as_built(config, database)
        with Catalog(config) as catalog:
            yield from _examine(catalog, database)
    except GenredbError as error:
        yield from _problems("project", error)


def _problems(about: str, error: GenredbError) -> Iterator[Finding]:
    """Yield a problem for each error that this one holds."""
    for one in error.each():
        yield Finding("problem", about, one.headline, _cure(one), error.exit_code)


def _cure(error: GenredbError) -> str:
    return error.cure or did_you_mean(error.name, error.choices).strip()


def _examine(catalog: Catalog, database: BuiltWith) -> Iterator[Finding]:
    config, compilation = catalog.config, catalog.compilation
    yield Finding("ok", "project", f"{config.name} in {config.root}, {len(compilation.nodes)} nodes")
    for notice in compilation.notices:
        error = notice.as_error()
        yield Finding("note", "project", error.headline, _cure(error))
    if code := [node.name for node in compilation.of_type(PythonModel)]:
        what = f"a build runs the Python code of {', '.join(code)}"
        yield Finding("note", "project", what)
    yield from _raw_files(config, compilation.project.loaded_sources)
    yield from _folder(config)
    if not config.database.exists():
        yield Finding("note", "database", f"{config.database} does not exist yet", "genredb build")
        return
    try:
        with noticed_damage(config.database):
            connection = catalog.connection
            yield from _settings(config, database, connection)
            yield from _tables(config, connection)
            yield from _quarantine(catalog)
            if any(model.name == PREDICT_VIEW for model in compilation.project.models.values()):
                yield from _classifier(connection, config.home)
                yield from _predictions(connection, config.home)
                yield from _drift(connection)
    except GenredbError as error:
        yield from _problems("database", error)
        return
    yield from _relations(catalog)


def _read_built_with(config: Config) -> BuiltWith:
    """Return the settings the database was built with; empty if it is unreadable, which is reported later."""
    try:
        with open_reader(config.database, config.engine) as connection:
            return read_built_with(connection)
    except GenredbError:
        return BuiltWith()


def _settings(config: Config, database: BuiltWith, connection: Connection) -> Iterator[Finding]:
    try:
        built_with(config, connection)
    except GenredbError as error:
        yield Finding("note", "settings", error.what, "genredb build")
        return
    stated = ", ".join(f"{name}: {value}" for name, value in database.stated_vars.items())
    variables = f" with --vars '{stated}'" if stated else ""
    folder = f" from {database.raw_dir}" if database.raw_dir else ""
    yield Finding("ok", "settings", f"built for the target '{database.target}'{variables}{folder}")


def _versions() -> Finding:
    found = []
    for name in _LIBRARIES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            return Finding("problem", "versions", f"{name} is not installed", "pip install genredb", 3)
    python = ".".join(map(str, sys.version_info[:3]))
    return Finding("ok", "versions", f"genredb {__version__}, Python {python}, {', '.join(found)}")


def _raw_files(config: Config, sources: Sequence[SourceSpec]) -> Iterator[Finding]:
    if config.is_sample:
        yield Finding(
            "note",
            "raw files",
            f"the synthetic sample in {config.raw_dir} is in use",
            "put the competition's CSVs into data/raw",
        )
    for source in sources:
        try:
            paths = source_files(source, sources, config)
            for path in paths:
                refuse_unreadable(path)
        except GenredbError as error:
            yield from _problems("raw files", error)
        else:
            listed = ", ".join(map(str, paths[:_NAMED]))
            if len(paths) > _NAMED:
                listed += f" and {len(paths) - _NAMED:,} more"
            named = listed or f"no {source.stated_files}, which is optional,"
            yield Finding("ok", "raw files", f"{named} for {source.qualified_name}")


def _unwritable(config: Config) -> list[Path]:
    """Return the paths that a build needs to write to but may not."""
    is_effective = os.access in os.supports_effective_ids
    lock = lock_of(config.database)
    needed = [config.database.parent, lock, config.target_dir]
    there = [next(path for path in (one, *one.parents) if path.exists()) for one in needed]
    refused = [path for path in there if not os.access(path, os.W_OK, effective_ids=is_effective)]
    return list(dict.fromkeys(refused if lock.is_file() or not lock.exists() else [lock, *refused]))


def _folder(config: Config) -> Iterator[Finding]:
    folder = config.database.parent
    for path in _unwritable(config):
        cure = "fix its permissions, or choose another database with --database"
        yield Finding("problem", "permissions", f"{path} cannot be written", cure, exit_code=3)
    size = config.database.stat().st_size if config.database.exists() else 0
    free = shutil.disk_usage(folder).free
    if free < size + _SPARE_BYTES:
        yield Finding(
            "problem",
            "disk",
            f"{free >> 20} MiB are free in {folder}; a build needs room for a copy of the database",
            "free some space",
            exit_code=3,
        )
    else:
        yield Finding("ok", "disk", f"{free >> 30} GiB are free in {folder}")
    for path in sorted({*leftovers_of(config.database), *leftovers(config.home)}):
        yield Finding("note", "leftovers", f"{path.name} was left by a killed command", "genredb clean")
    wal = write_ahead_log(config.database)
    if wal.exists():
        yield Finding(
            "note", "leftovers", f"{wal.name}: another program did not finish writing", "genredb build"
        )


def _tables(config: Config, connection: Connection) -> Iterator[Finding]:
    tables = [name for name, kind in relations(connection).items() if kind == "table"]
    with found_damage(config.database):
        read_whole(connection, tables)
    size = config.database.stat().st_size
    yield Finding(
        "ok", "database", f"{config.database}: {len(tables)} tables read in full, {size >> 10:,} KiB"
    )


def _quarantine(catalog: Catalog) -> Iterator[Finding]:
    for source, rows in catalog.quarantined.items():
        yield Finding(
            "note",
            "quarantine",
            f"{rows} row{'' if rows == 1 else 's'} of {source} could not be loaded",
            'genredb query "from raw.quarantine"',
        )


def _relations(catalog: Catalog) -> Iterator[Finding]:
    """Compare every relation with the current project and raw files."""
    found = plan(catalog, Options(), SONGS)
    nodes = found.compilation.nodes
    for raw in found.stale_files:
        yield Finding("note", "relations", f"{raw.source.qualified_name} is out of date", "genredb build")
    for relation in found.removed:
        yield Finding("note", "relations", f"{relation} is no longer part of the project", "genredb build")
    stale = [f"{nodes[i].label} ({why})" for i, why in found.reasons.items() if not nodes[i].is_check]
    if stale:
        named = ", ".join(stale[:_NAMED]) + (f", and {len(stale) - _NAMED} more" if stale[_NAMED:] else "")
        yield Finding("note", "relations", f"out of date: {named}", "genredb build")
    if not (found.stale_files or found.removed or stale):  # checks may wait, such as those of predictions
        yield Finding("ok", "relations", "all match the project and the raw files")


def _classifier(connection: Connection, home: Path) -> Iterator[Finding]:
    """Load the current classifier, which checks bytes, versions and golden rows against its manifest."""
    from genredb.songs.learn.store import load_current  # noqa: PLC0415 - brings scikit-learn

    try:
        read_fingerprints(connection)
    except GenredbError:  # the predictions' finding says what no prediction cures
        return
    try:
        fitted = load_current(connection, home)
    except GenredbError as error:
        yield Finding("note", "classifier", error.what, "genredb predict")
    else:
        genres = len(fitted.estimator.classes_)
        text = f"{fitted.name}, of {genres} genres, loads and predicts as it did when it was stored"
        yield Finding("ok", "classifier", text)


def _predictions(connection: Connection, home: Path) -> Iterator[Finding]:
    try:
        stale = find_stale(connection, home)
    except GenredbError as error:
        yield Finding("note", "predictions", error.headline, _cure(error))
        return
    if stale:
        yield Finding("note", "predictions", str(stale), "genredb predict")
    else:
        yield Finding("ok", "predictions", "every song without a genre has a current prediction")


def _drift(connection: Connection) -> Iterator[Finding]:
    if any(missing_columns(connection, view) for view in VIEW_COLUMNS):
        return
    found = find_drift(connection, feature_view(connection, PREDICT_VIEW).features)
    for clause in describe_drift(found):
        yield Finding("note", "drift", clause, "treat these predictions with caution")
    if not found:
        yield Finding(
            "ok", "drift", "no drift: the songs to predict resemble the labelled ones in every column"
        )
