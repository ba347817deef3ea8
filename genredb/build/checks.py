"""Runs a check: the rows its query returns are the ones that fail."""

from genredb.build.results import FailingRows, Status
from genredb.build.runtime import Runtime, relation_of
from genredb.build.state import State, mark
from genredb.compile.identity import digest
from genredb.compile.nodes import Node, Relation
from genredb.errors import ProjectError
from genredb.warehouse.database import fetch_sample, relation_marks, run_query

SHOWN_ROWS = 10


def run_check(runtime: Runtime, node: Node) -> tuple[Status, FailingRows | None]:
    """Return how the check ended, with up to ten failing rows; keep them all where that is asked for."""
    sql = runtime.compilation.compiler.sql(node, runtime.database)
    limit = node.config.get("limit")
    if limit is not None:
        sql = f"select * from (\n{sql}\n) limit {int(limit)}"
    kept = _keep_failures(runtime, node, sql)
    columns, rows, total = fetch_sample(runtime.connection, kept or sql, SHOWN_ROWS)
    status, measure = _status(runtime, node, sql, total)
    if status is Status.SUCCESS or not total:
        return status, None
    return status, FailingRows(columns, rows, total, measure)


def _keep_failures(runtime: Runtime, node: Node, sql: str) -> str:
    """Make a relation of the failing rows if the check or the command wants it; return how to read it."""
    stated = node.config.get("store_failures")
    kind = str(node.config.get("store_failures_as") or "table").lower()
    is_wanted = runtime.store_failures if stated is None else bool(stated)
    if (
        not runtime.may_write
        or kind == "ephemeral"
        or not (is_wanted or node.config.get("store_failures_as"))
    ):
        return ""
    if kind not in ("table", "view"):
        raise ProjectError(f"{node.path}: store_failures_as is table, view or ephemeral, not '{kind}'.")
    relation = relation_of(node)
    _refuse_taken(runtime, node, relation)
    runtime.make_schema(relation)
    runtime.drop_other_kind(relation, "view" if kind == "table" else "table")
    runtime.make(f"create or replace {kind} {relation} as\n{sql}")
    mark(runtime.connection, str(relation.include(database=False)), kind, digest(node.unique_id))
    return f"select * from {relation}"


def _refuse_taken(runtime: Runtime, node: Node, relation: Relation) -> None:
    """Raise ProjectError where failing rows would take another node's place, UsageError for a foreign one."""
    compilation = runtime.compilation
    compilation.compiler.names.refuse_taken(relation, node.path)
    others = (one for one in compilation.nodes.values() if one.is_check and one.unique_id != node.unique_id)
    place = relation.qualified_name
    other = next((one for one in others if one.relation and one.relation.qualified_name == place), None)
    if other is not None:
        raise ProjectError(f"{node.path} and {other.path} both keep failing rows in {place}.")
    State(marks=relation_marks(runtime.connection)).refuse_foreign([place])


def _status(runtime: Runtime, node: Node, sql: str, total: int) -> tuple[Status, int]:
    """Return what the failing rows mean by severity, ``error_if`` and ``warn_if``, and their measure."""
    stated = {key: node.config.get(key) for key in ("fail_calc", "error_if", "warn_if")}
    if not any(stated.values()):
        bad = Status.WARN if node.severity == "warn" else Status.FAIL
        return (bad if total else Status.SUCCESS), total
    measure = stated["fail_calc"] or "count(*)"
    # In brackets, so that a word behind the number is a syntax error and no name for it.
    conditions = [f"({measure} {stated[key] or '!= 0'})" for key in ("error_if", "warn_if")]
    _, rows = run_query(
        runtime.connection,
        f"select {measure}, {', '.join(conditions)} from (\n{sql}\n) dbt_internal_test",
    )
    value, is_error, is_warning = rows[0]
    for key, met in (("error_if", is_error), ("warn_if", is_warning)):
        if not isinstance(met, bool | None):
            raise ProjectError(f"{node.path}: `{key}: {stated[key]}` is no comparison such as '> 10'.")
    try:
        measured = int(value or 0)
    except (TypeError, ValueError, OverflowError):
        raise ProjectError(f"{node.path}: fail_calc gives {value}, which counts nothing.") from None
    if node.severity == "error" and is_error:
        return Status.FAIL, measured
    return (Status.WARN if is_warning else Status.SUCCESS), measured
