"""Loads a source's CSV into its raw table. Every record is loaded or stands in raw.quarantine.

Columns are matched by header, values converted strictly. A file whose every record is good is read by
DuckDB in one go; if the count differs from the one taken over the bytes, or DuckDB refuses the file,
it is split record by record, and what cannot be loaded is quarantined with line, reason and text.
"""

import re
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from genredb.errors import InputError, did_you_mean
from genredb.project import Column, Source
from genredb.warehouse.csvfile import Record, Survey, digest, split_records, survey
from genredb.warehouse.database import Connection, quote

_INTEGERS = {"tinyint", "smallint", "integer", "int", "bigint", "hugeint"}
_FLOATS = {"float", "real", "double"}
_TEXTS = {"", "varchar", "text", "string"}


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


@dataclass(frozen=True)
class _Faulty:
    """A record bound for quarantine."""

    line: int
    reason: str
    text: str


def source_file(source: Source, raw_dir: Path) -> Path:
    """Return the path of a source's CSV; InputError if the raw folder lacks it."""
    path = raw_dir / str(source.file)
    if not path.exists() and not path.is_symlink():
        others = [other.name for other in raw_dir.glob("*.csv")] if raw_dir.is_dir() else []
        raise InputError(
            f"{source.qualified_name} needs {path}, which does not exist.{did_you_mean(str(source.file), others)}"
        )
    return path


def source_digest(path: Path) -> str:
    """Return the sha256 of a CSV's bytes."""
    return digest(path)


def load_source(connection: Connection, source: Source, path: Path) -> Load:
    """Replace the raw table of ``source``, and its rows in raw.quarantine, by what ``path`` holds.

    Raises InputError where the file as a whole cannot be read: no CSV, no records, columns missing.
    """
    found = survey(path)
    columns = _match_header(source, path, found.header)
    ignored = tuple(
        header for header, column in zip(found.header, columns, strict=True) if column is None and header.strip()
    )
    _prepare(connection, source)
    table = _Table(connection, source, columns)
    faulty: list[_Faulty] = []
    records = found.records
    if not table.load_clean(path, found):
        records, faulty = table.load_split(path, len(found.header))
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


def _prepare(connection: Connection, source: Source) -> None:
    connection.execute(f"create schema if not exists {quote(source.schema)}")
    connection.execute("create schema if not exists raw")
    connection.execute(
        "create table if not exists raw.quarantine"
        " (source varchar, file varchar, line bigint, reason varchar, text varchar)"
    )


def _quarantine(connection: Connection, source: Source, path: Path, faulty: Iterable[_Faulty]) -> None:
    rows = sorted(faulty, key=lambda record: record.line)
    connection.execute("delete from raw.quarantine where source = ?", [source.name])
    connection.execute(
        "insert into raw.quarantine select ?, ?, unnest(?::bigint[]), unnest(?::varchar[]), unnest(?::varchar[])",
        [source.name, path.name, [r.line for r in rows], [r.reason for r in rows], [r.text for r in rows]],
    )


