"""Adds new rows to the table of an incremental model, by the strategies of dbt-duckdb."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from genredb.build.runtime import Runtime, relation_of
from genredb.compile.nodes import Node, Relation
from genredb.errors import ProjectError, did_you_mean
from genredb.warehouse.database import quote

_NEW_ROWS = Relation(None, None, "genredb new rows")
_ON_SCHEMA_CHANGE = ("ignore", "fail", "append_new_columns", "sync_all_columns")
Columns = Mapping[str, str]


def is_to_be_added_to(runtime: Runtime, node: Node) -> bool:
    """Whether there is a table to add to; else, or for a full refresh, it is made anew."""
    stated = node.config.get("full_refresh")
    is_full_refresh = runtime.is_full_refresh if stated is None else bool(stated)
    return not is_full_refresh and runtime.existing(relation_of(node)) == "table"


def add_rows(runtime: Runtime, node: Node, sql: str) -> int | None:
    """Run the model for its new rows and bring them into its table; return how many there were."""
    target = relation_of(node)
    strategy = _strategy(node)
    rows = runtime.make(f"create or replace temp table {_NEW_ROWS} as\n{sql}")
    columns = _settle_columns(runtime, node, target)
    for statement in strategy(node, target, columns):
        runtime.execute(statement)
    runtime.execute(f"drop table {_NEW_ROWS}")
    return rows


def _strategy(node: Node) -> Callable[[Node, Relation, Sequence[str]], list[str]]:
    name = str(node.config.get("incremental_strategy") or "delete+insert")
    if name not in _STRATEGIES:
        hint = did_you_mean(name, _STRATEGIES)
        raise ProjectError(f"{node.path}: genredb has no incremental_strategy '{name}'.{hint}")
    return _STRATEGIES[name]


def _append(_node: Node, target: Relation, columns: Sequence[str]) -> list[str]:
    names = ", ".join(quote(column) for column in columns)
    return [f"insert into {target} ({names}) select {names} from {_NEW_ROWS}"]


def _delete_insert(node: Node, target: Relation, columns: Sequence[str]) -> list[str]:
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


def _merge(node: Node, target: Relation, columns: Sequence[str]) -> list[str]:
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


_STRATEGIES: Mapping[str, Callable[[Node, Relation, Sequence[str]], list[str]]] = {
    "append": _append,
    "delete+insert": _delete_insert,
    "merge": _merge,
}


def _updated_columns(node: Node, columns: Sequence[str]) -> list[str] | None:
    """Return the columns that a merge changes, or None for all of them."""
    included, excluded = node.config.get("merge_update_columns"), node.config.get("merge_exclude_columns")
    if included and excluded:
        raise ProjectError(f"{node.path}: merge_update_columns and merge_exclude_columns exclude each other.")
    if included:
        return list(included)
    if excluded:
        left_out = {str(column).lower() for column in excluded}
        return [quote(column) for column in columns if column.lower() not in left_out]
    return None


def _predicates(node: Node) -> list[str]:
    stated: Any = node.config.get("predicates") or node.config.get("incremental_predicates") or []
    return [stated] if isinstance(stated, str) else list(stated)


def _settle_columns(runtime: Runtime, node: Node, target: Relation) -> list[str]:
    """Return the columns to fill, after the table was changed as ``on_schema_change`` says."""
    wanted = dict(runtime.database.columns(str(_NEW_ROWS)))
    there = dict(runtime.database.columns(str(target)))
    stated = str(node.config.get("on_schema_change") or "ignore")
    if stated not in _ON_SCHEMA_CHANGE:
        hint = did_you_mean(stated, _ON_SCHEMA_CHANGE)
        raise ProjectError(f"{node.path}: on_schema_change is not '{stated}'.{hint}")
    if stated == "ignore" or wanted == there:
        return list(there)
    added = {name: kind for name, kind in wanted.items() if name not in there}
    removed = [name for name in there if name not in wanted]
    retyped = {name: kind for name, kind in wanted.items() if there.get(name, kind) != kind}
    if stated == "fail" and (added or removed or retyped):
        raise ProjectError(
            f"{node.path}: {_described_change(added, removed, retyped)}; on_schema_change is fail."
        )
    changes = [f"add column {quote(name)} {kind}" for name, kind in added.items()]
    if stated == "sync_all_columns":
        changes += [f"drop column {quote(name)}" for name in removed]
    for change in changes:
        runtime.execute(f"alter table {target} {change}")
    for name, kind in retyped.items() if stated == "sync_all_columns" else ():
        _retype(runtime, node, name, kind)
    return list(wanted)


def _retype(runtime: Runtime, node: Node, name: str, kind: str) -> None:
    """Give a column another type; as in dbt, it then stands last."""
    target, draft = relation_of(node), quote("genredb new type")
    for statement in (
        f"alter table {target} add column {draft} {kind}",
        f"update {target} set {draft} = {quote(name)}",
        f"alter table {target} drop column {quote(name)}",
        f"alter table {target} rename column {draft} to {quote(name)}",
    ):
        runtime.execute(statement)


def _described_change(added: Columns, removed: Sequence[str], retyped: Columns) -> str:
    parts = [f"new columns {', '.join(added)}"] if added else []
    parts += [f"missing columns {', '.join(removed)}"] if removed else []
    parts += [f"other types of {', '.join(retyped)}"] if retyped else []
    return "the model now has " + ", ".join(parts)
