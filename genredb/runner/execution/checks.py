"""Runs checks: the rows that a check's query returns are failures."""

from genredb.errors import ProjectError
from genredb.runner.execution.runtime import Runtime
from genredb.runner.execution.update import known_locality, partial_sql
from genredb.runner.graph.identity import digest
from genredb.runner.graph.nodes import Check
from genredb.runner.planning.state import State
from genredb.runner.project.stated_values import is_on
from genredb.runner.results import FailingRows, Status
from genredb.runner.templates.relation import Relation

SHOWN_ROWS = 10


def run_check(runtime: Runtime, node: Check) -> tuple[Status, FailingRows | None]:
    """Return the check's status and up to ten failing rows; store all of them if requested."""
    locality = known_locality(runtime, node)
    if locality is None:
        sql = runtime.sql(node)
    else:
        sql = partial_sql(runtime, node, locality, runtime.changes.added)
        runtime.incremental.add(node.unique_id)
    limit = node.config.get("limit")
    if limit is not None:
        sql = f"select * from (\n{sql}\n) limit {int(limit)}"
    kept = _keep_failures(runtime, node, sql)
    columns, rows, total = runtime.executor.sample(kept or sql, SHOWN_ROWS)
    status, measure = _status(runtime, node, sql, total)
    if status is Status.SUCCESS or not total:
        return status, None
    return status, FailingRows(columns, rows, total, measure)


def _keep_failures(runtime: Runtime, node: Check, sql: str) -> str:
    """Store the failing rows in a relation if the check or command asks for it; return SQL to read them."""
    stated = node.config.get("store_failures")
    kind = str(node.config.get("store_failures_as") or "table").lower()
    is_wanted = runtime.store_failures if stated is None else is_on(stated)
    if (
        not runtime.may_write
        or kind == "ephemeral"
        or not (is_wanted or node.config.get("store_failures_as"))
    ):
        return ""
    if kind not in ("table", "view"):
        raise ProjectError(
            f"store_failures_as cannot be '{kind}'",
            place=node.path,
            name=kind,
            choices=("table", "view", "ephemeral"),
        )
    relation = node.relation
    _refuse_taken(runtime, node, relation)
    runtime.executor.create_schema(relation)
    runtime.executor.create(relation, kind, sql)
    runtime.executor.mark(relation, kind, digest(node.unique_id))
    return f"select * from {relation}"


def _refuse_taken(runtime: Runtime, node: Check, relation: Relation) -> None:
    """Raise ProjectError if failing rows would replace another node's relation, UsageError a foreign one."""
    compilation = runtime.compilation
    compilation.deferred.names.refuse_taken(relation, node.path)
    others = (one for one in compilation.of_type(Check) if one.unique_id != node.unique_id)
    place = relation.qualified_name
    other = next((one for one in others if one.relation.qualified_name == place), None)
    if other is not None:
        raise ProjectError(f"{node.path} and {other.path} both store failing rows in {place}")
    State(marks=runtime.executor.marks()).refuse_foreign([place])


def _status(runtime: Runtime, node: Check, sql: str, total: int) -> tuple[Status, int]:
    """Return the status by severity, ``error_if`` and ``warn_if``, and the measure of the failing rows."""
    stated = {key: node.config.get(key) for key in ("fail_calc", "error_if", "warn_if")}
    if not any(stated.values()):
        bad = Status.WARN if node.severity == "warn" else Status.FAIL
        return (bad if total else Status.SUCCESS), total
    measure = stated["fail_calc"] or "count(*)"
    # In parentheses, so that a word after the number is a syntax error and not an alias.
    conditions = [f"({measure} {stated[key] or '!= 0'})" for key in ("error_if", "warn_if")]
    measured_sql = f"select ({measure}), {', '.join(conditions)} from (\n{sql}\n) dbt_internal_test"
    _, rows = runtime.executor.query(measured_sql)
    if len(rows) != 1:
        raise ProjectError(
            f"fail_calc gives {len(rows):,} rows instead of one value",
            place=node.path,
            cure="use an aggregate, such as count(*) or max(n)",
        )
    value, is_error, is_warning = rows[0]
    try:
        measured = int(value or 0)
    except (TypeError, ValueError, OverflowError):
        raise ProjectError(f"fail_calc gives {value}, which is not a count", place=node.path) from None
    for key, met in (("error_if", is_error), ("warn_if", is_warning)):
        if not isinstance(met, bool | None):
            raise ProjectError(f"`{key}: {stated[key]}` is not a comparison such as '> 10'", place=node.path)
    if node.severity == "error" and is_error:
        return Status.FAIL, measured
    return (Status.WARN if is_warning else Status.SUCCESS), measured
