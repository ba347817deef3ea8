"""The tables that genredb itself writes, in addition to the project's: raw.quarantine and meta."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NoReturn

import duckdb

from genredb.errors import Notice, UsageError
from genredb.version import LAYOUT
from genredb.warehouse.connection import Connection
from genredb.warehouse.database import column_types, relation_exists, relations, transaction
from genredb.warehouse.declared import Column

_NAMED = 5


@dataclass(frozen=True)
class OwnTable:
    """A table that genredb writes: ``name`` (``schema.name``), a description, its columns in order.

    ``is_of_the_layout`` means that its shape is part of :data:`~genredb.version.LAYOUT`. ``told_by`` are the
    columns whose values are others if its rows are; empty if all of them must be read to tell.
    """

    name: str
    description: str
    columns: tuple[Column, ...]
    is_of_the_layout: bool = False
    told_by: tuple[str, ...] = ()

    def create(self, connection: Connection) -> None:
        """Create the table, empty, if it is missing."""
        columns = ", ".join(f"{one.name} {one.data_type}" for one in self.columns)
        connection.execute(f"create schema if not exists {self.name.partition('.')[0]}")
        connection.execute(f"create table if not exists {self.name} ({columns})")

    def digest(self, connection: Connection) -> str:
        """Return a digest of the table's rows, whose order does not matter.

        It is empty if there are none, or if there is another program's table of that name.
        """
        schema, name = self.name.split(".")
        names = self.told_by or tuple(column.name for column in self.columns)
        is_there = relation_exists(connection, schema, name)
        if not is_there or not column_types(connection, schema, name).keys() >= {*names}:
            return ""
        columns = ", ".join(names)
        row = connection.row(
            f"select concat_ws('/', count(*), sum(hash({columns})::hugeint)) from {self.name}"
        )
        return str(row[0]) if row and row[0] != "0" else ""


QUARANTINE = OwnTable(
    "raw.quarantine",
    "One row per raw record that could not be loaded: file, line, reason and text.",
    (
        Column("source", "The raw table that the file is loaded into.", "varchar"),
        Column("file", "The file's name.", "varchar"),
        Column(
            "line",
            "The line of the file on which the record starts, from 1; in Parquet, the row number.",
            "bigint",
        ),
        Column("reason", "Why it could not be loaded.", "varchar"),
        Column("text", "The record's text, unchanged.", "varchar"),
    ),
)

_RUN_ID = Column("run_id", "The run's id: its start time, in UTC.", "varchar")
_UNIQUE_ID = Column("unique_id", "The node, such as model.genredb.songs.", "varchar")

META_TABLES = (
    OwnTable(
        "meta.state",
        "One row per fact that genredb stores about the file.",
        (
            Column("key", "The fact's name: layout, is_whole, base, proof, proved.", "varchar"),
            Column("value", "The fact.", "varchar"),
        ),
        is_of_the_layout=True,
    ),
    OwnTable(
        "meta.built_with",
        "One row per setting of the last build: target, variables, raw folder …",
        (
            Column("setting", "The setting's name.", "varchar"),
            Column("value", "Its value.", "json"),
        ),
        is_of_the_layout=True,
    ),
    OwnTable(
        "meta.fingerprints",
        "One row per node of the last build.",
        (
            _UNIQUE_ID,
            Column(
                "fingerprint",
                "Digest of everything that determines its result, upstream included.",
                "varchar",
            ),
            Column("sql", "Its SQL, without the database's name.", "varchar"),
            Column("sql_id", "Digest of the SQL without layout and comments.", "varchar"),
            Column("rest", "Digest of its configuration, relation, hooks and a file's content.", "varchar"),
            Column("own_tables", "Digests of the tables of genredb that it reads.", "varchar"),
            Column("relation", "The table or view that it creates; empty if it creates none.", "varchar"),
            Column("volatile_cause", "Why it runs in every build; empty if it does not.", "varchar"),
            Column("volatile_subject", "The function, file or relation that is the cause.", "varchar"),
            Column("has_warned", "True for a check that warned.", "boolean"),
            Column("materialized", "Its materialization: table, view, incremental …", "varchar"),
        ),
        is_of_the_layout=True,
    ),
    OwnTable(
        "meta.loads",
        "One row per file that was loaded.",
        (
            Column("source", "The raw table that it was loaded into.", "varchar"),
            Column("file", "The file's name; NULL if no file was found for the table.", "varchar"),
            Column("sha256", "SHA-256 of its bytes.", "varchar"),
            Column("digest", "Digest of all files of the table and of how genredb reads them.", "varchar"),
            Column("size", "Its size in bytes.", "bigint"),
            Column("records", "Rows read: those loaded and those quarantined.", "bigint"),
            Column("loaded", "Rows loaded.", "bigint"),
            Column("quarantined", "Rows that could not be loaded; they are in raw.quarantine.", "bigint"),
            Column("repaired", "Rows loaded after a repair, such as of a stray quote.", "bigint"),
            Column("ignored_columns", "Columns of the file that the project does not declare.", "varchar[]"),
            Column(
                "is_plain",
                "Whether it is clear where each of its records ends, so that a load can go on after them.",
                "boolean",
            ),
            Column("loaded_at", "When it was loaded.", "timestamptz"),
        ),
        is_of_the_layout=True,
    ),
    OwnTable(
        "meta.runs",
        "One row per command that wrote to the file.",
        (
            _RUN_ID,
            Column("command", "The command: build, load, train, predict, evaluate …", "varchar"),
            Column("started_at", "When it started.", "timestamptz"),
            Column("seconds", "Its duration in seconds.", "double"),
            Column("genredb_version", "The version of genredb that ran.", "varchar"),
        ),
    ),
    OwnTable(
        "meta.node_runs",
        "One row per node of a run.",
        (
            _RUN_ID,
            _UNIQUE_ID,
            Column("status", "Its status: success, warn, fail, error or skipped.", "varchar"),
            Column("reason", "Why it ran.", "varchar"),
            Column("row_count", "Rows of the relation it created; NULL if they were not counted.", "bigint"),
            Column("seconds", "Its duration in seconds.", "double"),
        ),
    ),
    OwnTable(
        "meta.check_results",
        "One row per check of a run.",
        (
            _RUN_ID,
            _UNIQUE_ID,
            Column("severity", "Its severity: warn or error.", "varchar"),
            Column("status", "Its status: success, warn, fail, error or skipped.", "varchar"),
            Column("failing_rows", "Number of rows that failed it.", "bigint"),
        ),
    ),
)


def has_current_layout(connection: Connection) -> bool:
    """Return whether the database has the layout that this version of genredb reads."""
    try:  # looking up whether the table exists takes longer than reading it
        rows = connection.rows("select value from meta.state where key = 'layout'")
    except (duckdb.CatalogException, duckdb.BinderException):
        return False
    return rows == [(LAYOUT,)]


def refuse_other_layout(connection: Connection) -> None:
    """Raise UsageError if a version of genredb with another layout built the database."""
    if not has_current_layout(connection):
        raise UsageError("Another version of genredb built this database", cure="run `genredb build` first")


def create_tables(connection: Connection, *further: OwnTable) -> Notice | None:
    """Create genredb's missing tables, empty; UsageError if foreign tables have their names.

    Returns a notice if ``further`` tables had rows of another layout, which are discarded.
    """
    wanted = (*META_TABLES, *further)
    discarded: dict[str, int] = {}
    is_current = has_current_layout(connection)
    if not is_current:
        _refuse_foreign(connection, [table.name for table in (QUARANTINE, *wanted)])
    with transaction(connection):
        for table in wanted:
            if table.is_of_the_layout and not is_current:
                if table in further and relation_exists(connection, *table.name.split(".")):
                    [(discarded[table.name],)] = connection.rows(f"select count(*) from {table.name}")
                connection.execute(f"drop table if exists {table.name}")
            table.create(connection)
        if not is_current:
            connection.execute("insert into meta.state values ('layout', ?)", [LAYOUT])
    found = ", ".join(f"{name} ({count:,} rows)" for name, count in discarded.items() if count)
    what = f"Another version of genredb built this database; what it stored is discarded: {found}"
    return Notice(what, cure="run the commands again that stored it") if found else None


def _refuse_foreign(connection: Connection, own: Iterable[str]) -> None:
    """Raise UsageError if genredb did not build the database and it has tables with genredb's names."""
    try:
        connection.execute("select key, value from meta.state limit 0")
        is_own = True
    except (duckdb.CatalogException, duckdb.BinderException):
        is_own = False
    known = [f"{schema}.{name}".lower() for schema, name in relations(connection)]
    found = [] if is_own else [name for name in own if name in known]
    if found:
        refuse_to_replace(found)


def refuse_to_replace(names: Sequence[str]) -> NoReturn:
    """Raise UsageError: genredb did not create these relations (``schema.name``) of the database."""
    shown = ", ".join(name.removeprefix("main.") for name in names[:_NAMED])
    more = f" and {len(names) - _NAMED} more" if names[_NAMED:] else ""
    raise UsageError(
        f"The database holds {shown}{more}, which genredb did not create and would replace",
        cure="rename or drop them, or choose another file with --database",
    )
