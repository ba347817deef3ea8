"""Maps a position in rendered SQL back to its place in the user's template.

Only after SQL has failed, the template is rendered a second time, with a marker for its place before each
piece of text and each expression. Positions are compared by counting non-whitespace characters, since the
markers may affect jinja's whitespace control.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from genredb.errors import Place
from genredb.runner.project.specs import MacroFile
from genredb.runner.templates.given import Given
from genredb.runner.templates.render import Renderer

_OPEN, _CLOSE = "\ue000", "\ue001"  # private-use characters: SQL does not contain them
_MARK = re.compile(f"{_OPEN}(\\d+):(\\d+){_CLOSE}")
_JINJA = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_RAW = re.compile(r"\{%-?\s*raw\s*-?%\}.*?\{%-?\s*endraw\s*-?%\}", re.DOTALL)


def template_place(
    renderer: Renderer, macros: tuple[MacroFile, ...], template: str, given: Given, rendered: tuple[str, int]
) -> Place | None:
    """Return the template place of a character of rendered SQL, or None if it is unknown.

    ``renderer`` must have no macros yet; ``rendered`` is the output of ``template`` with the character's
    offset.
    """
    sql, offset = rendered
    files = {0: (given.path, template), **{i: (m.path, m.text) for i, m in enumerate(macros, start=1)}}
    try:
        for number, file in enumerate(macros, start=1):
            renderer.add_macros(replace(file, text=_marked(file.text, number)))
        traced = renderer.render(_marked(template, 0), given).value
    except Exception:  # noqa: BLE001 - a mark got in the way of a template's own logic
        return None
    if _squeezed(_MARK.sub("", traced)) != _squeezed(sql):
        return None
    return _found(traced, len(_squeezed(sql[:offset])), files)


def unmarked(text: str) -> str:
    """Return the text without markers, such as a name that a traced template made."""
    return _MARK.sub("", text)


def _squeezed(text: str) -> str:
    return "".join(text.split()).rstrip(";")


def _found(traced: str, count: int, files: Mapping[int, tuple[str, str]]) -> Place | None:
    """Return the place of the character preceded by ``count`` non-whitespace characters."""
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
                return Place(path, before.count("\n") + 1, position - before.rfind("\n"), text)
            seen += 1
    return None


def _pieces(traced: str) -> Iterator[tuple[int, int, str]]:
    """Yield each piece of text with the file and offset of the marker before it."""
    marks = list(_MARK.finditer(traced))
    for i, mark in enumerate(marks):
        end = marks[i + 1].start() if i + 1 < len(marks) else len(traced)
        yield int(mark[1]), int(mark[2]), traced[mark.end() : end]


def _marked(text: str, file: int) -> str:
    """Insert a marker before each piece of text and each expression of a template."""
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
    """Return a piece of text with its marker before the first non-whitespace character."""
    piece = text[start:end]
    bare = piece.lstrip()
    first = end - len(bare)
    return f"{piece[: first - start]}{_OPEN}{file}:{first}{_CLOSE}{bare}" if bare else piece
