"""Spark as the engine of a build: relations are Parquet in a snapshot, or views over it.

An empty copy of every relation is kept in DuckDB, in memory: it finds invalid SQL, names the types that each
result must have, and describes relations, so that all this is the same on both engines.
"""

import contextlib
import shutil
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genredb.errors import ProjectError
from genredb.runner.execution.duckdb_executor import DuckDBExecutor
from genredb.runner.planning.state import mark_of
from genredb.runner.templates.relation import Relation
from genredb.spark.dialect import quoted, spark_type
from genredb.spark.empty import EmptyCopy
from genredb.spark.failures import explained
from genredb.spark.local import in_order, inputs_of, rows_of
from genredb.spark.parquet import write_parquet
from genredb.spark.queries import Queries, translate
from genredb.spark.snapshots import Snapshots, Stored
from genredb.spark.sources import load_files
from genredb.warehouse.connection import Connection
from genredb.warehouse.database import quote
from genredb.warehouse.declared import SourceSpec
from genredb.warehouse.load import Load
from genredb.warehouse.rawfile import Held

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import SparkSession


class SparkExecutor:
    """Creates relations in a new snapshot; ``start`` starts the session when it is first needed.

    ``own`` are tables in the ledger that models read; they are copied when the session starts.
    """

    def __init__(
        self,
        snapshots: Snapshots,
        empty: EmptyCopy,
        ledger: Connection,
        start: "Callable[[], SparkSession]",
        own: Iterable[Relation] = (),
    ) -> None:
        self.ledger = ledger
        self._own = tuple(own)
        self._snapshots = snapshots
        self._empty = empty
        self._start = start
        self.stored = snapshots.published()
        for one in self.stored.values():
            empty.add(one.schema, one.name, one.columns)

    @cached_property
    def _queries(self) -> Queries:
        """The session, with a view for each relation."""
        queries = Queries(self._start())
        for relation in self._own:
            if relation.qualified_name in self.stored and self.stored[relation.qualified_name].inputs:
                continue  # its rows are computed on Spark
            columns = DuckDBExecutor(self.ledger).columns(str(relation))
            self._empty.add(str(relation.schema), relation.identifier, columns)
            self.stored = self.stored | {relation.qualified_name: self._copied(self.ledger, relation)}
        for one in in_order(self.stored):
            queries.register(one, self._snapshots.path(one.folder))
        return queries

    def run(self, sql: str) -> int | None:
        """Refuse a statement: only queries run on Spark."""
        raise ProjectError("Spark builds run no statements of hooks and headers, only queries")

    def query(self, sql: str) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
        """Return the columns and rows of a query."""
        query = translate(sql, self._empty)
        return tuple(query.columns), self._queries.rows(self._queries.typed(query))

    def sample(self, sql: str, limit: int) -> tuple[tuple[str, ...], tuple[tuple[Any, ...], ...], int]:
        """Return a query's columns, its first ``limit`` rows in sorted order, and its total rows."""
        query = translate(sql, self._empty)
        typed, columns = self._queries.typed(query), tuple(query.columns)
        [[total]] = self._queries.rows(f"select count(*) as n from (\n{typed}\n)")
        if not total:
            return columns, (), 0
        places = ", ".join(f"{number} nulls last" for number in range(1, len(columns) + 1))
        first = self._queries.rows(f"select * from (\n{typed}\n) order by {places} limit {limit}")
        return columns, tuple(first), int(total)

    def answer(self, sql: str, limit: int | None) -> str:
        """Run a query; return DuckDB's SQL of its rows, which are readable until the engine is closed.

        They are at most one more than ``limit``.
        """
        query = translate(sql, self._empty)  # what is refused needs no session
        typed = self._queries.typed(query)
        most = "" if limit is None else f" limit {limit + 1}"
        folder = self._snapshots.table_folder("answer", "rows")
        self._write(f"select * from (\n{typed}\n){most}", folder)
        return rows_of(self._snapshots, Stored("answer", "rows", "table", query.columns, folder))

    @contextlib.contextmanager
    def given(self, name: str, rows: "pa.Table") -> Iterator[None]:
        """Let queries in Spark's SQL read these rows as ``name``."""
        import pyarrow.parquet as pq  # noqa: PLC0415 - slow to import

        folder = self._snapshots.path(self._snapshots.table_folder("given", name))
        folder.mkdir()
        try:
            pq.write_table(rows, folder / "part-00000.parquet")
            self._queries.session.read.parquet(str(folder)).createOrReplaceTempView(name)
            yield
        finally:
            shutil.rmtree(folder)

    def compute(
        self,
        relation: Relation,
        columns: Mapping[str, str],
        translated: str,
        function: "Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]",
        reads: Sequence[str],
    ) -> None:
        """Make a table with a function of the rows of a query in Spark's SQL, which runs in Spark's tasks.

        ``columns`` are those of the function's batches; ``reads`` the relations that its rows depend on.
        """
        schema, name = str(relation.schema), relation.identifier
        folder = self._snapshots.table_folder(schema, name)
        typed = ", ".join(f"{quoted(column)} {spark_type(kind)}" for column, kind in columns.items())
        self._queries.write(
            translated, self._snapshots.path(folder), lambda frame: frame.mapInArrow(function, typed)
        )
        inputs = inputs_of(reads, self.stored)
        self._keep(Stored(schema, name, "table", columns, folder, reads=tuple(reads), inputs=inputs))

    def is_computed_from_current(self, relation: Relation) -> bool:
        """Return True if a table was computed, not built, and from the relations as they are."""
        one = self.stored.get(relation.qualified_name)
        return bool(one and one.inputs and one.inputs == inputs_of(one.reads, self.stored))

    def rows_here(self, relation: Relation) -> str:
        """Return DuckDB's SQL of the rows of a table."""
        return rows_of(self._snapshots, self.stored[relation.qualified_name])

    def forget_stale(self) -> Mapping[str, int]:
        """Empty tables that were not built, but computed from relations that changed; return their rows."""
        forgotten = {}
        for name, one in self.stored.items():
            if one.inputs and not self.is_computed_from_current(Relation(None, one.schema, one.name)):
                forgotten[name] = self._queries.count(name)
                folder = self._snapshots.table_folder(one.schema, one.name)
                self._write(_nothing(one.columns), folder)
                self.stored[name] = replace(one, folder=folder, reads=(), inputs="")
        return forgotten

    def statement_kinds(self, sql: str) -> Sequence[str]:
        """Return the kinds of statements in a text, such as ``SELECT``."""
        return self._empty.executor.statement_kinds(sql)

    def load(self, source: SourceSpec, files: Sequence[Path]) -> tuple[Load, ...]:
        """Load raw files into their source's table, quarantining rows that cannot be loaded."""
        self._empty.add_source(source)
        relation = Relation(None, source.schema, source.table)
        folder = self._snapshots.table_folder(source.schema, source.table)
        if files:
            path = self._snapshots.path(folder)
            with explained():
                done = load_files(self._queries.session, self.ledger, source, files, path)
        else:
            done = ()
            self._write(_nothing(self.columns(_here(relation))), folder)
        self._keep(self._stored(relation, "table", folder))
        return done

    def extend(
        self, source: SourceSpec, held: Mapping[Path, Held | None], added: Relation
    ) -> tuple[Load, ...] | None:
        """Return None: a source's table is always written anew."""
        del source, held, added
        return None

    def load_seed(self, relation: Relation, file: Path, separator: str, types: Mapping[str, str]) -> int:
        """Create a table from a seed's CSV, as DuckDB reads it; return its row count."""
        count = self._empty.load_seed(relation, file, separator, types)
        self._keep(self._copied(self._empty.connection, relation))
        self._empty.clear(relation)
        return count

    def create_schema(self, relation: Relation) -> None:
        """Create the schema of a relation if it is missing: here only its name counts."""
        self._empty.executor.create_schema(relation)

    def create(self, relation: Relation, kind: str, sql: str) -> int | None:
        """Create or replace a ``table`` or ``view`` from one query; return the number of rows of a table."""
        typed = self._queries.typed(translate(sql, self._empty))
        self._empty.create(relation, sql)
        if kind == "view":
            self._keep(replace(self._stored(relation, kind), sql=typed, query=sql))
            return None
        folder = self._snapshots.table_folder(str(relation.schema), relation.identifier)
        self._write(typed, folder)
        self._keep(self._stored(relation, kind, folder))
        return self._queries.count(relation.qualified_name)

    def create_temporary(self, relation: Relation, sql: str) -> int | None:
        """Refuse: only incremental models need it."""
        raise ProjectError("Spark builds have no incremental models")

    def names_of_python(self) -> AbstractContextManager[None]:
        """Refuse: Python models are refused before a build."""
        raise ProjectError("Python models do not run on Spark")

    def keep_result(self, relation: Relation, run: Callable[[Any], Any]) -> None:
        """Do nothing: no Python model runs."""

    def drop(self, relation: str) -> None:
        """Drop a table or view (``schema.name``) if it exists."""
        self.stored.pop(relation, None)

    def mark(self, relation: Relation, kind: str, digest: str) -> None:
        """Mark a relation as created by genredb for this digest; replacing it removes the mark."""
        name = relation.qualified_name
        self.stored[name] = replace(self.stored[name], mark=mark_of(digest))

    def marks(self) -> Mapping[str, str]:
        """Return the mark of every relation (``schema.name``), empty if it has none."""
        return {name: one.mark for name, one in self.stored.items()}

    def relations(self) -> Mapping[tuple[str, str], str]:
        """Return every relation by (schema, name): ``table`` or ``view``."""
        return {(one.schema, one.name): one.kind for one in self.stored.values()}

    def refuse_damage(self, made: Collection[str]) -> None:
        """Raise ProjectError if the folder of a table that would be published again is gone."""
        for name, one in self.stored.items():
            path = self._snapshots.path(one.folder)
            if one.folder and name not in made and not path.is_dir():
                raise ProjectError(f"{path} is gone", cure="run `genredb build --full-refresh`")

    def copy_rows(self, relation: Relation, most: int, target: Connection) -> None:
        """Copy the first rows of a relation into a new table of that name in a DuckDB database."""
        here = _here(relation)
        columns = self.columns(here)
        name = quoted(relation.qualified_name)
        rows = self._queries.table(f"select * from {name} limit {most}")
        typed = {quote(column): kind for column, kind in columns.items()}
        casts = ", ".join(f"cast({column} as {kind}) as {column}" for column, kind in typed.items())
        with target.given("genredb_rows", rows):
            target.execute(f"create table {here} as select {casts} from genredb_rows")

    def kind(self, relation: Relation) -> str | None:
        """Return ``table`` or ``view``, or None if the relation does not exist."""
        found = self.stored.get(relation.qualified_name)
        return found.kind if found else None

    def columns(self, of: str) -> dict[str, str]:
        """Return the columns and types of a relation or query, given as SQL."""
        return self._empty.executor.columns(of)

    def transaction(self) -> AbstractContextManager[None]:
        """Run the block: what fails has created no relation."""
        return contextlib.nullcontext()

    def _copied(self, connection: Connection, relation: Relation) -> Stored:
        """Write the rows of a DuckDB table to the new snapshot."""
        folder = self._snapshots.table_folder(str(relation.schema), relation.identifier)
        path = self._snapshots.path(folder)
        path.mkdir(parents=True)
        write_parquet(connection, relation, path / "part-00000.parquet")
        return self._stored(relation, "table", folder)

    def _write(self, translated: str, folder: str) -> None:
        self._queries.write(translated, self._snapshots.path(folder))

    def _stored(self, relation: Relation, kind: str, folder: str = "") -> Stored:
        columns = self.columns(_here(relation))
        return Stored(str(relation.schema), relation.identifier, kind, columns, folder)

    def _keep(self, one: Stored) -> None:
        """Record a relation that was made, the last in order, and give it a view."""
        self.stored.pop(one.qualified_name, None)
        self.stored[one.qualified_name] = one
        self._queries.register(one, self._snapshots.path(one.folder))


def _here(relation: Relation) -> str:
    return str(relation.include(database=False))


def _nothing(columns: Mapping[str, str]) -> str:
    typed = ", ".join(f"cast(null as {spark_type(kind)}) as {quoted(name)}" for name, kind in columns.items())
    return f"select {typed} where false"
