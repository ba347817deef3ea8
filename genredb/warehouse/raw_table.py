"""Reads one CSV into a raw table, in two ways that agree row for row: in one go, or record by record."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from genredb.errors import ProjectError, did_you_mean
from genredb.project.nodes import Column, RawPattern, Source
from genredb.warehouse.csvfile import Survey
from genredb.warehouse.csvrecords import Record, split_records
from genredb.warehouse.database import Connection, literal, plainly_named, quote, scratch_folder
from genredb.warehouse.values import Field, Filled

SEPARATED = "thousands separator"

# Names of genredb's own beside the columns of a source, which may have any name.
_TEXT = "genredb text {}"
_PART = "genredb part"
_ROWS = quote("genredb rows")
_RECORD = quote("genredb record")
_REPAIRS = quote("genredb repairs")
_REASON = quote("genredb reason")
_NO_HEADER = "header = false, new_line = '\\n'"


@dataclass(frozen=True)
class Faulty:
    """A record bound for quarantine."""

    line: int
    reason: str
    text: str


@dataclass(frozen=True)
class Split:
    """What reading a file record by record found.

    ``repaired`` counts the loaded records that were mended, ``repairs`` the same by what was mended.
    """

    records: int
    faulty: Sequence[Faulty]
    repaired: int = 0
    repairs: Mapping[str, int] = field(default_factory=dict)


def create_empty(connection: Connection, source: Source) -> None:
    """Make the raw table of a source anew, without rows."""
    names = [column.name for column in source.columns]
    if source.key is not None and source.key not in names:
        hint = did_you_mean(source.key, names)
        raise ProjectError(f"{source.path}: the key '{source.key}' of {source.name} is no column.{hint}")
    columns = ", ".join(f"{quote(column.name)} {column.data_type or 'varchar'}" for column in source.columns)
    connection.execute(f"create schema if not exists {quote(source.schema)}")
    connection.execute(f"create or replace table {quote(source.schema)}.{quote(source.name)} ({columns})")


class RawTable:
    """The rows of one file on their way into the raw table of its source: two ways to read them that agree.

    A plain file (see csvfile) is read in one go; all others, and those of which a row is refused, are split.

    ``columns`` says for each field of the file which column it is, or None. The rows are gathered in
    ``relation`` until ``append`` moves them into the source's table.
    """

    def __init__(
        self, connection: Connection, source: Source, path: Path, columns: Sequence[Column | None]
    ) -> None:
        self._connection = connection
        self._source = source
        self._path = path
        self._texts = [_TEXT.format(index) for index in range(len(columns))]
        self.relation = f"{quote(source.schema)}.{quote(_PART)}"
        stated = source.files or RawPattern("")
        # In the order of the properties file, whatever the order of the file.
        self._fields = [self._field(column, columns, "") for column in source.columns]
        self._lenient = [
            self._field(column, columns, stated.thousands_separator) for column in source.columns
        ]

    def load(self, found: Survey) -> Split:
        """Load the file in the faster way that it admits; return what was found."""
        if found.records is not None and self.load_clean(found):
            return Split(found.records, ())
        return self.load_split(found)

    def load_clean(self, found: Survey) -> bool:
        """Load a plain file in one go; False where a record was refused, so that it must be split."""
        is_numbered = any(column.filled_with == "record_number" for column in self._source.columns)
        number = f", row_number() over () as {_RECORD}" if is_numbered else ""
        sql = f"""
            create or replace table {self.relation} as
            select {", ".join(field.accepted() for field in self._fields)}
            from (
                select *, {_values(self._fields)}
                from (select *{number} from {self._read_csv(self._texts, found.separator, "header = true")})
            )
        """
        try:
            with plainly_named(self._path) as path:
                self._connection.execute(sql, [path])
        except duckdb.InvalidInputException:
            return False
        return self.count() == found.records and self._is_key_unique()

    def load_split(self, found: Survey) -> Split:
        """Load the file record by record; return what was found."""
        faulty: list[Faulty] = []
        records = 0
        with scratch_folder(self._connection) as folder:
            good_path = folder / "records.csv"
            with good_path.open("wb") as file:
                for record in split_records(self._path, found):
                    records += 1
                    if record.fault:
                        faulty.append(Faulty(record.line, record.fault, record.text.decode()))
                    else:
                        mended = "; ".join(record.repairs)
                        before = f'{records}{found.separator}"{mended}"{found.separator}'
                        file.write(before.encode() + record.readable + b"\n")
            with plainly_named(good_path) as path:
                self._load_reasoned(path, found.separator)
        refused, repaired, repairs = self._sort_out()
        if refused:
            faulty += _with_lines(split_records(self._path, found), refused)
        return Split(records, faulty, repaired, repairs)

    def count(self) -> int:
        """Return the number of rows that were gathered."""
        return self._scalar(f"select count(*) from {self.relation}")

    def append(self) -> None:
        """Move the rows into the source's table, after those that it has."""
        source = self._source
        target = f"{quote(source.schema)}.{quote(source.name)}"
        if self._scalar(f"select count(*) from {target}"):
            self._connection.execute(f"insert into {target} from {self.relation}")
            self._connection.execute(f"drop table {self.relation}")
        else:
            self._connection.execute(f"drop table {target}")
            self._connection.execute(f"alter table {self.relation} rename to {quote(source.name)}")

    def _field(self, column: Column, columns: Sequence[Column | None], separator: str) -> Field | Filled:
        if column.filled_with == "record_number":
            return Filled(column, _RECORD)
        if column.filled_with == "file_stem":
            return Filled(column, literal(self._path.stem))
        if column not in columns:
            return Field(column, "null::varchar")
        return Field(column, quote(self._texts[columns.index(column)]), separator)

    def _load_reasoned(self, path: str, separator: str) -> None:
        """Read a well-formed file of numbered records, and give each row a reason where it is refused."""
        reasons = ", ".join(field.reason() for field in self._lenient)
        is_separated = " or ".join(field.is_separated for field in self._lenient if field.is_separated)
        texts = ["genredb record", "genredb repairs", *self._texts]
        self._connection.execute(
            f"""
            create or replace temp table {_ROWS} as
            select *, concat_ws('; ', {reasons}) as {_REASON}
            from (
                select
                    * replace (
                        {_RECORD}::bigint as {_RECORD},
                        concat_ws(
                            '; ',
                            {_REPAIRS},
                            case when {is_separated or "false"} then '{SEPARATED}' end
                        ) as {_REPAIRS}
                    ),
                    {_values(self._lenient)}
                from {self._read_csv(texts, separator, _NO_HEADER)}
            )
            """,
            [path],
        )
        if self._source.key:
            self._refuse_doubled_keys(self._source.key)

    def _sort_out(self) -> tuple[dict[int, str], int, dict[str, int]]:
        """Keep the good rows.

        Return the reason for each other one, by its number, how many good ones were mended, and of what.
        """
        names = ", ".join(field.name for field in self._lenient)
        is_mended = f"{_REASON} = '' and {_REPAIRS} <> ''"
        self._connection.execute(
            f"create or replace table {self.relation} as"
            f" select {names} from {_ROWS} where {_REASON} = '' order by {_RECORD}"
        )
        refused = self._connection.execute(
            f"select {_RECORD}, {_REASON} from {_ROWS} where {_REASON} <> ''"
        ).fetchall()
        repaired = self._scalar(f"select count(*) from {_ROWS} where {is_mended}")
        repairs = self._connection.execute(
            f"""
            select unnest(string_split({_REPAIRS}, '; ')) as repair, count(*)
            from {_ROWS}
            where {is_mended}
            group by repair
            order by repair
            """
        ).fetchall()
        self._connection.execute(f"drop table {_ROWS}")
        return dict(refused), repaired, dict(repairs)

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
        if not self._source.key:
            return True
        key = quote(self._source.key)
        return self._scalar(f"select count({key}) - count(distinct {key}) from {self.relation}") == 0

    def _read_csv(self, texts: Sequence[str], separator: str, options: str) -> str:
        """Return a read_csv of text columns; the path is its parameter."""
        columns = ", ".join(f"'{name}': 'varchar'" for name in texts)
        return (
            f"read_csv(?, auto_detect = false, columns = {{{columns}}}, {options},"
            f" delim = {literal(separator)}, quote = '\"', escape = '\"', strict_mode = true,"
            " null_padding = false, hive_partitioning = false, compression = 'none')"
        )

    def _scalar(self, sql: str) -> int:
        row = self._connection.execute(sql).fetchone()
        return int(row[0]) if row else 0


def _values(fields: Iterable[Field | Filled]) -> str:
    return ", ".join(f"{field.converted()} as {field.name}" for field in fields)


def _with_lines(records: Iterable[Record], refused: Mapping[int, str]) -> Iterable[Faulty]:
    for number, record in enumerate(records, start=1):
        if number in refused:
            yield Faulty(record.line, refused[number], record.text.decode())
