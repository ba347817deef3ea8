"""Versions of a model (``versions:``): one entry of a properties file that describes several models."""

import datetime
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from genredb.errors import ProjectError
from genredb.runner.project.files import mapping, shown, text_of
from genredb.runner.project.merge import merged

Keys = tuple[str | int, ...]
Number = int | float | str
_ALL = ("all", "*")
_OVERRIDDEN = ("description", "docs", "constraints", "data_tests", "tests", "access", "deprecation_date")


@dataclass(frozen=True)
class Version:
    """A version of a model, and the latest of that model."""

    number: Number
    latest: Number

    @property
    def tag(self) -> str:
        """The name of the version: ``v1``."""
        return f"v{self.number}"

    @property
    def is_latest(self) -> bool:
        """True if a ``ref`` without a version means this one."""
        return self.number == self.latest

    @property
    def age(self) -> str:
        """Which it is to the latest: ``old``, ``latest`` or ``prerelease``."""
        if self.is_latest:
            return "latest"
        return "old" if _is_before(self.number, self.latest) else "prerelease"


@dataclass(frozen=True)
class StatedVersion:
    """What an entry states of one version: its properties, and its columns with their paths in the file.

    ``file`` is the name of its file, ``keys`` the path to its checks.
    """

    version: Version
    file: str
    entry: Mapping[str, Any]
    columns: tuple[tuple[Mapping[str, Any], Keys], ...]
    keys: Keys


def reference(name: str, version: Version | None) -> str:
    """Return the call that names a model or seed exactly."""
    return f"ref('{name}', v={version.number!r})" if version else f"ref('{name}')"


def read_versions(entry: Mapping[str, Any], path: str, keys: Keys) -> Iterator[StatedVersion]:
    """Yield the versions of a model's entry; ProjectError if they are invalid."""
    name, stated = entry["name"], entry["versions"]
    if not isinstance(stated, list) or not all(isinstance(one, Mapping) for one in stated):
        raise ProjectError(
            f"`versions:` of {name} should be a list of entries that begin with `- v:`", place=path
        )
    numbers = [_number(one.get("v"), f"`v:` of a version of {name}", path) for one in stated]
    if len({str(number) for number in numbers}) < len(numbers):
        raise ProjectError(f"`versions:` of {name} states a version twice", place=path)
    latest = _latest(entry, numbers, path)
    for i, (own, number) in enumerate(zip(stated, numbers, strict=True)):
        own_keys = (*keys, "versions", i)
        version = Version(number, latest)
        overridden = {key: own[key] for key in _OVERRIDDEN if own.get(key)}
        has_own_checks = own.get("data_tests") is not None or own.get("tests") is not None
        without = ("deprecation_date", *(("data_tests", "tests") if has_own_checks else ()))
        base = {key: value for key, value in entry.items() if key not in without}
        config = merged(mapping(entry, "config", path), mapping(own, "config", path))
        yield StatedVersion(
            version,
            text_of(own, "defined_in", path) or f"{name}_{version.tag}",
            {**base, **overridden, "config": config},
            tuple(_columns(entry, own, path, (keys, own_keys))),
            own_keys if has_own_checks else keys,
        )


def _number(stated: Any, what: str, path: str) -> Number:
    if isinstance(stated, int | float | str) and not isinstance(stated, bool) and str(stated).strip():
        return stated
    raise ProjectError(f"{what} should be a number or a name, not {shown(stated)}", place=path)


def _latest(entry: Mapping[str, Any], numbers: list[Number], path: str) -> Number:
    stated, latest = entry.get("latest_version"), numbers[0]
    if stated is not None:
        if stated not in numbers or isinstance(stated, bool):
            what = f"`latest_version:` of {entry['name']} is none of its versions"
            raise ProjectError(what, place=path, name=str(stated), choices=map(str, numbers))
        return _number(stated, "`latest_version:`", path)
    for number in numbers:
        latest = number if _is_before(latest, number) else latest
    return latest


def _is_before(one: Number, other: Number) -> bool:
    try:
        return float(one) < float(other)
    except (ValueError, OverflowError):
        return str(one) < str(other)


def deprecation_date(entry: Mapping[str, Any], path: str) -> str:
    """Return the time after which a model should not be read, in ISO's form; empty if there is none."""
    stated = entry.get("deprecation_date")
    if stated is None:
        return ""
    try:
        found = datetime.datetime.fromisoformat(str(stated))
    except ValueError:
        what = (
            f"`deprecation_date:` of {entry['name']} should be a date such as 2030-12-31, not {shown(stated)}"
        )
        raise ProjectError(what, place=path) from None
    return (found if found.tzinfo else found.replace(tzinfo=datetime.UTC)).isoformat()


def _columns(
    entry: Mapping[str, Any], own: Mapping[str, Any], path: str, keys: tuple[Keys, Keys]
) -> Iterator[tuple[Mapping[str, Any], Keys]]:
    """Yield the columns of the model that the version includes, then the version's own."""
    stated = own.get("columns") or []
    if not isinstance(stated, list) or not all(isinstance(one, Mapping) for one in stated):
        raise ProjectError(
            f"`columns:` of a version of {entry['name']} should be a list of columns", place=path
        )
    choices = [one for one in stated if "include" in one or "exclude" in one]
    if len(choices) > 1:
        raise ProjectError(f"a version of {entry['name']} has several `include:`", place=path)
    chosen = choices[0] if choices else {}
    included, excluded = chosen.get("include", "all"), chosen.get("exclude") or []
    if not (included in _ALL or isinstance(included, list)) or not isinstance(excluded, list):
        what = f"a version of {entry['name']} should have `include:` all or a list, `exclude:` a list"
        raise ProjectError(what, place=path)
    if excluded and included not in _ALL:
        what = f"a version of {entry['name']} has `exclude:` beside a list of what it includes"
        raise ProjectError(what, place=path, cure="write `include: all`, or leave `exclude:` out")
    for column, place in places(entry, keys[0]):
        name = column.get("name") if isinstance(column, Mapping) else None
        if (included in _ALL or name in included) and name not in excluded:
            yield column, place
    yield from ((column, place) for column, place in places(own, keys[1]) if column not in choices)


def places(entry: Mapping[str, Any], keys: Keys) -> list[tuple[Any, Keys]]:
    """Return the columns of an entry with their paths in its file; ``keys`` is the path to the entry."""
    stated = entry.get("columns") or []
    columns = stated if isinstance(stated, list) else [stated]
    return [(column, (*keys, "columns", i)) for i, column in enumerate(columns)]


def is_meant(version: Version | None, stated: str | None) -> bool:
    """Return True if a ``ref`` with a stated version, or without one, means a model of this version."""
    if version is None:
        return stated is None
    return version.is_latest if stated is None else str(version.number) == stated
