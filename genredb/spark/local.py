"""The published relations of Spark in a DuckDB connection, which reads their Parquet without Spark."""

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from graphlib import TopologicalSorter

import sqlglot
from sqlglot import exp

from genredb.runner.graph.identity import digest
from genredb.spark.snapshots import Snapshots, Stored
from genredb.warehouse.connection import Connection
from genredb.warehouse.database import literal, quote
from genredb.warehouse.database import relations as existing


def copy_relations(connection: Connection, snapshots: Snapshots, relations: Mapping[str, Stored]) -> None:
    """Create these relations in a ledger's database: tables with their rows, views with their queries.

    Tables of the ledger keep their rows, unless these are made on Spark.
    """
    for one in in_order(relations):
        name = _create(connection, snapshots, one, "table" if one.folder else "view")
        if one.inputs:
            connection.execute(f"delete from {name}")
            connection.execute(f"insert into {name} by name {rows_of(snapshots, one)}")
        if one.mark:
            connection.execute(f"comment on {one.kind} {name} is {literal(one.mark)}")


@contextlib.contextmanager
def shown_relations(
    connection: Connection, snapshots: Snapshots, relations: Mapping[str, Stored]
) -> Iterator[None]:
    """Let the block read these relations in a ledger's database, as views over their files."""
    ordered = in_order(relations)
    before = {*existing(connection)}
    try:
        for one in ordered:
            _create(connection, snapshots, one, "view")
        yield
    finally:
        for one in reversed(ordered):
            if (one.schema, one.name) not in before:
                connection.execute(f"drop view if exists {quote(one.schema)}.{quote(one.name)}")


def _create(connection: Connection, snapshots: Snapshots, one: Stored, kind: str) -> str:
    """Create a relation where there is none of this name; return its name."""
    name = f"{quote(one.schema)}.{quote(one.name)}"
    connection.execute(f"create schema if not exists {quote(one.schema)}")
    query = rows_of(snapshots, one) if one.folder else one.query
    connection.execute(f"create {kind} if not exists {name} as\n{query}")
    return name


def rows_of(snapshots: Snapshots, table: Stored) -> str:
    """Return DuckDB's SQL of the rows of a table, in the types of its columns."""
    columns = ", ".join(
        f"cast({quote(name)} as {kind}) as {quote(name)}" for name, kind in table.columns.items()
    )
    files = literal(str(snapshots.path(table.folder).absolute() / "*.parquet"))
    return f"select {columns} from read_parquet({files}, hive_partitioning = false)"


def in_order(relations: Mapping[str, Stored]) -> list[Stored]:
    """Return relations so that each follows those that it reads."""
    reads = {name: sorted(_read_by(one, relations)) for name, one in relations.items()}
    return [relations[name] for name in TopologicalSorter(reads).static_order()]


def inputs_of(names: Iterable[str], relations: Mapping[str, Stored]) -> str:
    """Return a digest of the rows that relations have: it is another once a table that they read is new."""
    waiting, found = [name for name in names if name in relations], dict[str, str]()
    while waiting:
        one = relations[waiting.pop()]
        if one.qualified_name not in found:
            found[one.qualified_name] = one.folder or one.query
            waiting += _read_by(one, relations)
    return digest(*(part for pair in sorted(found.items()) for part in pair))[:16]


def _read_by(one: Stored, relations: Mapping[str, Stored]) -> set[str]:
    """Return the relations that a view reads; in its SQL for Spark their names are single identifiers."""
    if not one.sql:
        return set()
    named = {table.name.lower() for table in sqlglot.parse_one(one.sql, dialect="spark").find_all(exp.Table)}
    return {name for name in relations if name.lower() in named}
