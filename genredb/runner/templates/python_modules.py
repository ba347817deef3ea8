"""The template name ``modules``: functions and types from a few Python modules."""

import datetime
import itertools
import random
import re
from collections.abc import Mapping
from typing import Any

from genredb.runner.project.template_limits import bounded, measured_sub
from genredb.runner.templates.rendering import Current

# Names available to templates. Modules themselves are not exposed: through them all others can be reached.
_MODULE_NAMES = {
    "datetime": "date datetime time timedelta timezone tzinfo",
    "itertools": "accumulate chain combinations combinations_with_replacement compress count cycle dropwhile"
    " filterfalse groupby islice permutations product repeat starmap takewhile tee zip_longest",
    "pytz": "timezone utc UTC all_timezones common_timezones country_names country_timezones"
    " AmbiguousTimeError InvalidTimeError NonExistentTimeError UnknownTimeZoneError",
    "re": "match fullmatch search sub subn split findall finditer compile escape error Pattern Match"
    " A I L M S X U ASCII IGNORECASE LOCALE MULTILINE DOTALL VERBOSE UNICODE",
}


# Functions of itertools whose iterators never end, or not in any practical time.
_ENDLESS = "combinations combinations_with_replacement count cycle permutations product repeat".split()


def modules() -> Mapping[str, Mapping[str, Any]]:
    """Return the value of ``modules``: functions and types of datetime, re, itertools and pytz, as in dbt."""
    import pytz  # noqa: PLC0415 - half a hundred milliseconds that few templates want

    found = {"datetime": datetime, "itertools": itertools, "pytz": pytz, "re": re}
    offered = {
        module: {name: getattr(found[module], name) for name in names.split()}
        for module, names in _MODULE_NAMES.items()
    }
    offered["re"]["sub"] = measured_sub
    offered["itertools"] |= {name: bounded(offered["itertools"][name]) for name in _ENDLESS}
    return offered


class Modules:
    """``modules``, created on first use; templates that use it may differ between runs."""

    def __init__(self, current: Current) -> None:
        self._current = current

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        self._current.rendering.uses_clock = True
        found = modules()
        if name not in found:
            raise AttributeError(name)
        return found[name]


class RandomFilter:
    """The filter ``random``, which returns one of the values."""

    def __init__(self, current: Current) -> None:
        self._current = current

    def __call__(self, values: Any) -> Any:
        """Return one of the values."""
        self._current.rendering.uses_clock = True
        return random.choice(list(values))
