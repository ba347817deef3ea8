"""Fills one raw table from a CSV, in two ways that agree row for row: in one go, or record by record."""

import re
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from genredb.project import Column, Source
from genredb.warehouse.csvfile import Record, Survey, split_records
from genredb.warehouse.database import Connection, quote

_INTEGERS = {"tinyint", "smallint", "integer", "int", "bigint", "hugeint"}
_FLOATS = {"float", "real", "double"}
_TEXTS = {"", "varchar", "text", "string"}


@dataclass(frozen=True)
class Faulty:
    """A record bound for quarantine."""

    line: int
    reason: str
    text: str


class RawTable:
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

    def load_split(self, path: Path, fields: int) -> tuple[int, list[Faulty]]:
        """Load a file record by record; return the count of records and those that were refused."""
        faulty: list[Faulty] = []
        records = 0
        with tempfile.TemporaryDirectory(prefix="genredb-") as folder:
            good_path = Path(folder) / "records.csv"
            with good_path.open("wb") as file:
                for record in split_records(path, fields):
                    records += 1
                    if record.fault:
                        faulty.append(Faulty(record.line, record.fault, record.text.decode()))
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
            self._refuse_doubled_keys(quote(self._key))
        self._connection.execute(
            f"create or replace table {self._relation} as"
            f" select {names} from load_rows where load_reason = '' order by load_record"
        )
        refused = self._connection.execute(
            "select load_record, load_reason from load_rows where load_reason <> ''"
        ).fetchall()
        self._connection.execute("drop table load_rows")
        return dict(refused)

    def _refuse_doubled_keys(self, key: str) -> None:
        """Give each row a reason whose key an earlier good row has."""
        self._connection.execute(
            f"""
            update load_rows
            set load_reason = '{self._key} ' || load_rows.{key} || ' stands already on an earlier line'
            from (
                select
                    load_record,
                    row_number() over (partition by {key} order by load_record) as place
                from load_rows
                where load_reason = ''
            ) as places
            where load_rows.load_record = places.load_record and places.place > 1
            """
        )

    def count(self) -> int:
        """Return the number of rows in the raw table."""
        return _scalar(self._connection, f"select count(*) from {self._relation}")

    def _is_key_unique(self) -> bool:
        if not self._key:
            return True
        return (
            _scalar(
                self._connection,
                f"select count(*) - count(distinct {quote(self._key)}) from {self._relation}",
            )
            == 0
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


def _with_lines(good: Iterable[Record], refused: Mapping[int, str]) -> Iterable[Faulty]:
    for number, record in enumerate(good, start=1):
        if number in refused:
            yield Faulty(record.line, refused[number], record.text.decode())


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
