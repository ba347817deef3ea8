"""What the database records of loads: which files its raw tables hold (meta.loads)."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from genredb.runner.planning.inputs import LoadedFile, LoadedSource
from genredb.warehouse.connection import Connection
from genredb.warehouse.database import insert_rows, relation_exists
from genredb.warehouse.declared import SourceSpec

if TYPE_CHECKING:
    from genredb.warehouse.load import Load


def read_loads(connection: Connection) -> dict[str, LoadedSource]:
    """Return what the raw tables hold, by their names (``schema.name``)."""
    rows = connection.rows("select source, digest, file, sha256, size, records, is_plain from meta.loads")
    found: dict[str, LoadedSource] = {}
    for source, digest, file, *facts in rows:
        files = found.get(source, LoadedSource(digest)).files
        found[source] = LoadedSource(digest, {**files, file: LoadedFile(*facts)} if file else files)
    return found


def forget_load(connection: Connection, relation: str) -> None:
    """Remove what is recorded of the load of a raw table (``schema.name``) that left the project."""
    connection.execute("delete from meta.loads where source = ?", [relation])
    if relation_exists(connection, "raw", "quarantine"):
        connection.execute("delete from raw.quarantine where source = ?", [relation])


def record_loads(connection: Connection, spec: SourceSpec, loads: "Iterable[Load]", digest: str) -> None:
    """Replace a source's rows in meta.loads with these loads, one row per file.

    A source without files has one row without a file name.
    """
    source = spec.qualified_name
    connection.execute("delete from meta.loads where source = ?", [source])
    rows = _load_rows(loads, source, digest)
    nothing: tuple[Any, ...] = (source, None, None, digest, 0, 0, 0, 0, 0, [], False, datetime.now(UTC))
    insert_rows(connection, "meta.loads", rows or [nothing])


def record_extension(connection: Connection, spec: SourceSpec, loads: "Iterable[Load]", digest: str) -> None:
    """Add to a source's rows in meta.loads what was loaded in addition."""
    source = spec.qualified_name
    insert_rows(connection, "meta.loads", _load_rows(loads, source, digest))
    connection.execute(
        """
        create or replace temp table loads as
        select
            source, file, arg_max(sha256, loaded_at) as sha256, ?, max(size), sum(records), sum(loaded),
            sum(quarantined), sum(repaired), arg_max(ignored_columns, loaded_at), bool_and(is_plain),
            max(loaded_at)
        from meta.loads
        where source = ?
        group by source, file
        """,
        [digest, source],
    )
    connection.execute("delete from meta.loads where source = ?", [source])
    connection.execute("insert into meta.loads from loads where file is not null")
    connection.execute("drop table loads")


def _load_rows(loads: "Iterable[Load]", source: str, digest: str) -> list[tuple[Any, ...]]:
    now = datetime.now(UTC)
    return [
        (
            source,
            load.name,
            load.sha256,
            digest,
            load.size,
            load.records,
            load.loaded,
            load.quarantined,
            load.repaired,
            list(load.ignored_columns),
            load.is_plain,
            now,
        )
        for load in loads
    ]
