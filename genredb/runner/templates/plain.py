"""Fast path for templates that contain only plain calls, such as ``{{ ref('songs') }}``: most models.

Jinja takes more than a millisecond to compile a template; these need no compilation. Jinja handles all other
templates, and those that raise an error here.
"""

import functools
import re
from dataclasses import dataclass

_TEXT = r"'[^'\\{}\n]*'"
_WORD = r"[a-zA-Z_][a-zA-Z_0-9]*"
_CALL = re.compile(
    rf"(?<!\{{)\{{\{{\s*(?:(?P<name>ref|source)\(\s*(?P<arguments>{_TEXT}(?:\s*,\s*{_TEXT})?)\s*\)"
    rf"|config\(\s*(?P<settings>{_WORD}\s*=\s*{_TEXT}(?:\s*,\s*{_WORD}\s*=\s*{_TEXT})*)\s*\))\s*\}}\}}"
)
_QUOTED = re.compile(r"'([^']*)'")
_SETTING = re.compile(r"(\w+)\s*=\s*'([^']*)'")


@dataclass(frozen=True)
class Call:
    """A call of ``ref``, ``source`` or ``config``."""

    name: str
    arguments: tuple[str, ...] = ()
    settings: tuple[tuple[str, str], ...] = ()


@functools.lru_cache(maxsize=4096)
def plain_parts(text: str) -> tuple[str | Call, ...] | None:
    """Split a template into texts and calls; return None if it contains any other jinja."""
    if "{%" in text or "{#" in text or "\r" in text:
        return None
    parts: list[str | Call] = []
    end = 0
    for found in _CALL.finditer(text):
        parts.append(text[end : found.start()])
        if found["name"]:
            parts.append(Call(found["name"], tuple(_QUOTED.findall(found["arguments"]))))
        else:
            settings = tuple(_SETTING.findall(found["settings"]))
            if len({name for name, _ in settings}) < len(settings):
                return None
            parts.append(Call("config", settings=settings))
        end = found.end()
    parts.append(text[end:].removesuffix("\n"))
    if any("{{" in part or "}}" in part for part in parts if isinstance(part, str)):
        return None
    return tuple(parts)
