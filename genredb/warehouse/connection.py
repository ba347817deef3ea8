"""A connection to DuckDB with only the methods that genredb uses."""

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import duckdb

if TYPE_CHECKING:
    import pyarrow as pa

Rows = list[tuple[Any, ...]]


class Connection:
    """A connection to one database, for genredb's own SQL: errors are raised as DuckDB's, untranslated.

    ``engine`` is the DuckDB connection; only the warehouse package uses it.
    """

    def __init__(self, engine: duckdb.DuckDBPyConnection) -> None:
        self.engine = engine

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        """Execute a statement."""
        self.engine.execute(sql, parameters)

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> Rows:
        """Return all rows of a query."""
        return self.engine.execute(sql, parameters).fetchall()

    def row(self, sql: str, parameters: Sequence[Any] = ()) -> tuple[Any, ...] | None:
        """Return the first row of a query, or None if it has no rows."""
        found: tuple[Any, ...] | None = self.engine.execute(sql, parameters).fetchone()
        self.engine.complete()  # an unfinished result would keep relations of this connection from running
        return found

    def answer(self, sql: str, parameters: Sequence[Any] = ()) -> tuple[tuple[str, ...], Rows]:
        """Return the column names of a query and all its rows."""
        found = self.engine.execute(sql, parameters)
        return tuple(column[0] for column in found.description or ()), found.fetchall()

    def arrays(self, sql: str, parameters: Sequence[Any] = ()) -> dict[str, Any]:
        """Return the columns of a query by name as NumPy arrays, masked where values are NULL."""
        return self.engine.execute(sql, parameters).fetchnumpy()

    def batches(self, sql: str, most_rows: int) -> "Iterator[pa.RecordBatch]":
        """Yield the rows of a query as Arrow batches of ``most_rows``, the last may have fewer.

        They take constant memory, and other queries may run meanwhile.
        """
        with self.duplicate() as other:  # an unfinished result blocks its connection
            yield from _even(other.engine.sql(sql).to_arrow_reader(most_rows), most_rows)

    def arrow_stream(self, sql: str) -> bytes:
        """Return the rows of a query in Arrow's streaming format, which has the columns even without rows."""
        import pyarrow as pa  # noqa: PLC0415 - few commands need it

        reader = self.engine.sql(sql).to_arrow_reader()
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, reader.schema) as stream:
            for batch in reader:
                stream.write_batch(batch)
        found: bytes = sink.getvalue().to_pybytes()
        return found

    def give_back_memory(self) -> None:
        """Return memory to the system that DuckDB keeps for later queries."""
        # DuckDB does so when a limit is set, even if it is the same.
        limit = self.rows("select current_setting('memory_limit')")[0][0]
        self.execute(f"set memory_limit = '{limit}'")

    @contextlib.contextmanager
    def given(self, name: str, rows: Any) -> Iterator[None]:
        """Make an Arrow table or batch reader available to SQL under a name."""
        self.engine.register(name, rows)
        yield  # on an error the transaction may be aborted, so unregistering would fail as well
        self.engine.unregister(name)

    @contextlib.contextmanager
    def duplicate(self) -> "Iterator[Connection]":
        """Yield a second connection to the same database."""
        with self.engine.cursor() as engine:
            yield Connection(engine)

    def close(self) -> None:
        """Close the connection; an uncommitted transaction is rolled back."""
        self.engine.close()


def _even(batches: "Iterable[pa.RecordBatch]", rows: int) -> "Iterator[pa.RecordBatch]":
    """Yield batches of so many rows each: DuckDB's are shorter at the end of each of its row groups."""
    import pyarrow as pa  # noqa: PLC0415 - few commands need it

    held: list[pa.RecordBatch] = []
    missing = rows
    for batch in batches:
        rest = batch
        while rest.num_rows:
            held.append(rest.slice(0, missing))
            rest = rest.slice(missing)
            missing -= held[-1].num_rows
            if not missing:
                yield pa.concat_batches(held)
                held, missing = [], rows
    if held:
        yield pa.concat_batches(held)
