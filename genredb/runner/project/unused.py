"""Finds unused settings: variables that no template uses, and configured folders without nodes."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from genredb.errors import UsageError, did_you_mean
from genredb.runner.project.merge import is_setting

_ASKED = re.compile(r"""\bvar(?:\.has_var)?\s*\(\s*(?:['"]([\w:.-]+)['"]\s*[,)]|(?=(\S)))""")


def unread_variables(
    declared: frozenset[str], stated: Mapping[str, Any], texts: Iterable[str], path: str
) -> Iterator[str]:
    """Yield a message for each variable in dbt_project.yml (``path``) that no template uses.

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
        hint = did_you_mean(name, asked - declared)
        yield f"{path}: no template asks for the variable '{name}'.{hint}"


def unused_folders(
    key: str,
    tree: Mapping[str, Any],
    fqns: Sequence[tuple[str, ...]],
    path: str,
    above: tuple[str, ...] = (),
) -> Iterator[str]:
    """Yield a message for each folder of a configuration tree (``key`` of ``path``) that has no nodes."""
    for stated, value in tree.items():
        if is_setting(stated, value):
            continue
        below = (*above, stated)
        inside = [fqn for fqn in fqns if fqn[: len(below)] == below]
        if inside:
            yield from unused_folders(key, value, inside, path, below)
        else:
            hint = did_you_mean(stated, {fqn[len(above)] for fqn in fqns if len(fqn) > len(above)})
            yield f"{path}: `{'.'.join((key, *below))}:` applies to nothing.{hint}"
