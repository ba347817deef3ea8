"""Fills one raw table from a CSV, in two ways that agree row for row: in one go, or record by record."""

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from genredb.errors import ProjectError, did_you_mean
from genredb.project.nodes import Column, Source
from genredb.warehouse.csvfile import Record, Survey, split_records
from genredb.warehouse.database import Connection, quote, unglobbed
from genredb.warehouse.values import Field

# Names of genredb's own beside the columns of a source, which may have any name.
_TEXT = "genredb text {}"
_ROWS = quote("genredb rows")
_RECORD = quote("genredb record")
_REASON = quote("genredb reason")
_NO_HEADER = "header = false, new_line = '\\n'"


@dataclass(frozen=True)
class Faulty:
    """A record bound for quarantine."""

    line: int
    reason: str
    text: str


class RawTable:
    """The raw table while it is loaded: two ways to fill it that agree row for row.

    ``columns`` says for each field of the file which column it is, or None.
    """

    def __init__(self, connection: Connection, source: Source, columns: Sequence[Column | None]) -> None:
        self._connection = connection
        self._texts = [_TEXT.format(index) for index in range(len(columns))]
        self._relation = f"{quote(source.schema)}.{quote(source.name)}"
        # In the order of the properties file, whatever the order of the file.
        self._fields = [Field(column, quote(self._texts[columns.index(column)])) for column in source.columns]
        self._key = source.key
        names = [column.name for column in source.columns]
        if self._key is not None and self._key not in names:
            hint = did_you_mean(self._key, names)
            raise ProjectError(f"{source.path}: the key '{self._key}' of {source.name} is no column.{hint}")

    def load_clean(self, path: Path, found: Survey) -> bool:
        """Load a file in one go; False where a record was refused, so that it must be split."""
        sql = f"""
            create or replace table {self._relation} as
            select {", ".join(field.accepted() for field in self._fields)}
            from (select *, {self._values()} from {self._read_csv("header = true")})
        """
        try:
            self._connection.execute(sql, [unglobbed(path)])
        except duckdb.InvalidInputException:
            return False
        return self.count() == found.records and self._is_key_unique()

    def load_split(self, path: Path, found: Survey) -> tuple[int, list[Faulty]]:
        """Load a file record by record; return the count of records and those that were refused."""
        faulty: list[Faulty] = []
        records = 0
        with tempfile.TemporaryDirectory(prefix="genredb-") as folder:
            good_path = Path(folder) / "records.csv"
            with good_path.open("wb") as file:
                for record in split_records(path, found):
                    records += 1
                    if record.fault:
                        faulty.append(Faulty(record.line, record.fault, record.text.decode()))
                    else:
                        file.write(record.text + b"\n")
            refused = self._load_reasoned(good_path)
        if refused:
            good = (record for record in split_records(path, found) if not record.fault)
            faulty += _with_lines(good, refused)
        return records, faulty

    def count(self) -> int:
        """Return the number of rows in the raw table."""
        return self._scalar(f"select count(*) from {self._relation}")

    def _load_reasoned(self, path: Path) -> dict[int, str]:
        """Load the good rows of a well-formed file; return the reason for each other one, by its number."""
        reasons = ", ".join(field.reason() for field in self._fields)
        names = ", ".join(field.name for field in self._fields)
        self._connection.execute(
            f"""
            create or replace temp table {_ROWS} as
            select *, concat_ws('; ', {reasons}) as {_REASON}
            from (
                select *, row_number() over () as {_RECORD}, {self._values()}
                from {self._read_csv(_NO_HEADER)}
            )
            """,
            [unglobbed(path)],
        )
        if self._key:
            self._refuse_doubled_keys(self._key)
        self._connection.execute(
            f"create or replace table {self._relation} as"
            f" select {names} from {_ROWS} where {_REASON} = '' order by {_RECORD}"
        )
        refused = self._connection.execute(
            f"select {_RECORD}, {_REASON} from {_ROWS} where {_REASON} <> ''"
        ).fetchall()
        self._connection.execute(f"drop table {_ROWS}")
        return dict(refused)

    def _refuse_doubled_keys(self, key: str) -> None:
        """Give each row a reason whose key an earlier good row has."""
        self._connection.execute(
            f"""
            update {_ROWS}
            set {_REASON} = ? || ' ' || {_ROWS}.{quote(key)} || ' stands already on an earlier line'
            from (
                select
                    {_RECORD},
                    row_number() over (partition by {quote(key)} order by {_RECORD}) as place
                from {_ROWS}
                where {_REASON} = '' and {quote(key)} is not null
            ) as places
            where {_ROWS}.{_RECORD} = places.{_RECORD} and places.place > 1
            """,
            [key],
        )

    def _is_key_unique(self) -> bool:
        if not self._key:
            return True
        key = quote(self._key)
        return self._scalar(f"select count({key}) - count(distinct {key}) from {self._relation}") == 0

    def _values(self) -> str:
        return ", ".join(f"{field.converted()} as {field.name}" for field in self._fields)

    def _read_csv(self, options: str) -> str:
        """Return a read_csv of text columns; the path is its parameter."""
        columns = ", ".join(f"'{name}': 'varchar'" for name in self._texts)
        return (
            f"read_csv(?, auto_detect = false, columns = {{{columns}}}, {options},"
            " delim = ',', quote = '\"', escape = '\"', strict_mode = true, null_padding = false)"
        )

    def _scalar(self, sql: str) -> int:
        row = self._connection.execute(sql).fetchone()
        return int(row[0]) if row else 0


def _with_lines(good: Iterable[Record], refused: Mapping[int, str]) -> Iterable[Faulty]:
    for number, record in enumerate(good, start=1):
        if number in refused:
            yield Faulty(record.line, refused[number], record.text.decode())
