"""Loads a source's CSV into its raw table. Every record is loaded or stands in raw.quarantine.

Columns are matched by header, values converted strictly. A file whose every record is good is read by
DuckDB in one go; if the count differs from the one taken over the bytes, or DuckDB refuses the file,
it is split record by record, and what cannot be loaded is quarantined with line, reason and text.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from genredb.errors import InputError, did_you_mean
from genredb.project.nodes import Column, Source
from genredb.warehouse.csvfile import survey
from genredb.warehouse.database import Connection, quote
from genredb.warehouse.raw_table import Faulty, RawTable


@dataclass(frozen=True)
class Load:
    """What loading one source did. ``records`` is counted over the bytes: loaded + quarantined."""

    source: str
    file: Path
    sha256: str
    size: int
    records: int
    loaded: int
    quarantined: int
    ignored_columns: tuple[str, ...]
    reasons: Mapping[str, int] = field(default_factory=dict)


def load_source(connection: Connection, source: Source, path: Path) -> Load:
    """Replace the raw table of ``source``, and its rows in raw.quarantine, by what ``path`` holds.

    Raises InputError where the file as a whole cannot be read: no CSV, no records, columns missing.
    """
    found = survey(path)
    columns = _match_header(source, path, found.header)
    ignored = tuple(
        header
        for header, column in zip(found.header, columns, strict=True)
        if column is None and header.strip()
    )
    connection.execute(f"create schema if not exists {quote(source.schema)}")
    table = RawTable(connection, source, columns)
    faulty: list[Faulty] = []
    records = found.records
    if not table.load_clean(path, found):
        records, faulty = table.load_split(path, found)
    loaded = table.count()
    if records == 0:
        raise InputError(f"{path} holds a header and no records; save or download it again.")
    if records != loaded + len(faulty):
        raise InputError(
            f"{path}: {records} records were read, but {loaded} loaded and {len(faulty)} quarantined; "
            "nothing was published. Please report this file's shape as a bug."
        )
    _quarantine(connection, source, path, faulty)
    if loaded == 0:
        raise InputError(
            f"{path}: none of its {records} records can be loaded; line {faulty[0].line}: {faulty[0].reason}."
        )
    return Load(
        source=source.qualified_name,
        file=path,
        sha256=found.sha256,
        size=found.size,
        records=records,
        loaded=loaded,
        quarantined=len(faulty),
        ignored_columns=ignored,
        reasons=Counter(record.reason for record in faulty),
    )


def _match_header(source: Source, path: Path, header: Sequence[str]) -> list[Column | None]:
    """Return for each field of the file its column, or None where the source declares none."""
    by_header = {name.strip().casefold(): column for column in source.columns for name in column.headers}
    folded = [name.strip().casefold() for name in header]
    columns = [by_header.get(name) for name in folded]
    matched = Counter(column.header for column in columns if column)
    doubled = [header for header, count in matched.items() if count > 1]
    if doubled:
        raise InputError(f"{path}:1 names these columns twice: {', '.join(doubled)}; keep one of each.")
    missing = [column.header for column in source.columns if column.header not in matched]
    if missing:
        cure = "add them to the header, or an alias to the source's yml"
        if len(missing) == len(source.columns):
            cure = "does its first line hold the column names"
            cure += f", separated by commas? It begins: {', '.join(header)[:60]!r}"
        extra = [name.strip() for name, column in zip(header, columns, strict=True) if column is None]
        hint = did_you_mean(missing[0], extra) if len(missing) == 1 and extra else ""
        raise InputError(f"{path}:1 lacks the columns {', '.join(missing)}; {cure}.{hint}")
    return columns


def _quarantine(connection: Connection, source: Source, path: Path, faulty: Iterable[Faulty]) -> None:
    rows = sorted(faulty, key=lambda record: record.line)
    connection.execute("delete from raw.quarantine where source = ?", [source.qualified_name])
    connection.execute(
        "insert into raw.quarantine"
        " select ?, ?, unnest(?::bigint[]), unnest(?::varchar[]), unnest(?::varchar[])",
        [
            source.qualified_name,
            path.name,
            [r.line for r in rows],
            [r.reason for r in rows],
            [r.text for r in rows],
        ],
    )
