"""What dbt_project.yml and the command line state for nobody: variables not asked for, folders of no node."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from genredb.errors import UsageError, did_you_mean
from genredb.project.merge import is_setting

_ASKED = re.compile(r"""\bvar(?:\.has_var)?\s*\(\s*(?:['"]([\w:.-]+)['"]\s*[,)]|(?=(\S)))""")


def unread_variables(
    declared: frozenset[str], stated: Mapping[str, Any], texts: Iterable[str], path: str
) -> Iterator[str]:
    """Yield a sentence for each variable of dbt_project.yml (``path``) that no template asks for.

    Raises UsageError for one of the command line (``stated``) that is neither declared nor asked for. Where a
    template computes the name that it asks for, nothing can be said.
    """
    asked: set[str] = set()
    for text in texts:
        for name, computed in _ASKED.findall(text):
            if computed:
                return
            asked.add(name)
    for name in stated:
        if name not in asked | declared:
            hint = did_you_mean(name, asked | declared)
            raise UsageError(f"--vars: the project has no variable '{name}'.{hint}")
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
    """Name the folders of a tree of configuration (``key`` of the file ``path``) in which no node is."""
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
