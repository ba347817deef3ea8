"""How old the rows of a source may be, as its files state it.

A table's entry goes before its source's; each limit and the filter go before those above, as in dbt.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from genredb.errors import ProjectError
from genredb.runner.project.files import mapping, shown, text_of

PERIODS: Mapping[str, int] = {"minute": 60, "hour": 3600, "day": 86400}
_LIMITS = ("warn_after", "error_after")
_LOADED = ("loaded_at_field", "loaded_at_query")
_MOST = 10**6


@dataclass(frozen=True)
class Limit:
    """An age: ``count`` periods."""

    count: int
    period: str

    @property
    def seconds(self) -> int:
        """The age in seconds."""
        return self.count * PERIODS[self.period]


@dataclass(frozen=True)
class Freshness:
    """From which age on a source's newest row is a warning or an error.

    When it was loaded is the latest ``field`` (an SQL expression) of the rows that ``filter`` selects, or
    what ``query`` returns.
    """

    field: str = ""
    query: str = ""
    filter: str = ""
    warn_after: Limit | None = None
    error_after: Limit | None = None


def stated_freshness(source: Mapping[str, Any], table: Mapping[str, Any], path: str) -> dict[str, Any]:
    """Return the configuration of a table's freshness that its entry and its source's state."""
    levels = [level for entry in (source, table) for level in (entry, mapping(entry, "config", path))]
    found: dict[str, Any] = {}
    for stated in (level["freshness"] for level in levels if "freshness" in level):
        found["freshness"] = _merged(found.get("freshness"), stated, path)
    return found | (_loaded_at(source, path) | _loaded_at(table, path))


def _merged(base: Mapping[str, Any] | None, stated: Any, path: str) -> dict[str, Any] | None:
    """Return thresholds and filter over those of the level above; null takes them back."""
    if stated is None:
        return None
    if not isinstance(stated, Mapping):
        raise _odd(stated, path)
    return {**(base or {}), **stated}


def _loaded_at(entry: Mapping[str, Any], path: str) -> dict[str, Any]:
    """Return both keys that say when rows were loaded if the entry states one."""
    config = mapping(entry, "config", path)
    stated = {key: entry.get(key) or config.get(key) for key in _LOADED if key in entry or key in config}
    if all(stated.get(key) for key in _LOADED):
        what = f"`{_LOADED[0]}:` and `{_LOADED[1]}:` of {entry['name']} exclude each other"
        raise ProjectError(what, place=path, cure="remove one")
    return {**dict.fromkeys(_LOADED), **stated} if stated else {}


def freshness_of(config: Mapping[str, Any], path: str) -> Freshness | None:
    """Return what a source's configuration states, or None without a limit; ProjectError if it is invalid."""
    stated = config.get("freshness")
    if stated is None:
        return None
    if not isinstance(stated, Mapping):
        raise _odd(stated, path)
    warn_after, error_after = (_limit(stated, key, path) for key in _LIMITS)
    if warn_after is None and error_after is None:
        return None
    return Freshness(
        text_of(config, "loaded_at_field", path) or "",
        text_of(config, "loaded_at_query", path) or "",
        text_of(stated, "filter", path) or "",
        warn_after,
        error_after,
    )


def _limit(stated: Mapping[str, Any], key: str, path: str) -> Limit | None:
    value = stated.get(key)
    if value in (None, {}):
        return None
    if not isinstance(value, Mapping) or value.keys() != {"count", "period"}:
        raise _odd(stated, path)
    count, period = value["count"], value["period"]
    if not isinstance(count, int) or isinstance(count, bool) or not 0 <= count < _MOST:
        raise ProjectError(f"`count:` of `{key}:` should be a number, not {shown(count)}", place=path)
    if period not in tuple(PERIODS):
        what = f"`period:` of `{key}:` cannot be {shown(period)}"
        raise ProjectError(what, place=path, name=str(period), choices=PERIODS)
    return Limit(count, period)


def _odd(value: Any, path: str) -> ProjectError:
    return ProjectError(
        f"`freshness:` should be such as `{{warn_after: {{count: 12, period: hour}}}}`, not {shown(value)}",
        place=path,
    )
