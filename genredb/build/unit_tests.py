"""Runs a unit test: the model's SQL over the rows given, beside the rows it should give."""

import math
from collections.abc import Mapping
from typing import Any

from genredb.build.checks import SHOWN_ROWS
from genredb.build.results import FailingRows, Status
from genredb.build.runtime import Runtime
from genredb.compile.nodes import Node, Relation
from genredb.compile.unit_tests import unit_test_sql
from genredb.errors import ProjectError, did_you_mean
from genredb.project.nodes import Fixture
from genredb.warehouse.database import fetch_sample, literal, quote, run_query


def run_unit_test(runtime: Runtime, node: Node) -> tuple[Status, FailingRows | None]:
    """Return whether model and expectation agree, with up to ten rows that stand on one side only."""
    if node.unit_test is None:
        raise ProjectError(f"{node.path}: {node.name} is no unit test.")
    inputs = {
        unique_id: _fixture_sql(runtime, node, relation, fixture)
        for unique_id, (relation, fixture) in node.unit_test.given.items()
    }
    actual = unit_test_sql(runtime.compilation, node, inputs, runtime.database)
    types = _types(runtime, actual)
    expected, columns = _expected_sql(node, node.unit_test.expect, types)
    names = ", ".join(quote(column) for column in columns)
    sql = f"""
        with genredb_actual as (select {names} from (\n{actual}\n)),
        genredb_expected as (select {names} from (\n{expected}\n))
        select 'actual' as actual_or_expected, * from (from genredb_actual except all from genredb_expected)
        union all
        select 'expected', * from (from genredb_expected except all from genredb_actual)
        """
    found = fetch_sample(runtime.connection, sql, SHOWN_ROWS)
    return (Status.FAIL, FailingRows(*found, 1)) if found[2] else (Status.SUCCESS, None)


def _fixture_sql(runtime: Runtime, node: Node, relation: Relation, fixture: Fixture) -> str:
    """Return the rows that stand in for an input, typed as the input is; columns not given are NULL."""
    if fixture.sql:
        return fixture.sql.strip().rstrip(";")
    types = _types(runtime, _input_sql(runtime, node, relation))
    rows = [_row(node, row, types, f"the input {relation.identifier}") for row in fixture.rows]
    blank = dict.fromkeys(types, "null")
    selects = [_select({**blank, **row}, types) for row in rows]
    return "\nunion all\n".join(selects) or f"{_select(blank, types)} limit 0"


def _input_sql(runtime: Runtime, node: Node, relation: Relation) -> str:
    """Return a query with an input's columns; ``this`` has those of its model before it is first built."""
    ephemeral = runtime.compilation.ephemeral_sql(relation)
    if ephemeral is not None:
        return ephemeral
    is_built = relation.expression or runtime.existing(relation)
    return f"select * from {relation}" if is_built else node.sql


def _expected_sql(node: Node, fixture: Fixture, types: Mapping[str, str]) -> tuple[str, list[str]]:
    """Return the rows expected and the columns that they are compared in."""
    if fixture.sql:
        return fixture.sql.strip().rstrip(";"), list(types)
    if not fixture.rows:
        return f"{_select(dict.fromkeys(types, 'null'), types)} limit 0", list(types)
    rows = [_row(node, row, types, "the expected rows") for row in fixture.rows]
    columns = list(rows[0])
    for row in rows:
        if list(row) != columns and set(row) != set(columns):
            raise ProjectError(f"{node.path}: the rows that {node.name} expects have different columns.")
    return "\nunion all by name\n".join(_select(row, types) for row in rows), columns


def _row(node: Node, row: Mapping[str, Any], types: Mapping[str, str], where: str) -> dict[str, str]:
    """Return the SQL of each value of a row, by the column's own name."""
    by_lower = {name.lower(): name for name in types}
    result = {}
    for stated, value in row.items():
        name = by_lower.get(str(stated).lower())
        if name is None:
            hint = did_you_mean(str(stated), types)
            raise ProjectError(f"{node.path}: {where} of {node.name} have no column '{stated}'.{hint}")
        result[name] = _literal(value)
    return result


def _select(values: Mapping[str, str], types: Mapping[str, str]) -> str:
    parts = [f"cast({value} as {types[name]}) as {quote(name)}" for name, value in values.items()]
    return f"select {', '.join(parts)}"


def _literal(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, float) and not math.isfinite(value):
        return literal(value)
    if isinstance(value, bool | int | float):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{', '.join(_literal(item) for item in value)}]"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{literal(key)}: {_literal(item)}" for key, item in value.items()) + "}"
    return literal(value)


def _types(runtime: Runtime, sql: str) -> dict[str, str]:
    _, rows = run_query(runtime.connection, f"describe {sql}")
    return {str(row[0]): str(row[1]) for row in rows}
