"""One SQL query on the published database: its rows as a table, as text, or as Parquet."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO

from genredb.errors import UsageError
from genredb.project.config import Config
from genredb.query.lines import FORMATS, Column, LineFormat
from genredb.warehouse.database import Connection, open_reader, query_errors
from genredb.warehouse.sql_text import without_end

if TYPE_CHECKING:
    import pyarrow as pa

BATCH_ROWS = 50_000
_CALL = re.compile(r"\b(predict_genre|genre_probabilities)\s*\(", re.IGNORECASE)
_ASKS = frozenset({"SELECT", "MULTI"})  # what PIVOT becomes is MULTI


@dataclass(frozen=True)
class Question:
    """A query; ``parameters`` are the values of ``$name`` in it, ``limit`` how many rows are wanted at most.

    ``is_trusted`` lets it read files and change settings; the database stays read-only.
    """

    sql: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    limit: int | None = None
    is_trusted: bool = False


@dataclass(frozen=True)
class Answer:
    """The rows of a query; ``is_cut`` says that there were more than ``limit``."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    is_cut: bool = False


def fetch_answer(config: Config, question: Question) -> Answer:
    """Return the rows of a query.

    Raises UsageError with DuckDB's message where the SQL is wrong, tries to write or reaches outside.
    """
    with open_reader(config.database, locked=not question.is_trusted) as connection, query_errors():
        _prepare(connection, config, question)
        relation = _relation(connection, question, _statement(connection, question))
        columns = tuple(relation.columns)
        if question.limit is None:
            return Answer(columns, tuple(relation.fetchall()))
        rows = relation.limit(question.limit + 1).fetchall()
    return Answer(columns, tuple(rows[: question.limit]), is_cut=len(rows) > question.limit)


def write_answer(config: Config, question: Question, answer_format: str, stream: BinaryIO) -> bool:
    """Write the rows of a query to a stream, a batch at a time; return whether there were more than wanted.

    Raises UsageError as ``fetch_answer`` does, and where the format cannot hold the rows.
    """
    with open_reader(config.database, locked=not question.is_trusted) as connection, query_errors():
        _prepare(connection, config, question)
        statement = _statement(connection, question)
        relation = _relation(connection, question, statement)
        if answer_format == "parquet":
            return _write_parquet(relation, question.limit, stream)
        found = [Column(*pair) for pair in zip(relation.columns, relation.types, strict=True)]
        line_format = FORMATS[answer_format]
        names = ", ".join(f"c{place}" for place in range(len(found)))
        sql = f"select {line_format.line(found)} as line from (\n{statement}\n) as answer({names})"
        lines = _relation(connection, question, sql)
        return _write_lines(lines, line_format, found, question.limit, stream)


def _prepare(connection: Connection, config: Config, question: Question) -> None:
    """Register what the query calls."""
    if may_predict(question.sql):
        from genredb.query.functions import register_functions  # noqa: PLC0415 - brings scikit-learn

        register_functions(connection, config)


def may_predict(sql: str) -> bool:
    """Whether a query may call a function of the classifier."""
    return _CALL.search(sql) is not None


def _statement(connection: Connection, question: Question) -> str:
    """Return the one statement that is asked, without a semicolon at its end."""
    statements = connection.extract_statements(question.sql)
    if not statements:
        raise UsageError("There is no SQL to run; give it as an argument, by -f FILE or on stdin.")
    if len(statements) != 1:
        raise UsageError(f"One statement at a time can be asked; there are {len(statements)}.")
    kind = _kind(statements[0])
    if kind not in _ASKS:
        raise UsageError(f"Only queries can be asked, no {kind} statement.")
    return without_end(statements[0].query)


def _kind(statement: Any) -> str:
    try:
        return str(statement.type.name)
    except ValueError:  # of a kind that DuckDB's Python does not name
        return "other"


def _relation(connection: Connection, question: Question, sql: str) -> Any:
    return connection.sql(sql, params=dict(question.parameters) if question.parameters else None)


def _batches(relation: Any, limit: int | None) -> Iterator[tuple["pa.RecordBatch", bool]]:
    """Yield batches of at most ``limit`` rows in all, each with whether rows beyond them were left out."""
    wanted = limit
    if limit is not None:
        relation = relation.limit(limit + 1)
    for batch in relation.to_arrow_reader(BATCH_ROWS):
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
    for batch, has_more in _batches(relation, limit):
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
    schema = relation.limit(0).to_arrow_reader(BATCH_ROWS).schema
    try:
        with pq.ParquetWriter(stream, schema) as writer:
            for batch, has_more in _batches(relation, limit):
                writer.write_batch(batch)
                is_cut = has_more
    except pa.ArrowNotImplementedError as error:
        raise UsageError(f"Parquet cannot hold these rows: {error}.") from None
    return is_cut
