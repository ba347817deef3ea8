"""Validates the values of configuration keys, in one place after all configurations are merged."""

from collections.abc import Callable, Mapping
from typing import Any

from genredb.errors import ProjectError
from genredb.runner.project.files import shown


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _are_texts(value: Any) -> bool:
    return isinstance(value, str) or (isinstance(value, list | tuple) and all(map(_is_text, value)))


def _is_flag(value: Any) -> bool:
    return str(value).strip().lower() in ("true", "1", *_OFF)


def is_on(value: Any) -> bool:
    """Return True if a flag is on; text, as an expression in a yml file gives, counts as what it says."""
    return str(value).strip().lower() not in _OFF


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 31


def _is_mapping(value: Any) -> bool:
    return isinstance(value, Mapping) and all(isinstance(key, str) for key in value)


def _are_flags(value: Any) -> bool:
    return _is_mapping(value) and all(isinstance(flag, bool) for flag in value.values())


def _are_hooks(value: Any) -> bool:
    hooks = value if isinstance(value, list | tuple) else [value]
    return all(
        hook is None or isinstance(hook, str) or (_is_mapping(hook) and isinstance(hook.get("sql"), str))
        for hook in hooks
    )


ACCESS = ("private", "protected", "public")
_OFF = ("false", "0", "none", "")
_Kind = tuple[Callable[[Any], bool], str]
_TEXT: _Kind = (_is_text, "a string")
_TEXTS: _Kind = (_are_texts, "a string or a list of strings")
_FLAG: _Kind = (_is_flag, "true or false")
_MAPPING: _Kind = (_is_mapping, "`name: value` pairs")
_HOOKS: _Kind = (_are_hooks, "SQL, or a list of it")

_KINDS: Mapping[str, _Kind] = {
    **dict.fromkeys(
        "alias database delimiter error_if external_location fail_calc formatter group incremental_strategy"
        " materialized on_schema_change schema severity sql_header store_failures_as warn_if where".split(),
        _TEXT,
    ),
    **dict.fromkeys(
        "incremental_predicates merge_exclude_columns merge_update_columns predicates tags"
        " unique_key".split(),
        _TEXTS,
    ),
    **dict.fromkeys(("enabled", "full_refresh", "store_failures"), _FLAG),
    **dict.fromkeys(("column_types", "contract", "docs", "meta"), _MAPPING),
    **dict.fromkeys(("pre-hook", "post-hook"), _HOOKS),
    "access": (lambda value: value in ACCESS, f"one of {', '.join(ACCESS)}"),
    "persist_docs": (_are_flags, "`relation: true`, `columns: true`, or both"),
    "limit": (_is_count, "a number of rows"),
}


def check_values(config: Mapping[str, Any], place: str) -> None:
    """Raise ProjectError with this place for an invalid configuration value."""
    for key, value in config.items():
        if value is None or key not in _KINDS:
            continue
        is_one, kind = _KINDS[key]
        if not is_one(value):
            raise ProjectError(f"`{key}:` should be {kind}, not {shown(value)}", place=place)
