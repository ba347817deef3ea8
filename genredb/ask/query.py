"""Runs one SQL query on the published database and returns its rows, or writes them as text or Parquet."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, BinaryIO

from genredb.ask.guard import Limits
from genredb.ask.lines import FORMATS, Column, LineFormat, refuse_doubled
from genredb.errors import UsageError
from genredb.runner.planning.built_with import built_with
from genredb.runner.project.config import Config
from genredb.warehouse.beside import open_beside
from genredb.warehouse.connection import Connection
from genredb.warehouse.database import open_reader
from genredb.warehouse.duckdb_errors import query_errors
from genredb.warehouse.settings import stated_memory
from genredb.warehouse.user_sql import bind_query, called_functions, plain, plan_of, read_query

if TYPE_CHECKING:
    import pyarrow as pa

BATCH_ROWS = 50_000
_PYTHON_BYTES = 1 << 30  # bytes for Python and a classifier, in addition to DuckDB's limit
# The classifier's SQL functions and what they return for a song.
FUNCTIONS = {
    "predict_genre": "The most likely genre of a song: a row of songs, or an artist and the audio columns.",
    "genre_probabilities": "The genres of a song with their probabilities, most likely first.",
}


@dataclass(frozen=True)
class Question:
    """A query; ``parameters`` are the values of ``$name`` in it, ``limit`` is the maximum number of rows.

    ``is_trusted`` allows it to read files and change settings; the database stays read-only.
    """

    sql: str
    parameters: Mapping[str, object] = field(default_factory=dict)
    limit: int | None = None
    is_trusted: bool = False


@dataclass(frozen=True)
class Answer:
    """The rows of a query; ``is_cut`` is True if there were more than ``limit``."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    is_cut: bool = False

    def as_lists(self) -> list[Any]:
        """Return columns, rows and ``is_cut`` as values that fit JSON."""
        rows = [[float(one) if isinstance(one, Decimal) else one for one in row] for row in self.rows]
        return [list(self.columns), rows, self.is_cut]


def limits_of(config: Config, seconds: float | None, *, is_trusted: bool = False) -> Limits:
    """Return the limits of a query's process; one that is trusted, or on Spark, has no memory limit."""
    if config.settings.engine == "spark":
        return Limits(seconds, None, may_write_files=True)
    stated = stated_memory(config.engine)
    memory = Limits.memory if stated is None else stated + _PYTHON_BYTES
    return Limits(seconds, None if is_trusted else memory, may_write_files=is_trusted)


def fetch_answer(config: Config, question: Question) -> Answer:
    """Return the rows of a query as strings, numbers and booleans; other types are cast to text by DuckDB.

    Raises UsageError with DuckDB's message if the SQL is invalid, tries to write or, unless trusted, accesses
    anything outside the database.
    """
    with _opened(config, question) as (connection, read):
        return _fetched(read, _bound(config, connection, read))


def answer_on(connection: Connection, question: Question) -> Answer:
    """Return the rows of a query as ``fetch_answer`` does, on a connection that is open, without its limits.

    The query must not call the classifier's functions.
    """
    read = replace(question, sql=read_query(connection, question.sql))
    with query_errors(read.sql):
        return _fetched(read, bind_query(connection, read.sql, read.parameters))


def answer_beside(config: Config, question: Question) -> Answer:
    """Return the rows of a query as ``fetch_answer`` does, though this process has the database open."""
    with open_beside(config.database, config.engine) as connection:
        read = replace(question, sql=read_query(connection, question.sql))
        with query_errors(read.sql):
            return _fetched(read, _bound(config, connection, read))


def _fetched(question: Question, relation: Any) -> Answer:
    """Return the rows of a bound query."""
    columns = tuple(relation.columns)
    wanted = plain(_limited(relation, question.limit))
    with _located(question, wanted):
        rows = wanted.fetchall()
    if question.limit is None:
        return Answer(columns, tuple(rows))
    return Answer(columns, tuple(rows[: question.limit]), is_cut=len(rows) > question.limit)


@contextlib.contextmanager
def asked(config: Config, question: Question) -> Iterator[Any]:
    """Yield a query as a DuckDB relation, readable within the block; errors become UsageErrors."""
    with _opened(config, question) as (connection, read):
        yield _bound(config, connection, read)


@contextlib.contextmanager
def _opened(config: Config, question: Question) -> Iterator[tuple[Connection, Question]]:
    """Yield a connection and what to ask it, one statement; its errors become UsageErrors.

    An answer from Spark is there already, in files that the connection reads.
    """
    if config.settings.engine == "spark":
        from genredb.ask.on_spark import answered  # noqa: PLC0415 - brings pyspark

        asked_there = answered(
            config, question.sql, question.parameters, question.limit, is_trusted=question.is_trusted
        )
        with asked_there as (connection, sql):
            yield connection, replace(question, sql=sql, parameters={})
        return
    with open_reader(config.database, config.engine, locked=not question.is_trusted) as connection:
        built_with(config, connection)
        statement = read_query(connection, question.sql)
        with query_errors(statement, is_trusted=question.is_trusted):
            yield connection, replace(question, sql=statement)


