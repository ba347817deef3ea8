"""Loads raw files, or parts of large CSV files, in Spark's tasks, by the loader that DuckDB builds use.

So the same records are accepted, repaired and quarantined, and each task counts the records of its file in
the bytes. The files and the warehouse must be on a disk that all executors see.
"""

import shutil
import uuid
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from genredb.errors import GenredbError
from genredb.runner.templates.relation import Relation
from genredb.spark.parquet import write_parquet
from genredb.spark.snapshots import UNFINISHED
from genredb.warehouse.csvparts import cut
from genredb.warehouse.database import insert_rows, open_empty
from genredb.warehouse.declared import SourceSpec
from genredb.warehouse.load import Load, joined, load_part, load_source
from genredb.warehouse.rawfile import Span
from genredb.warehouse.readers.formats import may_be_cut
from genredb.warehouse.settings import Setting
from genredb.warehouse.tables import QUARANTINE

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from genredb.warehouse.connection import Connection

_Quarantined = tuple[str, str, int, str, str]


@dataclass(frozen=True)
class _Task:
    """What a task loads into the Parquet file ``target``: a file, or a span of it."""

    path: Path
    target: Path
    span: Span | None = None


@dataclass(frozen=True)
class _Loaded:
    """What a task made of a file: its load and its quarantined rows, or the error."""

    path: Path
    load: Load | None = None
    quarantined: tuple[_Quarantined, ...] = ()
    error: GenredbError | None = None


def load_files(
    session: "SparkSession", ledger: "Connection", source: SourceSpec, files: Sequence[Path], folder: Path
) -> tuple[Load, ...]:
    """Load files into Parquet files of ``folder``; replace the source's rows in raw.quarantine.

    A large CSV file is loaded in parts, each in a task, unless it turns out that only the whole shows where
    its records end or which of them repeat a key. Raises the first file's error, if any.
    """
    folder.mkdir(parents=True, exist_ok=True)
    whole = [
        _Task(path.absolute(), folder / f"part-{number:05}.parquet") for number, path in enumerate(files)
    ]
    # As for Spark's own readers; Spark accepts sizes such as 64m.
    stated = session.conf.get("spark.sql.files.maxPartitionBytes")
    part_bytes = session.sparkContext._jvm.org.apache.spark.network.util.JavaUtils.byteStringAsBytes(stated)
    tasks = [part for task in whole for part in _parts(source, task, part_bytes)]
    done = _run(session, source, tasks)
    if unclear := _unclear(session, source, tasks, done):
        for task in tasks:
            if task.path in unclear:
                task.target.unlink(missing_ok=True)
        again = _run(session, source, [task for task in whole if task.path in unclear])
        done = [*(one for one in done if one.path not in unclear), *again]
    errors = [one.error for one in done if one.error]
    if errors:
        raise errors[0]
    QUARANTINE.create(ledger)
    ledger.execute("delete from raw.quarantine where source = ?", [source.qualified_name])
    insert_rows(ledger, "raw.quarantine", [row for one in done for row in one.quarantined])
    return tuple(joined([one.load for one in done if one.path == task.path and one.load]) for task in whole)


def _parts(source: SourceSpec, whole: _Task, part_bytes: int) -> list[_Task]:
    """Return the tasks that load a file: that one, or one for each part of it."""
    path = whole.path
    is_numbered = any(column.filled_with == "record_number" for column in source.columns)
    is_small = not path.is_file() or path.stat().st_size <= part_bytes
    if is_small or is_numbered or not may_be_cut(path.name):
        return [whole]
    spans = cut(path, source.files.delimiter if source.files else ",", part_bytes)
    parts = [
        _Task(path, whole.target.with_stem(f"{whole.target.stem}-{place:05}"), span)
        for place, span in enumerate(spans)
    ]
    return parts if len(parts) > 1 else [whole]


def _run(session: "SparkSession", source: SourceSpec, tasks: Sequence[_Task]) -> list[_Loaded]:
    def run(part: Iterator[_Task]) -> Iterator[_Loaded]:
        return (_load(source, task) for task in part)

    done: list[_Loaded] = session.sparkContext.parallelize(tasks, len(tasks)).mapPartitions(run).collect()
    return done


def _unclear(
    session: "SparkSession", source: SourceSpec, tasks: Sequence[_Task], done: Sequence[_Loaded]
) -> set[Path]:
    """Return the files in parts of which one failed, or which have a key twice, or no good record."""
    found = set()
    for path in {task.path for task in tasks if task.span}:
        loads = [one.load for one in done if one.path == path]
        targets = [str(task.target) for task in tasks if task.path == path]
        is_loaded = all(loads) and any(load.loaded for load in loads if load)
        if not is_loaded or (source.key and _repeats(session, source.key, targets)):
            found.add(path)
    return found


def _repeats(session: "SparkSession", key: str, files: Sequence[str]) -> bool:
    """Return True if rows of Parquet files have the same key."""
    rows = session.read.parquet(*files)
    doubled = rows.groupBy(rows[f"`{key}`"].alias("key")).count().filter("count > 1 and key is not null")
    return not doubled.isEmpty()


def _load(source: SourceSpec, task: _Task) -> _Loaded:
    """Load a file or a span of it; the Parquet file appears whole, also if a task is tried again."""
    attempt = task.target.parent / UNFINISHED / uuid.uuid4().hex
    draft, spill = attempt / task.target.name, attempt / "spill"
    try:
        attempt.mkdir(parents=True)
        with closing(open_empty(spill, (Setting("threads", 1),))) as connection:
            if task.span:
                load = load_part(connection, source, task.path, task.span)
            else:
                [load] = load_source(connection, source, [task.path])
            quarantined = connection.rows("select source, file, line, reason, text from raw.quarantine")
            write_parquet(connection, Relation(None, source.schema, source.table), draft)
        draft.replace(task.target)
        return _Loaded(task.path, load, tuple(quarantined))
    except GenredbError as error:
        return _Loaded(task.path, error=error)
    finally:
        shutil.rmtree(attempt, ignore_errors=True)
