"""Finds the snapshots in SQL files: ``{% snapshot name %} … {% endsnapshot %}``."""

import re
from collections.abc import Iterator

from genredb.errors import Place, ProjectError

_BLOCK = re.compile(
    r"\{#.*?#\}"  # a comment, which may hold a block or its end
    r"|\{%-?\s*snapshot\s+(?P<name>\w+)\s*-?%\}(?P<sql>(?:(?>\{#.*?#\})|(?!\{#).)*?)\{%-?\s*endsnapshot\s*-?%\}",
    re.DOTALL,
)
_BEGINNING = re.compile(r"\{%-?\s*snapshot\b")


def snapshot_blocks(text: str, path: str) -> Iterator[tuple[str, str]]:
    """Yield the name of each snapshot in a file, except in comments, and the file's text with all else blank.

    So places in the text are those in the file. ProjectError if a block has no end.
    """
    ends = 0
    for found in _BLOCK.finditer(text):
        _refuse_unended(text, path, ends, found.start())
        ends = found.end()
        if not found["name"]:
            continue
        before = re.sub(r"[^\n]", " ", text[: found.start("sql")])
        yield found["name"], before + found["sql"]
    _refuse_unended(text, path, ends, len(text))


def _refuse_unended(text: str, path: str, start: int, end: int) -> None:
    if unended := _BEGINNING.search(text, start, end):
        line = text.count("\n", 0, unended.start()) + 1
        raise ProjectError("this snapshot has no name or no {% endsnapshot %}", place=Place(path, line))
