"""Sources read from files in place: dbt-duckdb's ``external_location``, with its placeholders filled in."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from genredb.errors import ProjectError
from genredb.runner.project.stated_values import check_values
from genredb.warehouse.declared import SourceSpec

# Each formatter's syntax for a placeholder, and its escapes.
_FORMATTERS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "newstyle": (r"\{\{|\}\}|\{(?P<name>[^{}]*)\}", {"{{": "{", "}}": "}"}),
    "oldstyle": (r"%%|%\((?P<name>[^()]*)\)s", {"%%": "%"}),
    "template": (r"\$\$|\$\{?(?P<name>\w+)\}?", {"$$": "$"}),
}


def external_location(source: SourceSpec) -> str | None:
    """Return the SQL that reads a source in place, or None if it is a table.

    Raises ProjectError for a formatter unknown to dbt, or a placeholder that the source cannot fill.
    """
    meta = source.config.get("meta") or {}
    stated = {**meta, **source.config}
    check_values({key: stated.get(key) for key in ("external_location", "formatter")}, source.path)
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
            f"there is no formatter {formatter!r}",
            place=source.path,
            name=formatter,
            choices=_FORMATTERS,
        )
    pattern, own = _FORMATTERS[formatter]
    text = re.sub(pattern, _filler(source, values, own), str(location))
    return text if "(" in text or text.startswith("'") else f"'{text}'"


def _filler(
    source: SourceSpec, values: Mapping[str, Any], own: Mapping[str, str]
) -> Callable[[re.Match[str]], str]:
    def fill(match: re.Match[str]) -> str:
        if match[0] in own:
            return own[match[0]]
        if match["name"] not in values:
            raise ProjectError(
                f"the external_location of {source.source_name}.{source.name} names "
                f"'{match['name']}', which the source does not have",
                place=source.path,
                cure="set `formatter: oldstyle` to keep braces literal" if "{{" in own else "",
            )
        return str(values[match["name"]])

    return fill