class _Table:
    """The raw table while it is loaded: two ways to fill it that agree row for row."""

    def __init__(self, connection: Connection, source: Source, columns: Sequence[Column | None]) -> None:
        self._connection = connection
        self._columns = columns
        self._key = source.key
        self._relation = f"{quote(source.schema)}.{quote(source.name)}"
        # In the order of the properties file, whatever the order of the file.
        self._fields = {column.name: columns.index(column) for column in source.columns}
        self._declared = source.columns
        self._values = [
            f"{_converted(column, f'c{self._fields[column.name]}')} as {quote(column.name)}"
            for column in source.columns
        ]

    def load_clean(self, path: Path, found: Survey) -> bool:
        """Load a file in one go; False where a record was refused, so that it must be split."""
        sql = f"""
            create or replace table {self._relation} as
            select {", ".join(self._accepted(column) for column in self._declared)}
            from (select *, {", ".join(self._values)} from {self._read_csv(has_header=True)})
        """
        try:
            self._connection.execute(sql, [_unglobbed(path)])
        except duckdb.InvalidInputException:
            return False
        return self.count() == found.records and self._is_key_unique()

    def load_split(self, path: Path, fields: int) -> tuple[int, list[_Faulty]]:
        """Load a file record by record; return the count of records and those that were refused."""
        faulty: list[_Faulty] = []
        records = 0
        with tempfile.TemporaryDirectory(prefix="genredb-") as folder:
            good_path = Path(folder) / "records.csv"
            with good_path.open("wb") as file:
                for record in split_records(path, fields):
                    records += 1
                    if record.fault:
                        faulty.append(_Faulty(record.line, record.fault, record.text.decode()))
                    else:
                        file.write(record.text + b"\n")
            refused = self._load_reasoned(good_path)
        if refused:
            good = (record for record in split_records(path, fields) if not record.fault)
            faulty += _with_lines(good, refused)
        return records, faulty

    def _load_reasoned(self, path: Path) -> dict[int, str]:
        """Load the good rows of a well-formed file; return the reason for each other one, by its number."""
        reasons = ", ".join(self._reason(column) for column in self._declared)
        names = ", ".join(quote(column.name) for column in self._declared)
        self._connection.execute(
            f"""
            create or replace temp table load_rows as
            select *, concat_ws('; ', {reasons}) as load_reason
            from (
                select *, row_number() over () as load_record, {", ".join(self._values)}
                from {self._read_csv(has_header=False)}
            )
            """,
            [_unglobbed(path)],
        )
        if self._key:
            self._connection.execute(
                f"""
                update load_rows
                set load_reason = '{self._key} ' || load_rows.{quote(self._key)} || ' stands already on an earlier line'
                from (
                    select load_record, row_number() over (partition by {quote(self._key)} order by load_record) as place
                    from load_rows
                    where load_reason = ''
                ) as places
                where load_rows.load_record = places.load_record and places.place > 1
                """
            )
        self._connection.execute(
            f"create or replace table {self._relation} as"
            f" select {names} from load_rows where load_reason = '' order by load_record"
        )
        refused = self._connection.execute(
            "select load_record, load_reason from load_rows where load_reason <> ''"
        ).fetchall()
        self._connection.execute("drop table load_rows")
        return dict(refused)

    def count(self) -> int:
        """Return the number of rows in the raw table."""
        return _scalar(self._connection, f"select count(*) from {self._relation}")

    def _is_key_unique(self) -> bool:
        if not self._key:
            return True
        return 0 == _scalar(
            self._connection, f"select count(*) - count(distinct {quote(self._key)}) from {self._relation}"
        )

    def _read_csv(self, *, has_header: bool) -> str:
        """Return a read_csv of text columns c0, c1, …; the path is its parameter."""
        columns = ", ".join(f"'c{index}': 'varchar'" for index in range(len(self._columns)))
        return (
            f"read_csv(?, auto_detect = false, header = {str(has_header).lower()}, columns = {{{columns}}},"
            " delim = ',', quote = '\"', escape = '\"', strict_mode = true, null_padding = false)"
        )

    def _text(self, column: Column) -> str:
        return f"c{self._fields[column.name]}"

    def _accepted(self, column: Column) -> str:
        """Return the expression for a good row's value; it raises an error where the row is not good."""
        name, text = quote(column.name), self._text(column)
        if column.data_type.lower() in _TEXTS and not column.is_required:
            return name
        low, high = column.range.low, column.range.high
        bounds = [f"{name} >= {low}"] if low is not None else []
        bounds += [f"{name} <= {high}"] if high is not None else []
        blank = "" if column.is_required else f"when {_is_blank(text)} then null"
        is_good = " and ".join([f"{name} is not null", *bounds])
        return f"case when {is_good} then {name} {blank} else error('refused') end as {name}"

    def _reason(self, column: Column) -> str:
        """Return the expression that says what is wrong with this column of a row, or null."""
        name, text, header = quote(column.name), self._text(column), column.header.replace("'", "''")
        shown = f"'{header}: ''' || left({text}, 40) || ''' is "
        cases = [f"when {_is_blank(text)} then {_text_or_null(f'{header} is empty', column.is_required)}"]
        cases.append(f"when {name} is null then {shown}not {_article(column.data_type)}'")
        if column.range.low is not None:
            cases.append(f"when {name} < {column.range.low} then {shown}below {column.range.low}'")
        if column.range.high is not None:
            cases.append(f"when {name} > {column.range.high} then {shown}above {column.range.high}'")
        return f"case {' '.join(cases)} end"


def _with_lines(good: Iterable[Record], refused: Mapping[int, str]) -> Iterable[_Faulty]:
    for number, record in enumerate(good, start=1):
        if number in refused:
            yield _Faulty(record.line, refused[number], record.text.decode())


def _converted(column: Column, text: str) -> str:
    """Return the expression that converts a text field strictly: null where it does not fit the type."""
    data_type = column.data_type.lower()
    if data_type in _TEXTS:
        return text
    if data_type in _INTEGERS:
        # 107.0 is an integer, 1.5 is none: a cast alone would round it.
        is_integer = f"regexp_full_match({text}, '\\s*[+-]?\\d+(\\.0*)?\\s*')"
        return f"case when {is_integer} then try_cast({text} as {data_type}) end"
    if data_type in _FLOATS:
        number = f"try_cast({text} as {data_type})"
        return f"case when isfinite({number}) then {number} end"
    return f"try_cast({text} as {data_type})"


def _is_blank(text: str) -> str:
    return f"({text} is null or trim({text}) = '')"


def _text_or_null(text: str, is_text: bool) -> str:
    return f"'{text}'" if is_text else "null"


def _article(data_type: str) -> str:
    name = data_type.lower()
    if name in _INTEGERS:
        return "an integer"
    return "a number" if name in _FLOATS else f"a {name}"


def _unglobbed(path: Path) -> str:
    """Return the path with glob characters escaped: a file's name must never name other files."""
    return re.sub(r"([*?\[\]])", r"[\1]", str(path))


def _scalar(connection: Connection, sql: str) -> int:
    row = connection.execute(sql).fetchone()
    return int(row[0]) if row else 0
