"""Finds the place in a user's own template that a place in rendered SQL came from.

Only where SQL turned out wrong, the template is rendered a second time, each piece of its text and each
expression preceded by a mark that names its place. Places are compared by counting characters that are
no white space, for jinja's white space control may see marks where there were none.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from genredb.compile.render import Renderer
from genredb.compile.scope import Scope
from genredb.project.nodes import MacroFile

_OPEN, _CLOSE = "\ue000", "\ue001"  # characters for private use: no SQL holds them
_MARK = re.compile(f"{_OPEN}(\\d+):(\\d+){_CLOSE}")
_JINJA = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_RAW = re.compile(r"\{%-?\s*raw\s*-?%\}.*?\{%-?\s*endraw\s*-?%\}", re.DOTALL)


@dataclass(frozen=True)
class Place:
    """A place in a file: line and column count from 1."""

    path: str
    text: str
    line: int
    column: int


def template_place(
    renderer: Renderer, macros: tuple[MacroFile, ...], template: str, scope: Scope, rendered: tuple[str, int]
) -> Place | None:
    """Return where a character of rendered SQL comes from, or None where that cannot be told.

    ``renderer`` knows no macros yet; ``rendered`` is what ``template`` became in ``scope``, with the
    offset of the character.
    """
    sql, offset = rendered
    files = {0: (scope.path, template), **{i: (m.path, m.text) for i, m in enumerate(macros, start=1)}}
    try:
        for number, file in enumerate(macros, start=1):
            renderer.add_macros(replace(file, text=_marked(file.text, number)))
        traced = renderer.render(_marked(template, 0), scope)
    except Exception:  # noqa: BLE001 - a mark got in the way of a template's own logic
        return None
    if _squeezed(_MARK.sub("", traced)) != _squeezed(sql):
        return None
    return _found(traced, len(_squeezed(sql[:offset])), files)


def unmarked(text: str) -> str:
    """Return text without marks: a name that a traced template made."""
    return _MARK.sub("", text)


def _squeezed(text: str) -> str:
    return "".join(text.split()).rstrip(";")


def _found(traced: str, count: int, files: Mapping[int, tuple[str, str]]) -> Place | None:
    """Return the place of the character that ``count`` others (but white space) come before."""
    seen = 0
    for file, start, piece in _pieces(traced):
        inside = 0
        for inside, character in enumerate(piece):
            if character.isspace():
                continue
            if seen == count:
                path, text = files[file]
                position = start if text.startswith("{", start) else min(start + inside, len(text) - 1)
                before = text[:position]
                return Place(path, text, before.count("\n") + 1, position - before.rfind("\n"))
            seen += 1
    return None


def _pieces(traced: str) -> Iterator[tuple[int, int, str]]:
    """Yield each piece of text with the file and offset that the mark before it names."""
    marks = list(_MARK.finditer(traced))
    for i, mark in enumerate(marks):
        end = marks[i + 1].start() if i + 1 < len(marks) else len(traced)
        yield int(mark[1]), int(mark[2]), traced[mark.end() : end]


def _marked(text: str, file: int) -> str:
    """Put a mark before each piece of text and each expression of a template."""
    parts: list[str] = []
    position = 0
    raw = [match.span() for match in _RAW.finditer(text)]
    for match in _JINJA.finditer(text):
        if any(start < match.start() < end - 1 for start, end in raw):
            continue
        parts.append(_data(text, position, match.start(), file))
        if match[0].startswith("{{"):
            parts.append(f"{_OPEN}{file}:{match.start()}{_CLOSE}")
        parts.append(match[0])
        position = match.end()
    parts.append(_data(text, position, len(text), file))
    return "".join(parts)


def _data(text: str, start: int, end: int, file: int) -> str:
    """Return a piece of text, its mark before the first character that is no white space."""
    piece = text[start:end]
    bare = piece.lstrip()
    first = end - len(bare)
    return f"{piece[: first - start]}{_OPEN}{file}:{first}{_CLOSE}{bare}" if bare else piece
