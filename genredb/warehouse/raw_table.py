"""Loads one file into a raw table, in one go or record by record; both ways give the same rows."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import duckdb

from genredb.warehouse.connection import Connection
from genredb.warehouse.csvrecords import Record
from genredb.warehouse.database import literal, plainly_named, quote, scratch_folder
from genredb.warehouse.declared import Column, RawPattern, SourceSpec
from genredb.warehouse.faults import Fault, FaultKind, Repair
from genredb.warehouse.readers.formats import stem_of
from genredb.warehouse.readers.reading import Reading
from genredb.warehouse.sql_csv import read_csv
from genredb.warehouse.unique_key import is_unique
from genredb.warehouse.values import FAULT, Field, Filled, fault_sql, has_only_digits

# The space keeps genredb's own columns apart from those of a source.
_TEXT = "genredb text {}"
_PART = "genredb part"
_ROWS = quote("genredb rows")
_RECORD = quote("genredb record")
_DIGITS = quote("genredb digits")
_REPAIRS = quote("genredb repairs")
_FAULTS = quote("genredb faults")
_NO_HEADER = "header = false, new_line = '\\n'"


@dataclass(frozen=True)
class Faulty:
    """A record bound for quarantine."""

    line: int
    faults: tuple[Fault, ...]
    text: str

    @property
    def reason(self) -> str:
        """The faults in words."""
        return "; ".join(map(str, self.faults))


@dataclass(frozen=True)
class Split:
    """The result of reading a file record by record.

    ``repaired`` counts the loaded records that were repaired, ``repairs`` the same by kind of repair.
    """

    records: int
    faulty: Sequence[Faulty]
    repaired: int = 0
    repairs: Mapping[Repair, int] = field(default_factory=dict)

    def why_nothing_loaded(self, unit: str) -> str:
        """Return a sentence about a file without a good record; ``unit`` is what its lines are called."""
        first = self.faulty[0]
        return f"none of its {self.records} records can be loaded; {unit} {first.line}: {first.reason}"


class RawTable:
    """Loads the rows of one file for the raw table of its source.

    A file is loaded in one go if its reader can do so; if not, or if a row is rejected, it is split into
    records.

    ``columns`` maps each field of the file to its column, or None. The rows are collected in ``relation``
    until ``append`` moves them into the source's table.
    """

    def __init__(
        self, connection: Connection, source: SourceSpec, reading: Reading, columns: Sequence[Column | None]
    ) -> None:
        self._connection = connection
        self._source = source
        self._reading = reading
        self._asked = frozenset(place for place, column in enumerate(columns) if column is not None)
        self._texts = [_TEXT.format(index) for index in range(len(columns))]
        self.relation = f"{quote(source.schema)}.{quote(_PART)}"
        stated = source.files or RawPattern("")
        # In the order of the properties file, not of the raw file.
        self._fields = [self._field(column, columns, is_digits=_DIGITS) for column in source.columns]
        self._lenient = [
            self._field(column, columns, stated.thousands_separator) for column in source.columns
        ]

    def load(self) -> Split:
        """Load the file in the fastest possible way; return the result."""
        records = self._reading.found.records
        if records is not None and self.load_clean():
            return Split(records, ())
        return self.load_checked() or self.load_split()

    def load_clean(self) -> bool:
        """Load the file in one go; return False if that fails and the file must be split into records."""
        reading = self._reading
        if reading.in_one_go is None:
            return False
        is_numbered = any(column.filled_with == "record_number" for column in self._source.columns)
        number = f", row_number() over () as {_RECORD}" if is_numbered else ""
        sql = f"""
            create or replace table {self.relation} as
            select {", ".join(field.accepted() for field in self._fields)}
            from (
                select *, {_values(self._fields)}
                from (
                    select *, {has_only_digits(self._fields)} as {_DIGITS}{number}
                    from {reading.in_one_go(self._texts, self._asked)}
                )
            )
        """
        is_read = self._is_readable(lambda path: self._connection.execute(sql, [path]))
        return is_read and self.count() == reading.found.records and self._is_key_unique()

    def _is_readable(self, read: Callable[[str], None]) -> bool:
        """Read the file in one go by its name; return False if DuckDB rejects it."""
        try:
            with plainly_named(self._reading.content) as path:
                read(path)
        except (duckdb.InvalidInputException, duckdb.IOException):
            return False
        except duckdb.Error as error:
            if type(error) is duckdb.Error:  # a damaged Parquet file; splitting it reports that
                return False
            raise
        return True

    def load_checked(self) -> Split | None:
        """Load the well-formed records of a file in one go, and judge each; None if they must be split."""
        reading = self._reading
        if reading.in_one_go is None or reading.found.records is None:
            return None
        rows = reading.in_one_go(self._texts, self._asked)
        numbered = f"(select row_number() over () as {_RECORD}, null::varchar as {_REPAIRS}, * from {rows})"
        if not self._is_readable(lambda path: self._judge(numbered, path)):
            return None
        if self._scalar(f"select count(*) from {_ROWS}") != reading.found.records:
            return None
        refused, repaired, repairs = self._keep_good_rows()
        texts = reading.texts() if reading.texts else reading.split(self._asked)
        faulty = [*_with_lines(texts, refused)] if refused else []
        return Split(reading.found.records, faulty, repaired, repairs)

    def load_split(self) -> Split:
        """Load the file record by record; return the result."""
        separator = self._reading.found.separator
        faulty: list[Faulty] = []
        records = 0
        with scratch_folder(self._connection) as folder:
            good_path = folder / "records.csv"
            with good_path.open("wb") as file:
                for record in self._reading.split(self._asked):
                    records += 1
                    if record.fault:
                        faulty.append(Faulty(record.line, (record.fault,), record.text.decode()))
                    else:
                        mended = " ".join(record.repairs)
                        before = f'{records}{separator}"{mended}"{separator}'
                        file.write(before.encode() + record.readable + b"\n")
            texts = ["genredb record", "genredb repairs", *self._texts]
            with plainly_named(good_path) as path:
                self._judge(read_csv(texts, separator, _NO_HEADER), path)
        refused, repaired, repairs = self._keep_good_rows()
        if refused:
            faulty += _with_lines(self._reading.split(self._asked), refused)
        return Split(records, faulty, repaired, repairs)

    def count(self) -> int:
        """Return the number of rows that were collected."""
        return self._scalar(f"select count(*) from {self.relation}")

    def repeats_key(self) -> bool:
        """Return True if a row has the key of one that the source's table already holds."""
        if not self._source.key:
            return False
        key, target = quote(self._source.key), f"{quote(self._source.schema)}.{quote(self._source.table)}"
        return bool(self._scalar(f"select count(*) from {self.relation} semi join {target} using ({key})"))

    def append(self) -> None:
        """Append the rows to the source's table."""
        source = self._source
        target = f"{quote(source.schema)}.{quote(source.table)}"
        if self._scalar(f"select count(*) from {target}"):
            self._connection.execute(f"insert into {target} from {self.relation}")
            self._connection.execute(f"drop table {self.relation}")
        else:
            self._connection.execute(f"drop table {target}")
            self._connection.execute(f"alter table {self.relation} rename to {quote(source.table)}")

    def _field(
        self, column: Column, columns: Sequence[Column | None], separator: str = "", is_digits: str = ""
    ) -> Field | Filled:
        if column.filled_with == "record_number":
            return Filled(column, f"{_RECORD}::bigint + {self._reading.records_before}")
        if column.filled_with == "file_stem":
            return Filled(column, literal(stem_of(self._reading.path.name)))
        if column not in columns:
            values = self._source.folder_values(self._reading.path)
            text = next((text for key, text in values.items() if column.is_named(key)), "")
            return Field(column, literal(text) if text else "null::varchar")
        return Field(column, quote(self._texts[columns.index(column)]), separator, is_digits)

    def _judge(self, rows: str, path: str) -> None:
        """Read numbered rows, given as SQL with a path as its parameter, and record the faults of each."""
        faults = ", ".join(field.fault() for field in self._lenient)
        is_separated = " or ".join(field.is_separated for field in self._lenient if field.is_separated)
        self._connection.execute(
            f"""
            create or replace temp table {_ROWS} as
            select *, list_filter([{faults}]::{FAULT}[], lambda one: one is not null) as {_FAULTS}
            from (
                select
                    * replace (
                        {_RECORD}::bigint as {_RECORD},
                        concat_ws(
                            ' ',
                            {_REPAIRS},
                            case when {is_separated or "false"} then '{Repair.THOUSANDS_SEPARATOR}' end
                        ) as {_REPAIRS}
                    ),
                    {_values(self._lenient)}
                from {rows}
            )
            """,
            [path],
        )
        if self._source.key:
            self._reject_duplicate_keys(self._source.key)

    def _keep_good_rows(self) -> tuple[dict[int, tuple[Fault, ...]], int, dict[Repair, int]]:
        """Keep the good rows.

        Return the faults of each bad row by record number, the number of repaired good rows, and the same by
        kind of repair.
        """
        names = ", ".join(field.name for field in self._lenient)
        is_mended = f"len({_FAULTS}) = 0 and {_REPAIRS} <> ''"
        self._connection.execute(
            f"create or replace table {self.relation} as"
            f" select {names} from {_ROWS} where len({_FAULTS}) = 0 order by {_RECORD}"
        )
        faulty = self._connection.rows(f"select {_RECORD}, {_FAULTS} from {_ROWS} where len({_FAULTS}) > 0")
        refused = {number: tuple(map(_fault, faults)) for number, faults in faulty}
        repaired = self._scalar(f"select count(*) from {_ROWS} where {is_mended}")
        repairs = self._connection.rows(
            f"""
            select unnest(string_split({_REPAIRS}, ' ')) as repair, count(*)
            from {_ROWS}
            where {is_mended}
            group by repair
            order by repair
            """
        )
        self._connection.execute(f"drop table {_ROWS}")
        return refused, repaired, {Repair(name): count for name, count in repairs}

    def _reject_duplicate_keys(self, key: str) -> None:
        """Reject rows that repeat an earlier key."""
        doubled = fault_sql(FaultKind.DUPLICATE_KEY, (), key, f"{_ROWS}.{quote(key)}::varchar")
        self._connection.execute(
            f"""
            update {_ROWS}
            set {_FAULTS} = [{doubled}]
            from (
                select
                    {_RECORD},
                    row_number() over (partition by {quote(key)} order by {_RECORD}) as place
                from {_ROWS}
                where len({_FAULTS}) = 0 and {quote(key)} is not null
            ) as places
            where {_ROWS}.{_RECORD} = places.{_RECORD} and places.place > 1
            """
        )

    def _is_key_unique(self) -> bool:
        return not self._source.key or is_unique(self._connection, self.relation, self._source.key)

    def _scalar(self, sql: str) -> int:
        row = self._connection.row(sql)
        return int(row[0]) if row else 0


def _fault(found: Mapping[str, Any]) -> Fault:
    """Return the fault in a value of the SQL type FAULT."""
    return Fault(FaultKind(found["kind"]), tuple(found["details"]), found["field"], found["text"])


def _values(fields: Iterable[Field | Filled]) -> str:
    return ", ".join(f"{field.converted()} as {field.name}" for field in fields)


def _with_lines(records: Iterable[Record], refused: Mapping[int, tuple[Fault, ...]]) -> Iterable[Faulty]:
    for number, record in enumerate(records, start=1):
        if number in refused:
            yield Faulty(record.line, refused[number], record.text.decode())
