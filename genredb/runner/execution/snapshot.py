"""Adds what changed to a snapshot, which keeps each version of a query's rows and when it was valid."""

from genredb.errors import ProjectError
from genredb.runner.execution.runtime import Runtime
from genredb.runner.graph.nodes import Snapshot
from genredb.runner.graph.snapshots import NOW, SnapshotSettings, own_columns, settings_of, version_id
from genredb.runner.templates.relation import Relation
from genredb.warehouse.database import quote

_CHANGES = Relation(None, None, "genredb changes")


def add_changes(runtime: Runtime, node: Snapshot, sql: str) -> int | None:
    """Close the rows that changed since the last snapshot and add their new versions; return how many."""
    settings, target, executor = settings_of(node), node.relation, runtime.executor
    there = executor.columns(str(target))
    _refuse_other_table(node, settings, there)
    executor.create_temporary(_CHANGES, _changes_sql(runtime, node, settings, sql))
    changed = executor.columns(str(_CHANGES))
    known = {name.lower() for name in there}
    inner = {"dbt_change_type", *(name.lower() for name in _key_names(settings))}
    for name, kind in changed.items():
        if name.lower() not in known | inner:
            executor.run(f"alter table {target} add column {quote(name)} {kind}")
    valid_to, scd_id = settings.columns["dbt_valid_to"], settings.columns["dbt_scd_id"]
    executor.run(
        f"update {target} as target set {valid_to} = changes.{valid_to} from {_CHANGES} as changes"
        f" where changes.{scd_id} = target.{scd_id} and changes.dbt_change_type = 'close'"
        f" and {_is_current(settings, 'target')}"
    )
    names = ", ".join(quote(name) for name in changed if name.lower() not in inner)
    rows = executor.run(
        f"insert into {target} ({names}) select {names} from {_CHANGES} where dbt_change_type = 'insert'"
    )
    executor.run(f"drop table {_CHANGES}")
    return rows


def _changes_sql(runtime: Runtime, node: Snapshot, settings: SnapshotSettings, sql: str) -> str:
    """Return the query for what changed: rows to insert, and the ends of rows to close."""
    own, target = settings.columns, node.relation
    keys = ", ".join(
        f"{key} as {name}" for key, name in zip(settings.unique_key, _key_names(settings), strict=True)
    )
    on = " and ".join(f"current_rows.{name} = source.{name}" for name in _key_names(settings))
    first = _key_names(settings)[0]
    is_deleted = f"current_rows.{own['dbt_is_deleted']} = 'True'"
    changed = _changed(runtime, node, settings, sql)
    if settings.records_deletes:
        changed = f"({changed} or {is_deleted})"
    parts = [
        "select 'insert' as dbt_change_type, source.*"
        + (f", 'False' as {own['dbt_is_deleted']}" if settings.records_deletes else "")
        + f" from source left join current_rows on {on} where current_rows.{first} is null or {changed}",
        f"select 'close' as dbt_change_type, current_rows.{own['dbt_scd_id']},"
        f" source.{own['dbt_valid_from']} as {own['dbt_valid_to']}"
        f" from source join current_rows on {on} where {changed}",
    ]
    gone = f"from current_rows left join source on {on} where source.{first} is null"
    if settings.records_deletes:
        gone = f"{gone} and not {is_deleted}"
    if settings.hard_deletes != "ignore":
        parts.append(
            f"select 'close' as dbt_change_type, current_rows.{own['dbt_scd_id']},"
            f" {NOW} as {own['dbt_valid_to']} {gone}"
        )
    if settings.records_deletes:
        there = {name.lower() for name in runtime.executor.columns(str(target))}
        kept = [name for name in runtime.executor.columns(f"(\n{sql}\n)") if name.lower() in there]
        columns = "".join(f" current_rows.{quote(name)}," for name in kept)
        scd_id = version_id([f"current_rows.{own['dbt_scd_id']}", NOW])
        parts.append(
            f"select 'insert' as dbt_change_type,{columns} {NOW} as {own['dbt_valid_from']},"
            f" {NOW} as {own['dbt_updated_at']}, current_rows.{own['dbt_valid_to']},"
            f" {scd_id} as {own['dbt_scd_id']}, 'True' as {own['dbt_is_deleted']} {gone}"
        )
    is_current = _is_current(settings, "target")
    union = "\nunion all by name\n".join(parts)
    return (
        f"with query as (\n{sql}\n),\n"
        f"current_rows as (select *, {keys} from {target} as target where {is_current}),\n"
        f"source as (select *, {keys}, {own_columns(settings)} from query)\n{union}"
    )


def _changed(runtime: Runtime, node: Snapshot, settings: SnapshotSettings, sql: str) -> str:
    """Return the condition that a row of the query differs from the one that is valid now."""
    valid_from = settings.columns["dbt_valid_from"]
    if not settings.is_check:
        return f"current_rows.{valid_from} < source.{valid_from}"
    there = set(runtime.executor.columns(str(node.relation)))
    query = f"(\n{sql}\n)"
    if settings.check_cols is not None:
        query = f"(select {', '.join(settings.check_cols)} from {query} as query)"
    checked = list(runtime.executor.columns(query))
    if any(name not in there for name in checked):
        return "true"  # a new column changes every row
    columns = [quote(name) for name in checked]
    return f"({' or '.join(f'current_rows.{name} is distinct from source.{name}' for name in columns)})"


def _is_current(settings: SnapshotSettings, alias: str) -> str:
    """Return the condition that a version is valid still."""
    valid_to = f"{alias}.{settings.columns['dbt_valid_to']}"
    if not settings.valid_to_current:
        return f"{valid_to} is null"
    return f"({valid_to} = {settings.valid_to_current} or {valid_to} is null)"


def _key_names(settings: SnapshotSettings) -> list[str]:
    return [f"dbt_unique_key_{number}" for number, _ in enumerate(settings.unique_key, start=1)]


def _refuse_other_table(node: Snapshot, settings: SnapshotSettings, there: dict[str, str]) -> None:
    """Raise ProjectError if the table is no snapshot with these settings."""
    known = {name.lower() for name in there}
    needed = [name for key, name in settings.columns.items() if key != "dbt_is_deleted"]
    needed += [settings.columns["dbt_is_deleted"]] if settings.records_deletes else []
    if missing := [name for name in needed if name.lower() not in known]:
        raise ProjectError(
            f"{node.relation.qualified_name} has no {', '.join(missing)}, which this snapshot needs",
            place=node.path,
            cure="drop or rename the table, or change the settings back",
        )
