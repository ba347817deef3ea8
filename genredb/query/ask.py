"""One SQL query on the published database: its rows as a table, as text, or as Parquet."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO

from genredb.build.built_with import built_with
from genredb.errors import UsageError
from genredb.project.config import Config
from genredb.query.lines import FORMATS, Column, LineFormat, refuse_doubled
from genredb.warehouse.database import Connection, open_reader
from genredb.warehouse.duckdb_errors import query_errors
from genredb.warehouse.user_sql import bind_query, called_functions, plain, plan_of, read_query

if TYPE_CHECKING:
    import pyarrow as pa

BATCH_ROWS = 50_000
# The functions of the classifier, by name, with what they give for a song.
FUNCTIONS = {
    "predict_genre": "The likeliest genre of a song: a row of songs, or an artist and the audio columns.",
    "genre_probabilities": "The genres of a song with their probabilities, likeliest first.",
}


@dataclass(frozen=True)
class Question:
    """A query; ``parameters`` are the values of ``$name`` in it, ``limit`` how many rows are wanted at most.

    ``is_trusted`` lets it read files and change settings; the database stays read-only.
    """

    sql: str
    parameters: Mapping[str, object] = field(default_factory=dict)
    limit: int | None = None
    is_trusted: bool = False


@dataclass(frozen=True)
class Answer:
    """The rows of a query; ``is_cut`` says that there were more than ``limit``."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    is_cut: bool = False


def fetch_answer(config: Config, question: Question) -> Answer:
    """Return the rows of a query: texts, numbers and truth values; of any other type DuckDB's text.

    Raises UsageError with DuckDB's message where the SQL is wrong, tries to write or reaches outside.
    """
    with _opened(config, question) as (connection, statement):
        relation = _bound(config, connection, question, statement)
        columns = tuple(relation.columns)
        wanted = plain(_limited(relation, question.limit))
        with _located(question, statement, wanted):
            rows = wanted.fetchall()
    if question.limit is None:
        return Answer(columns, tuple(rows))
    return Answer(columns, tuple(rows[: question.limit]), is_cut=len(rows) > question.limit)


@contextlib.contextmanager
def asked(config: Config, question: Question) -> Iterator[Any]:
    """Give a query as DuckDB's relation, which can be read until the block ends; errors are UsageErrors."""
    with _opened(config, question) as (connection, statement):
        yield _bound(config, connection, question, statement)


@contextlib.contextmanager
def _opened(config: Config, question: Question) -> Iterator[tuple[Connection, str]]:
    """Give a connection and the one statement to ask of it; errors of what it does are UsageErrors."""
    with open_reader(config.database, locked=not question.is_trusted) as connection:
        built_with(config, connection)
        statement = read_query(connection, question.sql)
        with query_errors(statement, is_trusted=question.is_trusted):
            yield connection, statement


def explain_answer(config: Config, question: Question) -> str:
    """Return how DuckDB would run a query, as a drawing; UsageError where it is wrong."""
    with _opened(config, question) as (connection, statement):
        _bound(config, connection, question, statement)
        return plan_of(connection, statement)


def write_answer(config: Config, question: Question, answer_format: str, stream: BinaryIO) -> bool:
    """Write the rows of a query to a stream, a batch at a time; return whether there were more than wanted.

    Raises UsageError as ``fetch_answer`` does, and where the format cannot hold the rows.
    """
    with _opened(config, question) as (connection, statement):
        relation = _bound(config, connection, question, statement)
        if answer_format == "parquet":
            wanted = _limited(relation, question.limit)
            with _located(question, statement, wanted):
                return _write_parquet(wanted, question.limit, stream)
        found = [Column(*pair) for pair in zip(relation.columns, relation.types, strict=True)]
        line_format = FORMATS[answer_format]
        names = ", ".join(f"c{place}" for place in range(len(found)))
        sql = f"select {line_format.line(found)} as line from (\n{statement}\n) as answer({names})"
        lines = _limited(bind_query(connection, sql, question.parameters), question.limit)
        with _located(question, statement, lines):
            return _write_lines(lines, line_format, found, question.limit, stream)


def _located(question: Question, statement: str, relation: Any) -> contextlib.AbstractContextManager[None]:
    """Say of what goes wrong while a relation is read where that is in the statement it is made of."""
    before, is_found, _ = relation.sql_query().partition(statement)
    return query_errors(statement, before=before if is_found else "", is_trusted=question.is_trusted)


def _limited(relation: Any, limit: int | None) -> Any:
    """Return the rows that are wanted, and one more."""
    return relation if limit is None else relation.limit(limit + 1)


def _bound(config: Config, connection: Connection, question: Question, statement: str) -> Any:
    """Return the query as a relation, what it calls registered."""
    if calls_classifier(statement):
        from genredb.query.functions import register_functions  # noqa: PLC0415 - brings scikit-learn

        register_functions(connection, config.home)
    return bind_query(connection, statement, question.parameters, FUNCTIONS)


def calls_classifier(sql: str) -> bool:
    """Whether a query names a function of the classifier, which takes scikit-learn."""
    return not FUNCTIONS.keys().isdisjoint(called_functions(sql))


def _batches(reader: Any, limit: int | None) -> Iterator[tuple["pa.RecordBatch", bool]]:
    """Yield batches of at most ``limit`` rows in all, each with whether rows beyond them were left out."""
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
    """Return the texts of an array, one after another, as they lie in memory; none of them is null."""
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
        raise UsageError(f"Parquet cannot hold these rows: {error}.") from None
    return is_cut
