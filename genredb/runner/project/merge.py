"""Merges configurations as dbt does: outer folders, inner folders, properties, ``config()``; the last wins.

Tags and hooks are appended, and ``meta`` is merged key by key.
"""

from collections.abc import Mapping, Sequence
from typing import Any

_ADDED = frozenset(("tags", "pre-hook", "post-hook"))
_MERGED = frozenset(("meta", "docs", "grants", "column_types"))


def merged(base: Mapping[str, Any], update: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``base`` updated with the values of ``update``."""
    result = dict(base)
    for stated, value in update.items():
        key = config_key(stated)
        if value is None and key in _ADDED | _MERGED:
            continue  # a key without a value adds nothing
        if key in _ADDED:
            result[key] = [*result.get(key, ()), *_as_list(value)]
        elif key in _MERGED and isinstance(value, Mapping) and isinstance(result.get(key) or {}, Mapping):
            result[key] = {**(result.get(key) or {}), **value}
        else:
            result[key] = value
    return result


def config_key(stated: str) -> str:
    """Return the canonical spelling of a key: ``pre_hook`` is ``pre-hook``, ``+schema`` is ``schema``."""
    key = stated.removeprefix("+")
    return key.replace("_hook", "-hook") if key in ("pre_hook", "post_hook") else key


def folder_config(tree: Mapping[str, Any], fqn: Sequence[str]) -> dict[str, Any]:
    """Return a node's configuration from dbt_project.yml; inner folders override outer ones."""
    config: dict[str, Any] = {}
    level: Any = tree
    for part in (*fqn, None):
        stated = {key: value for key, value in level.items() if is_setting(key, value)}
        config = merged(config, stated)
        level = level.get(part)
        if not isinstance(level, Mapping):
            break
    return config


def is_setting(key: str, value: Any) -> bool:
    """Return True if a key of a configuration tree is a setting rather than a subfolder."""
    return key.startswith("+") or not isinstance(value, Mapping) or key in _MERGED


def _as_list(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]
