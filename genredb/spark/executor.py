"""Spark as the engine of a build: relations are Parquet in a snapshot, or views over it.

An empty copy of every relation is kept in DuckDB, in memory: it finds invalid SQL, names the types that each
result must have, and describes relations, so that all this is the same on both engines.
"""

import contextlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genredb.errors import ProjectError, SqlError
from genredb.runner.execution.duckdb_executor import DuckDBExecutor
from genredb.runner.planning.state import mark_of
from genredb.runner.templates.relation import Relation
from genredb.spark.dialect import RefusedError, quoted, spark_type, to_spark, type_name, with_types
from genredb.spark.empty import EmptyCopy
from genredb.spark.failures import explained
from genredb.spark.parquet import write_parquet
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

# What Spark may compute in a narrower type than DuckDB; nothing is lost by widening it.
_WIDENED = {("INT", "BIGINT"), ("INT", "DECIMAL(38, 0)"), ("BIGINT", "DECIMAL(38, 0)")}


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
    def _session(self) -> "SparkSession":
        """The session, with a view for each relation."""
        session = self._start()
        for relation in self._own:
            columns = DuckDBExecutor(self.ledger).columns(str(relation))
            self._empty.add(str(relation.schema), relation.identifier, columns)
            self.stored = self.stored | {relation.qualified_name: self._copied(self.ledger, relation)}
        for one in self.stored.values():
            self._register(session, one)
        return session

    def run(self, sql: str) -> int | None:
        """Refuse a statement: only queries run on Spark."""
        raise ProjectError("Spark builds run no statements of hooks and headers, only queries")

    def query(self, sql: str) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
        """Return the columns and rows of a query."""
        found = self._arrow(self._typed(sql))
        return tuple(found.column_names), _rows(found)

    def sample(self, sql: str, limit: int) -> tuple[tuple[str, ...], tuple[tuple[Any, ...], ...], int]:
        """Return a query's columns, its first ``limit`` rows in sorted order, and its total rows."""
        typed = self._typed(sql)
        columns = tuple(self.columns(f"(\n{sql}\n)"))
        [[total]] = _rows(self._arrow(f"select count(*) as n from (\n{typed}\n)"))
        if not total:
            return columns, (), 0
        places = ", ".join(f"{number} nulls last" for number in range(1, len(columns) + 1))
        first = self._arrow(f"select * from (\n{typed}\n) order by {places} limit {limit}")
        return columns, tuple(_rows(first)), int(total)

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
                done = load_files(self._session, self.ledger, source, files, path)
        else:
            done = ()
            self._write(f"select * from ({_nothing(self.columns(_here(relation)))})", folder)
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
        typed = self._typed(sql)
        self._empty.create(relation, sql)
        if kind == "view":
            self._keep(self._stored(relation, kind, sql=typed))
            return None
        folder = self._snapshots.table_folder(str(relation.schema), relation.identifier)
        self._write(typed, folder)
        self._keep(self._stored(relation, kind, folder))
        return self._count(relation)

    def create_temporary(self, relation: Relation, sql: str) -> int | None:
        """Refuse: only incremental models need it."""
        raise ProjectError("Spark builds have no incremental models")

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
        rows = self._arrow(f"select * from {name} limit {most}")
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

    def _typed(self, sql: str) -> str:
        """Return a query in Spark's SQL, whose columns have DuckDB's names and types.

        SqlError if it is invalid, refused, or of another type on Spark than widening explains.
        """
        types = self.columns(f"(\n{sql}\n)")
        try:
            translated = to_spark(sql, self._empty.schema)
        except RefusedError as error:
            raise refusal_errors(error, sql)[0] from None
        frame = self._on_spark(translated, self._session.sql)
        for (name, kind), field in zip(types.items(), frame.schema.fields, strict=True):
            wanted, found = spark_type(kind).upper(), type_name(field.dataType.simpleString())
            if found not in (wanted, "VOID") and (found, wanted) not in _WIDENED:
                raise ProjectError(f"the column {name} is {kind} on DuckDB and {found} on Spark")
        return with_types(translated, types)

    def _write(self, translated: str, folder: str) -> None:
        path = str(self._snapshots.path(folder))
        self._on_spark(translated, lambda text: self._session.sql(text).write.parquet(path))

    def _arrow(self, translated: str) -> "pa.Table":
        return self._on_spark(translated, lambda text: self._session.sql(text).toArrow())

    def _count(self, relation: Relation) -> int:
        [[count]] = _rows(self._arrow(f"select count(*) as n from {quoted(relation.qualified_name)}"))
        return int(count)

    def _on_spark(self, translated: str, do: "Callable[[str], Any]") -> Any:
        """Run a translated query; Spark's errors become SqlErrors."""
        with explained(translated):
            return do(translated)

    def _stored(self, relation: Relation, kind: str, folder: str = "", sql: str = "") -> Stored:
        columns = self.columns(_here(relation))
        return Stored(str(relation.schema), relation.identifier, kind, columns, folder, sql)

    def _keep(self, one: Stored) -> None:
        """Record a relation that was made, the last in order, and give it a view."""
        self.stored.pop(one.qualified_name, None)
        self.stored[one.qualified_name] = one
        self._register(self._session, one)

    def _register(self, session: "SparkSession", one: Stored) -> None:
        name = quoted(one.qualified_name)
        typed = ", ".join(f"{quoted(column)} {spark_type(kind)}" for column, kind in one.columns.items())
        path = str(self._snapshots.path(one.folder))
        with explained(one.sql):
            if one.kind == "view":
                session.sql(f"create or replace temporary view {name} as {one.sql}")
            else:
                session.read.schema(typed).parquet(path).createOrReplaceTempView(name)


def refusal_errors(error: RefusedError, sql: str) -> list[SqlError]:
    """Return one error for each part of a query that is refused, with its place in the SQL."""
    known = "Spark is not known to run {} as DuckDB does"
    return [SqlError(known.format(one.what), sql, one.offset) for one in error.refusals]


def _here(relation: Relation) -> str:
    return str(relation.include(database=False))


def _nothing(columns: Mapping[str, str]) -> str:
    typed = ", ".join(f"cast(null as {spark_type(kind)}) as {quoted(name)}" for name, kind in columns.items())
    return f"select {typed} where false"


def _rows(found: "pa.Table") -> list[tuple[Any, ...]]:
    return [*zip(*(column.to_pylist() for column in found.columns), strict=True)]
