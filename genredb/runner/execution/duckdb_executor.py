"""DuckDB as the engine of a build."""

import contextlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from genredb.errors import Place, ProjectError
from genredb.runner.planning.state import mark_of
from genredb.runner.templates.relation import Relation
from genredb.warehouse.connection import Connection
from genredb.warehouse.csvfile import refuse_changed, survey
from genredb.warehouse.csvrecords import split_records
from genredb.warehouse.database import (
    literal,
    plainly_named,
    quote,
    read_whole,
    relation_exists,
    relation_marks,
    relations,
    run_query,
    run_sql,
    scratch_folder,
    transaction,
)
from genredb.warehouse.declared import SourceSpec
from genredb.warehouse.frames import keep_result, names_of_python
from genredb.warehouse.load import Load, extend_source, load_source
from genredb.warehouse.rawfile import Held
from genredb.warehouse.seed_types import seed_types
from genredb.warehouse.user_sql import fetch_sample, refuse_several, statement_kinds


class DuckDBExecutor:
    """Creates relations in a DuckDB file; ``is_new`` means that the file is still empty."""

    def __init__(self, connection: Connection, *, is_new: bool = False) -> None:
        self._connection = connection
        self._is_new = is_new

    def run(self, sql: str) -> int | None:
        """Execute a statement; return the number of rows written, if DuckDB reports it."""
        return run_sql(self._connection, sql)

    def query(self, sql: str) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
        """Return the columns and rows of a query."""
        return run_query(self._connection, sql)

    def sample(self, sql: str, limit: int) -> tuple[tuple[str, ...], tuple[tuple[Any, ...], ...], int]:
        """Return a query's columns, its first ``limit`` rows in sorted order, and its total rows."""
        return fetch_sample(self._connection, sql, limit)

    def statement_kinds(self, sql: str) -> Sequence[str]:
        """Return the kinds of statements in a text, such as ``SELECT``."""
        return statement_kinds(self._connection, sql)

    def load(self, source: SourceSpec, files: Sequence[Path]) -> tuple[Load, ...]:
        """Load raw files into their source's table, quarantining rows that cannot be loaded."""
        return tuple(load_source(self._connection, source, list(files)))

    def extend(
        self, source: SourceSpec, held: Mapping[Path, Held | None], added: Relation
    ) -> tuple[Load, ...] | None:
        """Load what is new in a source's files; None means that the source must be loaded anew."""
        return extend_source(self._connection, source, held, str(added))

    def load_seed(self, relation: Relation, file: Path, separator: str, types: Mapping[str, str]) -> int:
        """Create a table from a seed's CSV; return its row count. ProjectError names an unreadable line."""
        self._drop_other_kind(relation, "table")
        read = (
            f"read_csv(?, header = true, delim = {literal(separator)},"
            " quote = '\"', escape = '\"', comment = '', strict_mode = true, all_varchar = {},"
            " sample_size = -1, hive_partitioning = false, compression = 'none'{})"
        )
        with self._strict_csv(file, separator) as (path, records):
            texts = read.format("true", "")
            columns = [name for name, *_ in self._connection.rows(f"describe from {texts}", [path])]
            untyped = [name for name in columns if name not in types]
            inferred = dict(zip(untyped, seed_types(self._connection, texts, path, untyped), strict=True))
            stated = ", ".join(
                f"{literal(name)}: {literal(kind)}" for name, kind in {**inferred, **types}.items()
            )
            typed = read.format("false", f", types = {{{stated}}}")
            rows = run_sql(self._connection, f"create or replace table {relation} as from {typed}", [path])
        if rows != records:
            raise ProjectError(f"{records} records were read and {rows} loaded")
        return records

    def create_schema(self, relation: Relation) -> None:
        """Create the schema of a relation if it is missing."""
        self._connection.execute(f"create schema if not exists {quote(str(relation.schema))}")

    def create(self, relation: Relation, kind: str, sql: str) -> int | None:
        """Create or replace a ``table`` or ``view`` from one query; return the number of rows of a table."""
        self._drop_other_kind(relation, kind)
        rows = self._make(f"create or replace {kind} {relation} as\n{sql}")
        return rows if kind == "table" else None

    def create_temporary(self, relation: Relation, sql: str) -> int | None:
        """Create a table from one query that only this build sees; return its number of rows."""
        return self._make(f"create or replace temp table {relation} as\n{sql}")

    def names_of_python(self) -> AbstractContextManager[None]:
        """Let SQL name variables of Python inside the block, which must hold whole transactions."""
        return names_of_python(self._connection)

    def keep_result(self, relation: Relation, run: Callable[[Any], Any]) -> None:
        """Create a table that only this build sees from what ``run`` returns, given the connection."""
        keep_result(self._connection, str(relation), run)

    def drop(self, relation: str) -> None:
        """Drop a table or view (``schema.name``) if it exists."""
        for (schema, name), kind in self.relations().items():
            if f"{schema}.{name}" == relation:  # either may contain a dot
                self._connection.execute(f"drop {kind} {quote(schema)}.{quote(name)}")

    def mark(self, relation: Relation, kind: str, digest: str) -> None:
        """Mark a relation as created by genredb for this digest; replacing it removes the mark."""
        marked = relation.include(database=False)
        self._connection.execute(f"comment on {kind} {marked} is {literal(mark_of(digest))}")

    def marks(self) -> Mapping[str, str]:
        """Return the mark of every relation (``schema.name``), empty if it has none."""
        return relation_marks(self._connection)

    def relations(self) -> Mapping[tuple[str, str], str]:
        """Return every relation by (schema, name): ``table`` or ``view``."""
        return relations(self._connection)

    def refuse_damage(self, made: Collection[str]) -> None:
        """Raise an error if a table is damaged that would be published again; ``made`` are new."""
        found = self.relations().items()
        read_whole(self._connection, [k for k, kind in found if kind == "table" and ".".join(k) not in made])

    def copy_rows(self, relation: Relation, most: int, target: Connection) -> None:
        """Copy the first rows of a relation into a new table of that name in another DuckDB database.

        ``target`` is a duplicate of this connection that uses another attached database.
        """
        own = str(self._connection.rows("select current_database()")[0][0])
        here = relation.include(database=False)
        target.execute(f"create table {here} as from {quote(own)}.{here} limit {most}")

    def kind(self, relation: Relation) -> str | None:
        """Return ``table`` or ``view``, or None if the relation does not exist."""
        return relation_exists(self._connection, str(relation.schema), relation.identifier, relation.database)

    def columns(self, of: str) -> dict[str, str]:
        """Return the columns and types of a relation or query, given as SQL."""
        _, rows = self.query(f"describe {of}")
        return {str(row[0]): str(row[1]) for row in rows}

    def transaction(self) -> AbstractContextManager[None]:
        """Run the block in a transaction: if it fails, nothing changes."""
        return transaction(self._connection)

    def _make(self, statement: str) -> int | None:
        """Create a relation from a model's SQL; SqlError if the SQL is not a single query."""
        refuse_several(self._connection, statement)
        return self.run(statement)

    def _drop_other_kind(self, relation: Relation, kind: str) -> None:
        """Drop a view that a table is about to replace, or the reverse."""
        there = None if self._is_new else self.kind(relation)
        if there not in (None, kind):
            self._connection.execute(f"drop {there} {relation}")

    @contextlib.contextmanager
    def _strict_csv(self, path: Path, separator: str) -> Iterator[tuple[str, int]]:
        """Yield the name of an RFC 4180 copy of a seed, and its number of records."""
        found = survey(path, separator)
        records = 0
        with scratch_folder(self._connection) as folder:
            strict = folder / "seed.csv"
            with strict.open("wb") as file:
                header = ('"' + name.replace('"', '""') + '"' for name in found.header)
                file.write(separator.join(header).encode() + b"\n")
                for record in split_records(path, found):
                    if fault := record.fault or "; ".join(one.words for one in record.repairs):
                        raise ProjectError(str(fault), place=Place("", record.line))
                    file.write(record.readable + b"\n")
                    records += 1
            refuse_changed(path, found)
            with plainly_named(strict) as name:
                yield name, records
