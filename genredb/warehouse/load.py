"""Loads a source's files into its raw table. Every record is either loaded or put in raw.quarantine.

Columns are matched by header, values converted strictly. DuckDB reads a file of good records in one go.
If DuckDB rejects the file or its count differs from the count of records in the bytes, the file is split
into records: a spreadsheet's damage is repaired if that is unambiguous, and records that cannot be loaded
are quarantined with line, reason and text.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import duckdb

from genredb.errors import InputError, ProjectError
from genredb.warehouse.connection import Connection
from genredb.warehouse.csvfile import likely_separator
from genredb.warehouse.database import quote
from genredb.warehouse.declared import Column, SourceSpec
from genredb.warehouse.duckdb_errors import first_line
from genredb.warehouse.faults import FaultCount, FaultKind, Repair, count_faults
from genredb.warehouse.raw_table import Faulty, RawTable
from genredb.warehouse.rawfile import Held, Span, file_digest
from genredb.warehouse.readers.formats import opened_source
from genredb.warehouse.readers.part import part_of_source
from genredb.warehouse.readers.reading import Reading
from genredb.warehouse.tables import QUARANTINE


@dataclass(frozen=True)
class Load:
    """The result of loading one file. ``records``, counted in the bytes, equals loaded + quarantined.

    ``repaired`` counts the loaded records that were repaired, ``repairs`` the same by kind of repair;
    ``faults`` counts the faults of the quarantined records by kind. ``is_plain`` means that it is clear where
    each record ends. ``is_rest`` means that the other facts are about the records added since the last load;
    ``sha256`` and ``size`` are always those of the whole file. ``name`` has the folders that the source's
    pattern names.
    """

    source: str
    file: Path
    name: str
    sha256: str
    size: int
    records: int
    loaded: int
    quarantined: int
    repaired: int
    ignored_columns: tuple[str, ...]
    faults: tuple[FaultCount, ...] = ()
    repairs: Mapping[Repair, int] = field(default_factory=dict)
    is_plain: bool = False
    is_rest: bool = False


def joined(parts: Sequence[Load]) -> Load:
    """Return the result of loading a file whose parts were loaded one by one."""
    counts = Counter[tuple[FaultKind, tuple[str | int, ...], str]]()
    repairs = Counter[Repair]()
    for part in parts:
        counts.update({(one.kind, one.details, one.field): one.records for one in part.faults})
        repairs.update(part.repairs)
    return replace(
        parts[0],
        records=sum(part.records for part in parts),
        loaded=sum(part.loaded for part in parts),
        quarantined=sum(part.quarantined for part in parts),
        repaired=sum(part.repaired for part in parts),
        faults=tuple(FaultCount(*key, count) for key, count in counts.most_common()),
        repairs=dict(sorted(repairs.items())),
        is_rest=False,
    )


def load_source(connection: Connection, source: SourceSpec, paths: Iterable[Path]) -> tuple[Load, ...]:
    """Replace the raw table of ``source`` and its rows in raw.quarantine with the content of the files.

    Raises InputError if a file cannot be read as a whole: wrong format, no records, missing columns.
    """
    QUARANTINE.create(connection)
    create_empty(connection, source)
    connection.execute("delete from raw.quarantine where source = ?", [source.qualified_name])
    return tuple(_load_file(connection, source, path) for path in paths)


def create_empty(connection: Connection, source: SourceSpec) -> None:
    """Create the raw table of a source, or replace it, without rows."""
    names = [column.name for column in source.columns]
    if source.key is not None and source.key not in names:
        raise ProjectError(
            f"the key '{source.key}' of {source.name} is not a column",
            place=source.path,
            name=source.key,
            choices=names,
        )
    columns = ", ".join(f"{quote(column.name)} {column.data_type or 'varchar'}" for column in source.columns)
    connection.execute(f"create schema if not exists {quote(source.schema)}")
    try:
        connection.execute(
            f"create or replace table {quote(source.schema)}.{quote(source.table)} ({columns})"
        )
    except duckdb.ProgrammingError as error:  # an unknown type, no column, or two that differ only in case
        reason = first_line(error)
        raise ProjectError(
            f"the table {source.qualified_name} cannot be created: {reason}", place=source.path
        ) from None


def extend_source(
    connection: Connection, source: SourceSpec, held: Mapping[Path, Held | None], added: str
) -> tuple[Load, ...] | None:
    """Add what is new in a source's files to its raw table, and create the table ``added`` of these rows.

    ``held`` says what the raw table holds of each file. None means that the source must be loaded anew: a new
    row repeats a key, or a file is not what it seemed to be.
    """
    QUARANTINE.create(connection)
    target = f"{quote(source.schema)}.{quote(source.table)}"
    connection.execute(f"create table {added} as from {target} limit 0")
    loads = []
    for path, part in held.items():
        if part is None:
            loads.append(_load_file(connection, source, path, added))
        elif part.prefix is not None:
            span = Span(part.prefix.size, part.size, part.size, part.prefix.lines, part.records)
            rest = _load_rest(connection, source, path, span, added)
            if rest is None:
                return None
            loads.append(rest)
    return tuple(loads)


def _load_rest(connection: Connection, source: SourceSpec, path: Path, span: Span, added: str) -> Load | None:
    separator = source.files.delimiter if source.files else ","
    try:
        with part_of_source(connection, path, separator, span) as reading:
            load = _load_reading(connection, source, reading, added, is_rest=True)
    except InputError:
        return None  # loading the whole file says what is wrong, and on which line
    return load


def load_part(connection: Connection, source: SourceSpec, path: Path, span: Span) -> Load:
    """Replace the raw table of ``source`` with the records in a span of a file.

    Quarantined records are as ``load_source`` would have them. InputError if it is not clear where each
    record of the span ends: then only the whole file can be loaded.
    """
    QUARANTINE.create(connection)
    create_empty(connection, source)
    separator = source.files.delimiter if source.files else ","
    with part_of_source(connection, path, separator, span) as reading:
        if reading.found.records is None:
            raise InputError(f"{path} is not plain from its byte {span.start:,}")
        return _load_reading(connection, source, reading, is_rest=True)


def _load_file(connection: Connection, source: SourceSpec, path: Path, added: str = "") -> Load:
    separator = source.files.delimiter if source.files else ","
    with opened_source(connection, path, separator) as reading:
        return _load_reading(connection, source, reading, added)


def _load_reading(
    connection: Connection,
    source: SourceSpec,
    reading: Reading,
    added: str = "",
    *,
    is_rest: bool = False,
) -> Load:
    path, found = reading.path, reading.found
    columns = _match_header(source, reading)
    ignored = [
        header
        for header, column in zip(found.header, columns, strict=True)
        if column is None and header.strip()
    ]
    ignored += (key for key in source.folder_values(path) if not any(c.is_named(key) for c in _asked(source)))
    table = RawTable(connection, source, reading, columns)
    done = table.load()
    sha256 = reading.sha256 or file_digest(path)
    reading.refuse_changed()
    loaded = table.count()
    if done.records == 0:
        raise InputError(f"{path} holds a header and no records", cure="save or download it again")
    counted = done.records if found.records is None else found.records
    if not counted == done.records == loaded + len(done.faulty):
        raise InputError(
            f"{counted} records were read, but {loaded} loaded and {len(done.faulty)} "
            "quarantined; nothing was published",
            place=path,
            cure="please report this file's shape as a bug",
        )
    _quarantine(connection, source, source.name_of(path), done.faulty)
    if loaded == 0 and not is_rest:
        raise InputError(done.why_nothing_loaded(reading.unit), place=path)
    if is_rest and table.repeats_key():
        raise InputError(f"a new record repeats the key of one in {source.qualified_name}", place=path)
    if added:
        connection.execute(f"insert into {added} from {table.relation}")
    table.append()
    return Load(
        source=source.qualified_name,
        file=path,
        name=source.name_of(path),
        sha256=sha256,
        size=found.size,
        records=done.records,
        loaded=loaded,
        quarantined=len(done.faulty),
        repaired=done.repaired,
        ignored_columns=tuple(ignored),
        faults=count_faults(fault for record in done.faulty for fault in record.faults),
        repairs=done.repairs,
        is_plain=found.records is not None,
        is_rest=is_rest,
    )


def _asked(source: SourceSpec) -> list[Column]:
    return [column for column in source.columns if column.filled_with is None]


def _match_header(source: SourceSpec, reading: Reading) -> list[Column | None]:
    """Return the column of each field of the file, or None if the source does not declare it."""
    asked = _asked(source)
    by_header = {name.strip().casefold(): column for column in asked for name in column.headers}
    path, found = reading.content, reading.found
    header, (what, place) = found.header, reading.header
    folded = [name.strip().casefold() for name in header]
    columns = [by_header.get(name) for name in folded]
    matched = Counter(column.header for column in columns if column)
    doubled = [header for header, count in matched.items() if count > 1]
    if doubled:
        raise InputError(
            f"{what} names these columns twice: {', '.join(doubled)}", place=place, cure="keep one of each"
        )
    given = {
        c.header for c in asked if c.is_optional or any(map(c.is_named, source.folder_values(reading.path)))
    }
    missing = [c.header for c in asked if c.header not in matched and c.header not in given]
    if missing:
        cure = "add them to the header, or an alias to the source's yml"
        if not matched and reading.has_header_line:
            cure = f"does its first line hold the column names? It begins: {', '.join(header)[:60]!r}"
            if (likely := likely_separator(path)) != found.separator:
                cure = f"they seem to be separated by {likely!r}: set `delimiter:` next to `file:`"
        extra = [name.strip() for name, column in zip(header, columns, strict=True) if column is None]
        name = missing[0] if len(missing) == 1 else ""
        raise InputError(
            f"{what} lacks the columns {', '.join(missing)}",
            place=place,
            cure=cure,
            name=name,
            choices=extra,
        )
    reading.refuse_unusable([name for name, column in zip(header, columns, strict=True) if column])
    return columns


def _quarantine(connection: Connection, source: SourceSpec, file: str, faulty: Iterable[Faulty]) -> None:
    rows = sorted(faulty, key=lambda record: record.line)
    connection.execute(
        "insert into raw.quarantine"
        " select ?, ?, unnest(?::bigint[]), unnest(?::varchar[]), unnest(?::varchar[])",
        [
            source.qualified_name,
            file,
            [r.line for r in rows],
            [r.reason for r in rows],
            [r.text for r in rows],
        ],
    )
