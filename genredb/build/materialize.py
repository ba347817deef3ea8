"""Makes a node's relation: one function and one registry line for each materialization."""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from genredb.build.incremental import add_rows, is_to_be_added_to
from genredb.build.runtime import Runtime, relation_of
from genredb.compile.nodes import Node
from genredb.errors import ProjectError
from genredb.project.files import delimiter
from genredb.project.types import sql_type
from genredb.warehouse.csvfile import refuse_changed, survey
from genredb.warehouse.csvrecords import split_records
from genredb.warehouse.database import literal, plainly_named, run_sql, scratch_folder, transaction


def materialize(runtime: Runtime, node: Node) -> int | None:
    """Make the node's relation, its hooks around it; return its number of rows where it is a table.

    All of it is one transaction, but for hooks that say ``transaction: false``.
    """
    _run_hooks(runtime, node, "pre-hook", is_inside=False)
    with transaction(runtime.connection):
        runtime.make_schema(relation_of(node))
        _run_hooks(runtime, node, "pre-hook")
        rows = _MATERIALIZATIONS[node.materialized](runtime, node)
        _run_hooks(runtime, node, "post-hook")
    _run_hooks(runtime, node, "post-hook", is_inside=False)
    return rows


def _run_hooks(runtime: Runtime, node: Node, key: str, *, is_inside: bool = True) -> None:
    if node.config.get(key):
        for sql, is_transactional in runtime.compilation.compiler.hooks(node, key, runtime.database):
            if sql and is_transactional is is_inside:
                runtime.execute(sql)


def _table(runtime: Runtime, node: Node) -> int | None:
    relation = relation_of(node)
    runtime.drop_other_kind(relation, "view")
    return runtime.make(f"create or replace table {relation} as\n{_sql(runtime, node)}")


def _view(runtime: Runtime, node: Node) -> int | None:
    relation = relation_of(node)
    runtime.drop_other_kind(relation, "table")
    runtime.make(f"create or replace view {relation} as\n{_sql(runtime, node)}")
    return None


def _incremental(runtime: Runtime, node: Node) -> int | None:
    if not is_to_be_added_to(runtime, node):
        return _table(runtime, node)
    return add_rows(runtime, node, _sql(runtime, node, is_incremental=True))


def _sql(runtime: Runtime, node: Node, *, is_incremental: bool = False) -> str:
    header = str(node.config.get("sql_header") or "").strip()
    if header:
        runtime.execute(header)
    return runtime.compilation.compiler.sql(node, runtime.database, is_incremental=is_incremental)


def _seed(runtime: Runtime, node: Node) -> int | None:
    relation, seed = relation_of(node), runtime.compilation.project.seeds[node.name]
    runtime.drop_other_kind(relation, "view")
    separator = delimiter(seed.config.get("delimiter"), node.path)
    types = ", ".join(
        f"{literal(name)}: {literal(sql_type(data_type, f'{node.path}: `column_types:` of {name}'))}"
        for name, data_type in (seed.config.get("column_types") or {}).items()
    )
    # Dates as dbt knows them: what looks otherwise stays text.
    sql = (
        f"create or replace table {relation} as"
        f" from read_csv(?, header = true, delim = {literal(separator)},"
        " quote = '\"', escape = '\"', comment = '', strict_mode = true, all_varchar = false,"
        " sample_size = -1, dateformat = '%Y-%m-%d', hive_partitioning = false, compression = 'none'"
        f"{f', types = {{{types}}}' if types else ''})"
    )
    with _strict_csv(runtime, node, seed.file, separator) as (path, records):
        rows = run_sql(runtime.connection, sql, [path])
    if rows != records:
        raise ProjectError(f"{node.path}: {records} records were read and {rows} loaded.")
    return rows


@contextlib.contextmanager
def _strict_csv(runtime: Runtime, node: Node, path: Path, separator: str) -> Iterator[tuple[str, int]]:
    """Give the name of a copy of a seed as RFC 4180 writes it, and its count of records."""
    found = survey(path, separator)
    records = 0
    with scratch_folder(runtime.connection) as folder:
        strict = folder / "seed.csv"
        with strict.open("wb") as file:
            header = ('"' + name.replace('"', '""') + '"' for name in found.header)
            file.write(separator.join(header).encode() + b"\n")
            for record in split_records(path, found):
                if fault := record.fault or "; ".join(record.repairs):
                    raise ProjectError(f"{node.path}:{record.line}: {fault}.")
                file.write(record.readable + b"\n")
                records += 1
        refuse_changed(path, found)
        with plainly_named(strict) as name:
            yield name, records


_MATERIALIZATIONS: Mapping[str, Callable[[Runtime, Node], int | None]] = {
    "table": _table,
    "view": _view,
    "incremental": _incremental,
    "seed": _seed,
}
