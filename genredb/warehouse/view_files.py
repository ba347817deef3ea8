"""Which files the SQL of a view reads."""

import re
from collections.abc import Iterator

_TEXT = r"'(?:[^']|'')*'"
# In SQL as DuckDB writes it: arguments of a function, names in FROM, and what only looks like these.
_NAMED = re.compile(
    rf"""\b(?:read_\w+|\w+_scan|glob)\((?:list_value\()?(?P<arguments>(?:{_TEXT}(?:, )?)+)"""
    r"""|(?:\b(?:FROM|JOIN) \(*| , )"(?P<name>[^"]*[./*][^"]*)\""""
    rf"""|{_TEXT}|"(?:[^"]|"")*\""""
)


def named_files(sql: str) -> Iterator[str]:
    """Yield the files and patterns that a view reads; other texts, such as '.*', may look like patterns."""
    for found in _NAMED.finditer(sql):
        if found["name"]:
            yield found["name"]
        for text in re.findall(_TEXT, found["arguments"] or ""):
            yield text[1:-1].replace("''", "'")
