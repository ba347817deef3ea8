"""Makes a node's relation: one function and one registry line for each materialization."""

from collections.abc import Callable, Mapping

from genredb.compile import Node, Relation
from genredb.errors import ProjectError
from genredb.project import Project
from genredb.warehouse import Connection, quote, relation_exists, run_sql, split_records, survey, unglobbed


def materialize(connection: Connection, project: Project, node: Node) -> int | None:
    """Make the node's relation anew; return its number of rows where it is a table."""
    relation = _relation_of(node)
    connection.execute(f"create schema if not exists {quote(relation.schema)}")
    return _MATERIALIZATIONS[node.materialized](connection, project, node)


def _table(connection: Connection, _project: Project, node: Node) -> int | None:
    relation = _relation_of(node)
    _drop_other_kind(connection, relation, "view")
    return run_sql(connection, f"create or replace table {relation} as\n{node.sql}", node.path)


def _view(connection: Connection, _project: Project, node: Node) -> int | None:
    relation = _relation_of(node)
    _drop_other_kind(connection, relation, "table")
    run_sql(connection, f"create or replace view {relation} as\n{node.sql}", node.path)
    return None


def _seed(connection: Connection, project: Project, node: Node) -> int | None:
    relation, seed = _relation_of(node), project.seeds[node.name]
    _drop_other_kind(connection, relation, "view")
    found = survey(seed.file)
    separator = str(seed.config.get("delimiter", ","))
    faulty = (record for record in split_records(seed.file, found) if record.fault)
    if separator == "," and (record := next(faulty, None)):
        raise ProjectError(f"{node.path}:{record.line}: {record.fault}.")
    types = ", ".join(
        f"{_literal(name)}: {_literal(data_type)}"
        for name, data_type in (seed.config.get("column_types") or {}).items()
    )
    sql = (
        f"create or replace table {relation} as"
        f" from read_csv(?, header = true, delim = {_literal(separator)},"
        " quote = '\"', escape = '\"', comment = '', strict_mode = true, all_varchar = false"
        f"{f', types = {{{types}}}' if types else ''})"
    )
    rows = run_sql(connection, sql, node.path, [unglobbed(seed.file)])
    if rows != found.records:
        raise ProjectError(
            f"{node.path}: {found.records} records were read and {rows} loaded; remove blank lines."
        )
    return rows


def _literal(value: object) -> str:
    return "'" + str(value).replace("'", "''") + "'"


_MATERIALIZATIONS: Mapping[str, Callable[[Connection, Project, Node], int | None]] = {
    "table": _table,
    "view": _view,
    "seed": _seed,
}


def _relation_of(node: Node) -> Relation:
    if node.relation is None:
        raise ProjectError(f"{node.path}: a {node.kind} has no relation.")
    return node.relation


def _drop_other_kind(connection: Connection, relation: Relation, kind: str) -> None:
    if relation_exists(connection, relation.schema, relation.identifier) == kind:
        connection.execute(f"drop {kind} {relation}")
