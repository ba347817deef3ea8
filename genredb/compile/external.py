"""The files that a source is read from in place: dbt-duckdb's ``external_location``, its names filled in."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from genredb.errors import ProjectError, did_you_mean
from genredb.project.nodes import Source

# What each formatter takes for the name of a value, and what it writes for a character of its own.
_FORMATTERS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "newstyle": (r"\{\{|\}\}|\{(?P<name>[^{}]*)\}", {"{{": "{", "}}": "}"}),
    "oldstyle": (r"%%|%\((?P<name>[^()]*)\)s", {"%%": "%"}),
    "template": (r"\$\$|\$\{?(?P<name>\w+)\}?", {"$$": "$"}),
}


def external_location(source: Source) -> str | None:
    """Return the SQL that reads a source in place; None where it is a table.

    Raises ProjectError for a formatter that dbt does not have, and for names that the source has not.
    """
    meta = source.config.get("meta") or {}
    stated = {**meta, **source.config}
    location = stated.get("external_location")
    if not location:
        return None
    values = {
        **{key: value for key, value in stated.items() if not isinstance(value, Mapping)},
        **{f"meta[{key}]": value for key, value in meta.items()},
        "name": source.name,
        "identifier": source.identifier or source.name,
        "schema": source.schema,
    }
    formatter = stated.get("formatter", "newstyle")
    if formatter not in _FORMATTERS:
        raise ProjectError(
            f"{source.path}: there is no formatter {formatter!r}.{did_you_mean(str(formatter), _FORMATTERS)}"
        )
    pattern, own = _FORMATTERS[formatter]
    text = re.sub(pattern, _filler(source, values, own), str(location))
    return text if "(" in text or text.startswith("'") else f"'{text}'"


def _filler(
    source: Source, values: Mapping[str, Any], own: Mapping[str, str]
) -> Callable[[re.Match[str]], str]:
    def fill(match: re.Match[str]) -> str:
        if match[0] in own:
            return own[match[0]]
        if match["name"] not in values:
            cure = "state `formatter: oldstyle` where braces are braces" if "{{" in own else ""
            raise ProjectError(
                f"{source.path}: the external_location of {source.source_name}.{source.name} names "
                f"'{match['name']}', which the source has not" + (f"; {cure}." if cure else ".")
            )
        return str(values[match["name"]])

    return fill
