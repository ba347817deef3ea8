"""How configurations add up, as in dbt: outer folders, inner ones, properties, ``config()``; the last wins.

Tags and hooks are added to those before them, ``meta`` is merged key by key.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from genredb.errors import did_you_mean

_ADDED = frozenset(("tags", "pre-hook", "post-hook"))
_MERGED = frozenset(("meta", "docs", "grants", "column_types"))
# Keys that act here, by the kind of node that they configure.
_COMMON = frozenset("alias enabled meta schema tags docs database".split())
_RUN = frozenset(("pre-hook", "post-hook", "full_refresh"))
_SUPPORTED: Mapping[str, frozenset[str]] = {
    "model": _COMMON
    | _RUN
    | frozenset("materialized unique_key incremental_strategy incremental_predicates predicates".split())
    | frozenset("on_schema_change merge_update_columns merge_exclude_columns sql_header".split()),
    "seed": _COMMON | _RUN | frozenset("column_types delimiter quote_columns materialized".split()),
    "source": frozenset("enabled meta tags external_location formatter".split()),
    "check": _COMMON
    | frozenset("severity where limit fail_calc warn_if error_if store_failures store_failures_as".split()),
}
# What dbt knows and genredb does not: said to be ignored, or refused where rows would differ without it.
_IGNORED = frozenset(
    "persist_docs contract grants quoting indexes event_time freshness loaded_at_field".split()
) | frozenset(
    "loaded_at_query location format options fast batch_size partitioned_by sorted_by group access".split()
)


def merged(base: Mapping[str, Any], update: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``base`` with the values of ``update`` over or beside it."""
    result = dict(base)
    for stated, value in update.items():
        key = config_key(stated)
        if key in _ADDED:
            result[key] = [*result.get(key, ()), *_as_list(value)]
        elif key in _MERGED and isinstance(value, Mapping):
            result[key] = {**(result.get(key) or {}), **value}
        else:
            result[key] = value
    return result


def config_key(stated: str) -> str:
    """Return the one spelling of a key: ``pre_hook`` is ``pre-hook``, ``+schema`` is ``schema``."""
    key = stated.removeprefix("+")
    return key.replace("_hook", "-hook") if key in ("pre_hook", "post_hook") else key


def folder_config(tree: Mapping[str, Any], fqn: Sequence[str]) -> dict[str, Any]:
    """Return the configuration that dbt_project.yml gives a node: outer folders first, inner ones win."""
    config: dict[str, Any] = {}
    level: Any = tree
    for part in (*fqn, None):
        stated = {
            key: value
            for key, value in level.items()
            if key.startswith("+") or not isinstance(value, Mapping) or key in _MERGED
        }
        config = merged(config, stated)
        level = level.get(part)
        if not isinstance(level, Mapping):
            break
    return config


def notices(kind: str, config: Mapping[str, Any], place: str) -> Iterable[str]:
    """Say which keys of a node's configuration have no effect here, and which look like a slip."""
    known = _SUPPORTED[kind]
    for key in config:
        if key in known:
            continue
        if key in _IGNORED:
            if config[key]:
                yield f"{place}: genredb ignores the configuration `{key}`."
            continue
        hint = did_you_mean(key, known)
        if "Did you mean" in hint:
            yield f"{place}: genredb knows no configuration `{key}`.{hint}"


def _as_list(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]
