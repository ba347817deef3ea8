"""Adds new rows to the table of an incremental model, with dbt-duckdb's strategies."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from genredb.errors import ProjectError
from genredb.runner.execution.runtime import Runtime
from genredb.runner.graph.nodes import Model, Snapshot
from genredb.runner.project.stated_values import is_on
from genredb.runner.templates.relation import Relation
from genredb.warehouse.database import quote

_NEW_ROWS = Relation(None, None, "genredb new rows")
_ON_SCHEMA_CHANGE = ("ignore", "fail", "append_new_columns", "sync_all_columns")
Columns = Mapping[str, str]


def is_to_be_added_to(runtime: Runtime, node: Model) -> bool:
    """Return True if rows can be added to an existing table; else, or on a full refresh, it is rebuilt."""
    stated = node.config.get("full_refresh")
    is_full_refresh = runtime.is_full_refresh if stated is None else is_on(stated)
    return not is_full_refresh and runtime.executor.kind(node.relation) == "table"


def refuse_unknown(node: Model) -> None:
    """Raise ProjectError for an unknown strategy, even in the first build, which needs none."""
    _strategy(node)
    _on_schema_change(node)


def add_rows(runtime: Runtime, node: Model, sql: str) -> int | None:
    """Run the model for its new rows and add them to its table; return the number of new rows."""
    target = node.relation
    strategy = _strategy(node)
    rows = runtime.executor.create_temporary(_NEW_ROWS, sql)
    columns = _settle_columns(runtime, node, target)
    for statement in strategy(node, target, columns):
        runtime.executor.run(statement)
    runtime.executor.run(f"drop table {_NEW_ROWS}")
    return rows


def columns_after(node: Model, before: Columns, now: Columns) -> Columns:
    """Return the columns of a table ``before``, after rows with the columns ``now`` were added to it."""
    stated = _on_schema_change(node)
    if stated == "sync_all_columns":
        return {name: kind for name, kind in {**before, **now}.items() if name in now}
    if stated == "append_new_columns" or isinstance(node, Snapshot):
        return {**before, **{name: kind for name, kind in now.items() if name not in before}}
    return before


def _strategy(node: Model) -> Callable[[Model, Relation, Sequence[str]], list[str]]:
    name = str(node.config.get("incremental_strategy") or "delete+insert")
    if name not in _STRATEGIES:
        raise ProjectError(
            f"genredb has no incremental_strategy '{name}'", place=node.path, name=name, choices=_STRATEGIES
        )
    return _STRATEGIES[name]


def _on_schema_change(node: Model) -> str:
    stated = str(node.config.get("on_schema_change") or "ignore")
    if stated not in _ON_SCHEMA_CHANGE:
        raise ProjectError(
            f"on_schema_change is not '{stated}'", place=node.path, name=stated, choices=_ON_SCHEMA_CHANGE
        )
    return stated


def _append(_node: Model, target: Relation, columns: Sequence[str]) -> list[str]:
    names = ", ".join(quote(column) for column in columns)
    return [f"insert into {target} ({names}) select {names} from {_NEW_ROWS}"]


def _delete_insert(node: Model, target: Relation, columns: Sequence[str]) -> list[str]:
    key = node.config.get("unique_key")
    if not key:
        return _append(node, target, columns)
    predicates = "".join(f" and {predicate}" for predicate in _predicates(node))
    if isinstance(key, str):
        delete = f"delete from {target} where ({key}) in (select ({key}) from {_NEW_ROWS}){predicates}"
    else:
        same = " and ".join(f"{_NEW_ROWS}.{part} = DBT_INCREMENTAL_TARGET.{part}" for part in key)
        delete = (
            f"delete from {target} as DBT_INCREMENTAL_TARGET using {_NEW_ROWS} where ({same}{predicates})"
        )
    return [delete, *_append(node, target, columns)]


def _merge(node: Model, target: Relation, columns: Sequence[str]) -> list[str]:
    stated = node.config.get("unique_key")
    keys = [stated] if isinstance(stated, str) else list(stated or ())
    conditions = [f"DBT_INTERNAL_SOURCE.{key} = DBT_INTERNAL_DEST.{key}" for key in keys] or ["false"]
    on = " and ".join(f"({condition})" for condition in (*conditions, *_predicates(node)))
    updated = _updated_columns(node, columns)
    update = "update by name"
    if updated is not None:
        update = "update set " + ", ".join(f"{column} = DBT_INTERNAL_SOURCE.{column}" for column in updated)
    return [
        f"merge into {target} as DBT_INTERNAL_DEST using {_NEW_ROWS} as DBT_INTERNAL_SOURCE on {on}"
        f" when matched then {update} when not matched then insert by name"
    ]


_STRATEGIES: Mapping[str, Callable[[Model, Relation, Sequence[str]], list[str]]] = {
    "append": _append,
    "delete+insert": _delete_insert,
    "merge": _merge,
}


def _updated_columns(node: Model, columns: Sequence[str]) -> list[str] | None:
    """Return the columns that a merge updates, or None for all of them."""
    included, excluded = node.config.get("merge_update_columns"), node.config.get("merge_exclude_columns")
    if included and excluded:
        what = "merge_update_columns and merge_exclude_columns cannot be combined"
        raise ProjectError(what, place=node.path)
    if included:
        return list(included)
    if excluded:
        left_out = {str(column).lower() for column in excluded}
        return [quote(column) for column in columns if column.lower() not in left_out]
    return None


def _predicates(node: Model) -> list[str]:
    stated: Any = node.config.get("predicates") or node.config.get("incremental_predicates") or []
    return [stated] if isinstance(stated, str) else list(stated)


def _settle_columns(runtime: Runtime, node: Model, target: Relation) -> list[str]:
    """Return the columns to insert, after changing the table according to ``on_schema_change``."""
    wanted = runtime.executor.columns(str(_NEW_ROWS))
    there = runtime.executor.columns(str(target))
    stated = _on_schema_change(node)
    if stated == "ignore" or wanted == there:
        return list(there)
    added = {name: kind for name, kind in wanted.items() if name not in there}
    removed = [name for name in there if name not in wanted]
    retyped = {name: kind for name, kind in wanted.items() if there.get(name, kind) != kind}
    if stated == "fail" and (added or removed or retyped):
        raise ProjectError(
            f"{_described_change(added, removed, retyped)}; on_schema_change is fail", place=node.path
        )
    changes = [f"add column {quote(name)} {kind}" for name, kind in added.items()]
    if stated == "sync_all_columns":
        changes += [f"drop column {quote(name)}" for name in removed]
    for change in changes:
        runtime.executor.run(f"alter table {target} {change}")
    for name, kind in retyped.items() if stated == "sync_all_columns" else ():
        _retype(runtime, node, name, kind)
    return list(wanted)


def _retype(runtime: Runtime, node: Model, name: str, kind: str) -> None:
    """Change a column's type; as in dbt, the column moves to the end."""
    target, draft = node.relation, quote("genredb new type")
    for statement in (
        f"alter table {target} add column {draft} {kind}",
        f"update {target} set {draft} = {quote(name)}",
        f"alter table {target} drop column {quote(name)}",
        f"alter table {target} rename column {draft} to {quote(name)}",
    ):
        runtime.executor.run(statement)


def _described_change(added: Columns, removed: Sequence[str], retyped: Columns) -> str:
    parts = [f"new columns {', '.join(added)}"] if added else []
    parts += [f"missing columns {', '.join(removed)}"] if removed else []
    parts += [f"other types of {', '.join(retyped)}"] if retyped else []
    return "the model now has " + ", ".join(parts)
