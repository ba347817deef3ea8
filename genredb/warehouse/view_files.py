"""Which files the SQL of a view reads."""

import re
from collections.abc import Iterator

# In SQL as DuckDB writes it: arguments of a function, and names in FROM.
_READS = re.compile(r"""\b(?:read_\w+|\w+_scan|glob)\((?:list_value\()?((?:'(?:[^']|'')*'(?:, )?)+)""")
_TEXT = re.compile(r"'((?:[^']|'')*)'")
_FROM = re.compile(r"""(?:\b(?:FROM|JOIN) \(*| , )"([^"]*[./*][^"]*)\"""")


def named_files(sql: str) -> Iterator[str]:
    """Yield the files and patterns that a view reads; other texts, such as '.*', may look like patterns."""
    for arguments in _READS.findall(sql):
        yield from (text.replace("''", "'") for text in _TEXT.findall(arguments))
    yield from _FROM.findall(sql)
