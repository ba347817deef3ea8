"""Reads the constraints that a properties file states for a model or a column."""

from collections.abc import Mapping
from typing import Any

from genredb.errors import ProjectError
from genredb.runner.project.files import shown

CONSTRAINTS = ("check", "not_null", "unique", "primary_key", "foreign_key", "custom")
_LISTS = ("columns", "to_columns")


def read_constraints(entry: Mapping[str, Any], path: str) -> tuple[Mapping[str, Any], ...]:
    """Return the constraints of an entry; ProjectError if one is invalid."""
    stated = entry.get("constraints") or []
    where = f"`constraints:` of {entry['name']}"
    if not isinstance(stated, list) or not all(isinstance(one, Mapping) for one in stated):
        raise ProjectError(f"{where} should be a list of entries that begin with `- type:`", place=path)
    for constraint in stated:
        kind = constraint.get("type")
        if kind not in CONSTRAINTS:
            what = f"{where}: `type:` cannot be {shown(kind)}"
            raise ProjectError(what, place=path, name=str(kind or ""), choices=CONSTRAINTS)
        for key in ("name", "expression", "to"):
            if not isinstance(constraint.get(key) or "", str):
                raise ProjectError(f"{where}: `{key}:` should be a string", place=path)
        for key in _LISTS:
            names = constraint.get(key) or []
            if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
                raise ProjectError(f"{where}: `{key}:` should be a list of columns", place=path)
    return tuple(stated)