def explain_answer(config: Config, question: Question) -> str:
    """Return DuckDB's drawing of a query's plan; UsageError if the query is invalid."""
    with _opened(config, question) as (connection, read):
        _bound(config, connection, read)
        return plan_of(connection, read.sql)


def write_answer(config: Config, question: Question, answer_format: str, stream: BinaryIO) -> bool:
    """Write the rows of a query to a stream in batches; return whether there were more than the limit.

    Raises UsageError as ``fetch_answer`` does, and if the format does not support the rows.
    """
    with _opened(config, question) as (connection, read):
        relation = _bound(config, connection, read)
        if answer_format == "parquet":
            wanted = _limited(relation, read.limit)
            with _located(read, wanted):
                return _write_parquet(wanted, read.limit, stream)
        found = [Column(*pair) for pair in zip(relation.columns, relation.types, strict=True)]
        line_format = FORMATS[answer_format]
        names = ", ".join(f"c{place}" for place in range(len(found)))
        sql = f"select {line_format.line(found)} as line from (\n{read.sql}\n) as answer({names})"
        lines = _limited(bind_query(connection, sql, read.parameters), read.limit)
        with _located(read, lines):
            return _write_lines(lines, line_format, found, read.limit, stream)


def _located(question: Question, relation: Any) -> contextlib.AbstractContextManager[None]:
    """Translate errors on reading a relation, with their place in the statement it is built from."""
    before, is_found, _ = relation.sql_query().partition(question.sql)
    return query_errors(question.sql, before=before if is_found else "", is_trusted=question.is_trusted)


def _limited(relation: Any, limit: int | None) -> Any:
    """Return the relation limited to the wanted rows and one more."""
    return relation if limit is None else relation.limit(limit + 1)


def _bound(config: Config, connection: Connection, question: Question) -> Any:
    """Return the query as a relation, after registering the functions that it calls."""
    if calls_classifier(question.sql):
        from genredb.ask.functions import register_functions  # noqa: PLC0415 - brings scikit-learn

        register_functions(connection, config.home)
    return bind_query(connection, question.sql, question.parameters, FUNCTIONS)


def calls_classifier(sql: str) -> bool:
    """Return whether a query calls a function of the classifier, which needs scikit-learn."""
    return not FUNCTIONS.keys().isdisjoint(called_functions(sql))


def _batches(reader: Any, limit: int | None) -> Iterator[tuple["pa.RecordBatch", bool]]:
    """Yield batches of at most ``limit`` rows in total, each with True if rows after it were left out."""
    wanted = limit
    for batch in reader:
        if wanted is not None and len(batch) > wanted:
            yield batch.slice(0, wanted), True
            return
        yield batch, False
        wanted = None if wanted is None else wanted - len(batch)


def _write_lines(
    relation: Any, line_format: LineFormat, columns: list[Column], limit: int | None, stream: BinaryIO
) -> bool:
    stream.write(line_format.head(columns).encode())
    skipped, is_cut = len(line_format.separator.encode()), False
    for batch, has_more in _batches(relation.to_arrow_reader(BATCH_ROWS), limit):
        stream.write(_bytes_of(batch.column(0))[skipped:])
        skipped = 0 if len(batch) else skipped
        is_cut = has_more
    stream.write(line_format.tail.encode())
    return is_cut


def _bytes_of(lines: "pa.StringArray") -> memoryview:
    """Return the concatenated bytes of a string array without nulls, without copying them."""
    _, offsets, content = lines.buffers()
    if content is None:
        return memoryview(b"")
    places = memoryview(offsets).cast("i" if str(lines.type) == "string" else "q")
    return memoryview(content)[places[lines.offset] : places[lines.offset + len(lines)]]


def _write_parquet(relation: Any, limit: int | None, stream: BinaryIO) -> bool:
    import pyarrow as pa  # noqa: PLC0415 - slow to import, and only this format needs it
    import pyarrow.parquet as pq  # noqa: PLC0415

    is_cut = False
    refuse_doubled(relation.columns, "Parquet")
    reader = relation.to_arrow_reader(BATCH_ROWS)
    try:
        with pq.ParquetWriter(stream, reader.schema) as writer:
            for batch, has_more in _batches(reader, limit):
                writer.write_batch(batch)
                is_cut = has_more
    except pa.ArrowNotImplementedError as error:
        raise UsageError(f"Parquet cannot hold these rows: {error}") from None
    return is_cut
