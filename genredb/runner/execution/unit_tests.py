"""Runs unit tests: compares the result of a model's SQL on the given rows with the expected rows."""

import math
from collections.abc import Mapping
from typing import Any

from genredb.errors import ProjectError
from genredb.runner.execution.checks import SHOWN_ROWS
from genredb.runner.execution.runtime import Runtime
from genredb.runner.graph.nodes import Model, UnitTest
from genredb.runner.project.specs import Fixture
from genredb.runner.results import FailingRows, Status
from genredb.runner.templates.relation import Relation
from genredb.warehouse.database import literal, quote


def run_unit_test(runtime: Runtime, node: UnitTest) -> tuple[Status, FailingRows | None]:
    """Return the status, with up to ten rows that are only in the actual or only in the expected result."""
    inputs = {
        unique_id: _fixture_sql(runtime, node, relation, fixture)
        for unique_id, (relation, fixture) in node.given.items()
    }
    [model] = (one for one in runtime.compilation.of_type(Model) if one.unique_id == node.model)
    actual = runtime.said(runtime.compilation.deferred.unit_test_sql(node, model, inputs, runtime.database))
    types = runtime.executor.columns(actual)
    expected, columns = _expected_sql(node, node.expect, types)
    names = ", ".join(quote(column) for column in columns)
    sql = f"""
        with genredb_actual as (select {names} from (\n{actual}\n)),
        genredb_expected as (select {names} from (\n{expected}\n))
        select 'actual' as actual_or_expected, * from (from genredb_actual except all from genredb_expected)
        union all
        select 'expected', * from (from genredb_expected except all from genredb_actual)
        """
    found = runtime.executor.sample(sql, SHOWN_ROWS)
    return (Status.FAIL, FailingRows(*found, 1)) if found[2] else (Status.SUCCESS, None)


def _fixture_sql(runtime: Runtime, node: UnitTest, relation: Relation, fixture: Fixture) -> str:
    """Return SQL for the rows that replace an input, with its types; columns not given are NULL."""
    if fixture.sql:
        return fixture.sql.strip().rstrip(";")
    types = runtime.executor.columns(_input_sql(runtime, node, relation))
    rows = [_row(node, row, types, f"the input {relation.identifier}") for row in fixture.rows]
    blank = dict.fromkeys(types, "null")
    selects = [_select({**blank, **row}, types) for row in rows]
    return "\nunion all\n".join(selects) or f"{_select(blank, types)} limit 0"


def _input_sql(runtime: Runtime, node: UnitTest, relation: Relation) -> str:
    """Return a query with an input's columns; before the first build ``this`` has those of its model."""
    ephemeral = runtime.compilation.ephemeral_sql(relation)
    if ephemeral is not None:
        return ephemeral
    is_built = relation.expression or runtime.executor.kind(relation)
    return f"select * from {relation}" if is_built else node.sql


def _expected_sql(node: UnitTest, fixture: Fixture, types: Mapping[str, str]) -> tuple[str, list[str]]:
    """Return SQL for the expected rows, and the columns to compare."""
    if fixture.sql:
        return fixture.sql.strip().rstrip(";"), list(types)
    if not fixture.rows:
        return f"{_select(dict.fromkeys(types, 'null'), types)} limit 0", list(types)
    rows = [_row(node, row, types, "the expected rows") for row in fixture.rows]
    columns = list(rows[0])
    for row in rows:
        if list(row) != columns and set(row) != set(columns):
            raise ProjectError(f"the rows that {node.name} expects have different columns", place=node.path)
    return "\nunion all by name\n".join(_select(row, types) for row in rows), columns


def _row(node: UnitTest, row: Mapping[str, Any], types: Mapping[str, str], where: str) -> dict[str, str]:
    """Return the SQL of each value of a row, by the column's own name."""
    by_lower = {name.lower(): name for name in types}
    result = {}
    for stated, value in row.items():
        name = by_lower.get(str(stated).lower())
        if name is None:
            raise ProjectError(
                f"{where} of {node.name}: there is no column '{stated}'",
                place=node.path,
                name=str(stated),
                choices=types,
            )
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
