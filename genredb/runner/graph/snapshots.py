"""The configuration of a snapshot, checked, and the query of a new one with its own columns."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from genredb.errors import ProjectError
from genredb.runner.graph.nodes import Snapshot
from genredb.runner.project.files import text_list
from genredb.runner.project.stated_values import is_on

STRATEGIES = ("timestamp", "check")
HARD_DELETES = ("ignore", "invalidate", "new_record")
OWN_COLUMNS = ("dbt_scd_id", "dbt_updated_at", "dbt_valid_from", "dbt_valid_to", "dbt_is_deleted")
# The time of a change that no column tells.
NOW = "now()::timestamp"


@dataclass(frozen=True)
class SnapshotSettings:
    """How a snapshot is taken; the names and defaults are dbt's.

    A row of the query is known by ``unique_key``. It has changed if ``updated_at`` (SQL) is later than in the
    snapshot or, if ``is_check``, if one of ``check_cols`` differs; None stands for all. ``columns`` are the
    names of the snapshot's own columns by dbt's. ``valid_to_current`` is the SQL of the end of what is still
    valid, or empty.
    """

    unique_key: tuple[str, ...]
    updated_at: str
    is_check: bool
    check_cols: tuple[str, ...] | None
    hard_deletes: str
    columns: Mapping[str, str]
    valid_to_current: str

    @property
    def records_deletes(self) -> bool:
        """True if a deleted row gets a record of its own."""
        return self.hard_deletes == "new_record"


def settings_of(node: Snapshot) -> SnapshotSettings:
    """Return the settings of a snapshot; ProjectError if one is missing or invalid."""
    config, path = node.config, node.path
    strategy = _one_of(config, "strategy", STRATEGIES, node) if config.get("strategy") else ""
    key = text_list(config.get("unique_key"), "unique_key", path)
    if not strategy or not key:
        lack = "unique_key" if strategy else "strategy"
        raise ProjectError(f"the snapshot {node.name} needs a `{lack}:`", place=path)
    updated_at, check_cols = config.get("updated_at"), config.get("check_cols")
    if strategy == "timestamp" and not updated_at:
        raise ProjectError(f"the snapshot {node.name} needs an `updated_at:`", place=path)
    if strategy == "check" and not check_cols:
        raise ProjectError(f"the snapshot {node.name} needs `check_cols:`", place=path)
    is_all = isinstance(check_cols, str) and check_cols == "all"
    return SnapshotSettings(
        unique_key=key,
        updated_at=str(updated_at or NOW),
        is_check=strategy == "check",
        check_cols=None if is_all else text_list(check_cols, "check_cols", path),
        hard_deletes=_hard_deletes(node),
        columns=_columns(config.get("snapshot_meta_column_names") or {}, node),
        valid_to_current=str(config.get("dbt_valid_to_current") or ""),
    )


def snapshot_sql(settings: SnapshotSettings, sql: str) -> str:
    """Return the query for a new snapshot: every row is valid from when it was updated."""
    deleted = f",\n    'False' as {settings.columns['dbt_is_deleted']}" if settings.records_deletes else ""
    return f"select\n    *,\n    {own_columns(settings)}{deleted}\nfrom (\n{sql}\n) as query"


def own_columns(settings: SnapshotSettings) -> str:
    """Return the columns that a snapshot adds to a row that is valid."""
    own, updated_at = settings.columns, settings.updated_at
    current = settings.valid_to_current or "null"
    return (
        f"{version_id([*settings.unique_key, updated_at])} as {own['dbt_scd_id']},\n"
        f"    {updated_at} as {own['dbt_updated_at']},\n"
        f"    {updated_at} as {own['dbt_valid_from']},\n"
        f"    coalesce(nullif({updated_at}, {updated_at}), {current}) as {own['dbt_valid_to']}"
    )


def version_id(values: list[str]) -> str:
    """Return the SQL of the id of a version: dbt's, so that snapshots that dbt took go on."""
    joined = " || '|' || ".join(f"coalesce(cast({value} as varchar), '')" for value in values)
    return f"md5({joined})"


def _hard_deletes(node: Snapshot) -> str:
    older = node.config.get("invalidate_hard_deletes")
    if node.config.get("hard_deletes") is None:
        return "invalidate" if older is not None and is_on(older) else "ignore"
    if older is not None:
        what = f"the snapshot {node.name} has `hard_deletes:` and `invalidate_hard_deletes:`"
        raise ProjectError(what, place=node.path, cure="remove the latter")
    return _one_of(node.config, "hard_deletes", HARD_DELETES, node)


def _columns(stated: Any, node: Snapshot) -> Mapping[str, str]:
    if not isinstance(stated, Mapping) or not stated.keys() <= {*OWN_COLUMNS}:
        names = stated if isinstance(stated, Mapping) else {}
        unknown = next((str(name) for name in names if name not in OWN_COLUMNS), "")
        raise ProjectError(
            f"`snapshot_meta_column_names:` of {node.name} should map columns of a snapshot to other names",
            place=node.path,
            name=unknown,
            choices=OWN_COLUMNS,
        )
    return {name: str(stated.get(name) or name) for name in OWN_COLUMNS}


def _one_of(config: Mapping[str, Any], key: str, choices: tuple[str, ...], node: Snapshot) -> str:
    value = str(config[key])
    if value not in choices:
        raise ProjectError(
            f"`{key}:` of the snapshot {node.name} cannot be '{value}'",
            place=node.path,
            name=value,
            choices=choices,
        )
    return value
