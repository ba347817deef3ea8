"""Loads raw files in Spark's tasks, one file per task, by the loader that DuckDB builds use.

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
from genredb.warehouse.database import insert_rows, open_empty
from genredb.warehouse.declared import SourceSpec
from genredb.warehouse.load import Load, load_source
from genredb.warehouse.settings import Setting
from genredb.warehouse.tables import QUARANTINE

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from genredb.warehouse.connection import Connection

_Quarantined = tuple[str, str, int, str, str]


@dataclass(frozen=True)
class _Loaded:
    """What a task made of a file: its load and its quarantined rows, or the error."""

    loads: tuple[Load, ...] = ()
    quarantined: tuple[_Quarantined, ...] = ()
    error: GenredbError | None = None


def load_files(
    session: "SparkSession", ledger: "Connection", source: SourceSpec, files: Sequence[Path], folder: Path
) -> tuple[Load, ...]:
    """Load each file into a Parquet file of ``folder``; replace the source's rows in raw.quarantine.

    Raises the first file's error, if any.
    """
    numbered = [(number, path.absolute()) for number, path in enumerate(files)]

    def run(part: Iterator[tuple[int, Path]]) -> Iterator[_Loaded]:
        for number, path in part:
            yield _load(source, path, folder / f"part-{number:05}.parquet")

    folder.mkdir(parents=True, exist_ok=True)
    done = session.sparkContext.parallelize(numbered, len(numbered)).mapPartitions(run).collect()
    errors = [one.error for one in done if one.error]
    if errors:
        raise errors[0]
    QUARANTINE.create(ledger)
    ledger.execute("delete from raw.quarantine where source = ?", [source.qualified_name])
    insert_rows(ledger, "raw.quarantine", [row for one in done for row in one.quarantined])
    return tuple(load for one in done for load in one.loads)


def _load(source: SourceSpec, path: Path, target: Path) -> _Loaded:
    """Load one file, in a task; the Parquet file appears whole, also if a task is tried again."""
    attempt = target.parent / UNFINISHED / uuid.uuid4().hex
    draft, spill = attempt / target.name, attempt / "spill"
    try:
        attempt.mkdir(parents=True)
        with closing(open_empty(spill, (Setting("threads", 1),))) as connection:
            loads = load_source(connection, source, [path])
            quarantined = connection.rows("select source, file, line, reason, text from raw.quarantine")
            write_parquet(connection, Relation(None, source.schema, source.table), draft)
        draft.replace(target)
        return _Loaded(loads, tuple(quarantined))
    except GenredbError as error:
        return _Loaded(error=error)
    finally:
        shutil.rmtree(attempt, ignore_errors=True)
