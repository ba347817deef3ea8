"""Checks the keys of yml files and of ``config()`` calls against the known ones.

A key that is neither read nor ignored is an error with its line and a suggestion. dbt allows custom keys in a
configuration, so there only likely typos are errors; in ``meta:``, where all keys are custom, a likely typo
is a warning.
"""

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from genredb.errors import Notice, Place
from genredb.runner.problems import Problems
from genredb.runner.project.files import key_line
from genredb.runner.project.keys import CONFIG, META, PROJECT, TREES, Keys
from genredb.runner.project.merge import config_key, is_setting

Path = tuple[str | int, ...]
# Similarity from which a key counts as a typo: an error, or only a warning.
_SLIP, _PERHAPS_SLIP = 0.8, 0.65


def check_keys(content: Any, keys: Keys, path: str, text: str, above: Path = ()) -> list[Notice]:
    """Return notices about keys that have no effect; they call the file ``path``.

    ``above`` is the path of keys that leads to the content in its file.

    Raises ProjectError, with the line in ``text``, for all unknown keys.
    """
    return _settled(_faults(content, keys, above), path, text)


def check_project_keys(content: Mapping[str, Any], path: str, text: str) -> list[Notice]:
    """Do the same for dbt_project.yml, including its configuration trees."""
    faults = [*_faults(content, PROJECT, ())]
    for key, kind in TREES.items():
        faults += _tree_faults(content.get(key), CONFIG[kind], (key,))
    return _settled(faults, path, text)


def _settled(faults: Iterable["Fault"], path: str, text: str) -> list[Notice]:
    """Return a notice for each ignored key; raise ProjectError for all unknown ones."""
    problems, notices = Problems(), []
    for fault in faults:
        if fault.is_error:
            place = Place(path, key_line(text, fault.keys) or None)
            problems.add(fault.notice(place).as_error())
        else:
            notices.append(fault.notice(Place(path)))
    problems.raise_all()
    return list(dict.fromkeys(notices))


@dataclass(frozen=True)
class Fault:
    """A key that is not read. ``keys`` is its path in the file, ``choices`` are the keys it may stand for."""

    what: str
    is_error: bool
    key: str = ""
    choices: tuple[str, ...] = ()
    keys: Path = ()

    def notice(self, place: Place) -> Notice:
        """Return the fault with its place."""
        return Notice(self.what, place, name=self.key, choices=self.choices)


def fault_of(key: Any, value: Any, keys: Keys, path: Path = ()) -> Fault | None:
    """Return the fault of one key, or None if it is read."""
    where = f" of {keys.place}" if keys.place else ""
    if not isinstance(key, str):
        return Fault(f"a key{where} should be a string, not {key!r}", True, keys=path)
    if key in keys.known or (key in keys.ignored and keys.is_open and not value):
        return None
    if key in keys.ignored:
        return Fault(f"genredb ignores `{key}:`{where}", False, keys=path)
    likeness = _PERHAPS_SLIP if keys is META else _SLIP
    is_slip = bool(difflib.get_close_matches(key, keys.known, n=1, cutoff=likeness))
    if is_slip or not keys.is_open:
        what = f"unknown key `{key}:`{where}"
        return Fault(what, keys is not META, key, tuple(keys.known), path)
    if keys.is_free:
        return None
    return Fault(f"genredb ignores `{key}:`{where}, which dbt does not know either", False, keys=path)


def _faults(content: Any, keys: Keys, path: Path) -> Iterator[Fault]:
    """Yield the faults in a yml file below one place."""
    if isinstance(content, list):
        for i, item in enumerate(content):
            yield from _faults(item, keys, (*path, i))
    if not isinstance(content, Mapping):
        return
    if keys.names is not None and "test_name" not in content:
        for name, value in content.items():
            yield from _faults(value, keys.names, (*path, name))
        return
    place = keys.names or keys
    for stated, value in content.items():
        key = config_key(stated) if place.is_open and isinstance(stated, str) else stated
        fault = fault_of(key, value, place, (*path, stated))
        if fault is not None:
            yield fault
        elif isinstance(key, str) and (below := place.known.get(key)) is not None:
            yield from _faults(value, below, (*path, stated))


def _tree_faults(tree: Any, keys: Keys, path: Path) -> Iterator[Fault]:
    """Yield the faults in a configuration tree of nested folders and settings."""
    if not isinstance(tree, Mapping):
        return
    for stated, value in tree.items():
        if isinstance(stated, str) and not is_setting(stated, value):
            yield from _tree_faults(value, keys, (*path, stated))
        else:
            yield from _faults({stated: value}, keys, path)
