"""Validates the column types stated in yml files before they become part of SQL."""

import re

from genredb.errors import ProjectError
from genredb.runner.project.files import shown

_TOKEN = re.compile(r"""\s*(?:(\w+)|("(?:[^"]|"")+"|'(?:[^']|'')*')|([(),\[\].]))""")
_SEVERAL_WORDS = frozenset(
    (
        "double precision",
        "character varying",
        "bit varying",
        "time with time zone",
        "time without time zone",
        "timestamp with time zone",
        "timestamp without time zone",
    )
)
_MOST = 10_000


def sql_type(text: object, key: str, path: str) -> str:
    """Return the text of a DuckDB type, stated under a key of a file; ProjectError if it is not a valid type.

    DuckDB itself decides whether a type of that name exists.
    """
    if isinstance(text, str) and len(text) <= _MOST and _is_type(text):
        return text
    raise ProjectError(
        f"{key} should be a type such as 'integer' or 'decimal(9, 2)', not {shown(text)}", place=path
    )


def _is_type(text: str) -> bool:
    tokens: list[str] = []
    at = 0
    text = text.strip()
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            return False
        tokens.append(found[0].strip())
        at = found.end()
    try:
        return _type(tokens, 0) == len(tokens)
    except (IndexError, RecursionError):
        return False


def _type(tokens: list[str], at: int) -> int:
    """Return the index after the type that starts at a token; IndexError if there is none."""
    if not _is_name(tokens[at]):
        raise IndexError
    words, at = [tokens[at].lower()], at + 1
    while at < len(tokens) and _begins_words(*words, tokens[at]):
        words.append(tokens[at].lower())
        at += 1
    if len(words) > 1 and " ".join(words) not in _SEVERAL_WORDS:
        raise IndexError
    while at < len(tokens) and tokens[at] == "." and _is_name(tokens[at + 1]):
        at += 2
    if at < len(tokens) and tokens[at] == "(":
        at = _arguments(tokens, at + 1)
    while at < len(tokens) and tokens[at] == "[":
        at += 2 if tokens[at + 1].isdigit() else 1
        if tokens[at] != "]":
            raise IndexError
        at += 1
    return at


def _arguments(tokens: list[str], at: int) -> int:
    """Return the index after a list of numbers, strings, types and named types, and its parenthesis."""
    while True:
        if tokens[at].isdigit() or tokens[at].startswith("'"):
            at += 1
        else:
            is_named = _is_name(tokens[at + 1]) and not _begins_words(*tokens[at : at + 2])
            at = _type(tokens, at + 1 if is_named else at)
        if tokens[at] == ")":
            return at + 1
        if tokens[at] != ",":
            raise IndexError
        at += 1


def _is_name(token: str) -> bool:
    return token.startswith('"') or (token.isidentifier() and not token.isdigit())


def _begins_words(*words: str) -> bool:
    return any(f"{known} ".startswith(f"{' '.join(words).lower()} ") for known in _SEVERAL_WORDS)
