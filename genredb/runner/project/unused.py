"""Finds unused settings: variables that no template uses, and configured folders without nodes."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from genredb.errors import Notice, Place, UsageError
from genredb.runner.project.merge import is_setting
from genredb.runner.project.properties import CHECK_KEYS

_ASKED = re.compile(r"""\bvar(?:\.has_var)?\s*\(\s*(?:['"]([\w:.-]+)['"]\s*[,)]|(?=(\S)))""")


def unread_variables(
    declared: frozenset[str], stated: Mapping[str, Any], texts: Iterable[str], path: str
) -> Iterator[Notice]:
    """Yield a notice for each variable in dbt_project.yml (``path``) that no template uses.

    Raises UsageError for a command-line variable (``stated``) that is neither declared nor used. Nothing is
    reported if a template computes variable names.
    """
    asked: set[str] = set()
    for text in texts:
        for name, computed in _ASKED.findall(text):
            if computed:
                return
            asked.add(name)
    for name in stated:
        if name not in asked | declared:
            raise UsageError(
                f"--vars: the project has no variable '{name}'", name=name, choices=asked | declared
            )
    for name in sorted(declared - asked):
        what = f"no template uses the variable '{name}'"
        yield Notice(what, Place(path), name=name, choices=tuple(asked - declared))


def unused_folders(
    key: str,
    tree: Mapping[str, Any],
    fqns: Sequence[tuple[str, ...]],
    path: str,
    above: tuple[str, ...] = (),
) -> Iterator[Notice]:
    """Yield a notice for each folder of a configuration tree (``key`` of ``path``) that has no nodes."""
    for stated, value in tree.items():
        if is_setting(stated, value):
            continue
        below = (*above, stated)
        inside = [fqn for fqn in fqns if fqn[: len(below)] == below]
        if inside:
            yield from unused_folders(key, value, inside, path, below)
        else:
            known = {fqn[len(above)] for fqn in fqns if len(fqn) > len(above)}
            what = f"`{'.'.join((key, *below))}:` matches no nodes"
            yield Notice(what, Place(path), name=stated, choices=tuple(known))


def with_named_checks(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return the contents of a file with None for each check at the top level that has no name.

    dbt ignores these: they are of no model.
    """
    named = {
        key: [one if isinstance(one, Mapping) and "name" in one else None for one in content[key]]
        for key in CHECK_KEYS
        if isinstance(content.get(key), list)
    }
    return {**content, **named}


def unnamed_checks(content: Mapping[str, Any], path: str) -> list[Notice]:
    """Return a notice for checks at the top level of a file that have no name (they are None here)."""
    return [
        Notice(f"an entry of `{key}:` without a name is ignored, as it is below no model", Place(path))
        for key in CHECK_KEYS
        if isinstance(content.get(key), list) and None in content[key]
    ]
