"""Loads a source's CSVs into its raw table. Every record is loaded or stands in raw.quarantine.

Columns are matched by header, values converted strictly. A file whose every record is good is read by
DuckDB in one go; if the count differs from the one taken over the bytes, or DuckDB refuses the file,
it is split record by record: what a spreadsheet spoiled is repaired where that is unambiguous, and what
cannot be loaded is quarantined with line, reason and text.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from genredb.errors import InputError, did_you_mean
from genredb.project.nodes import Column, Source
from genredb.warehouse.csvfile import Survey, likely_separator, refuse_changed, survey
from genredb.warehouse.database import Connection
from genredb.warehouse.raw_table import Faulty, RawTable, create_empty
from genredb.warehouse.tables import create_quarantine


@dataclass(frozen=True)
class Load:
    """What loading one file did. ``records`` is counted over the bytes: loaded + quarantined.

    ``repaired`` of the loaded ones were mended; ``reasons`` counts the quarantined records by reason,
    ``repairs`` the repaired ones by what was mended.
    """

    source: str
    file: Path
    sha256: str
    size: int
    records: int
    loaded: int
    quarantined: int
    repaired: int
    ignored_columns: tuple[str, ...]
    reasons: Mapping[str, int] = field(default_factory=dict)
    repairs: Mapping[str, int] = field(default_factory=dict)


def load_source(connection: Connection, source: Source, paths: Iterable[Path]) -> tuple[Load, ...]:
    """Replace the raw table of ``source``, and its rows in raw.quarantine, by what the files hold.

    Raises InputError where a file as a whole cannot be read: no CSV, no records, columns missing.
    """
    create_quarantine(connection)
    create_empty(connection, source)
    connection.execute("delete from raw.quarantine where source = ?", [source.qualified_name])
    return tuple(_load_file(connection, source, path) for path in paths)


def _load_file(connection: Connection, source: Source, path: Path) -> Load:
    found = survey(path, source.files.delimiter if source.files else ",")
    columns = _match_header(source, path, found)
    ignored = tuple(
        header
        for header, column in zip(found.header, columns, strict=True)
        if column is None and header.strip()
    )
    table = RawTable(connection, source, path, columns)
    done = table.load(found)
    refuse_changed(path, found)
    loaded = table.count()
    if done.records == 0:
        raise InputError(f"{path} holds a header and no records; save or download it again.")
    if done.records != loaded + len(done.faulty):
        raise InputError(
            f"{path}: {done.records} records were read, but {loaded} loaded and {len(done.faulty)} "
            "quarantined; nothing was published. Please report this file's shape as a bug."
        )
    _quarantine(connection, source, path, done.faulty)
    if loaded == 0:
        first = done.faulty[0]
        raise InputError(
            f"{path}: none of its {done.records} records can be loaded; line {first.line}: {first.reason}."
        )
    table.append()
    return Load(
        source=source.qualified_name,
        file=path,
        sha256=found.sha256,
        size=found.size,
        records=done.records,
        loaded=loaded,
        quarantined=len(done.faulty),
        repaired=done.repaired,
        ignored_columns=ignored,
        reasons=Counter(record.reason for record in done.faulty),
        repairs=done.repairs,
    )


def _match_header(source: Source, path: Path, found: Survey) -> list[Column | None]:
    """Return for each field of the file its column, or None where the source declares none."""
    asked = [column for column in source.columns if column.filled_with is None]
    by_header = {name.strip().casefold(): column for column in asked for name in column.headers}
    header = found.header
    folded = [name.strip().casefold() for name in header]
    columns = [by_header.get(name) for name in folded]
    matched = Counter(column.header for column in columns if column)
    doubled = [header for header, count in matched.items() if count > 1]
    if doubled:
        raise InputError(f"{path}:1 names these columns twice: {', '.join(doubled)}; keep one of each.")
    missing = [c.header for c in asked if c.header not in matched and not c.is_optional]
    if missing:
        cure = "add them to the header, or an alias to the source's yml"
        if not matched:
            cure = f"does its first line hold the column names? It begins: {', '.join(header)[:60]!r}"
            if (likely := likely_separator(path)) != found.separator:
                cure = f"they seem to be separated by {likely!r}: say so by `delimiter:` beside `file:`"
        extra = [name.strip() for name, column in zip(header, columns, strict=True) if column is None]
        hint = did_you_mean(missing[0], extra) if len(missing) == 1 and extra else ""
        raise InputError(f"{path}:1 lacks the columns {', '.join(missing)}; {cure}.{hint}")
    return columns


def _quarantine(connection: Connection, source: Source, path: Path, faulty: Iterable[Faulty]) -> None:
    rows = sorted(faulty, key=lambda record: record.line)
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
