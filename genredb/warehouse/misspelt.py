"""Finds misspelt SQL keywords: a parser takes them for names and reports an error only later."""

import difflib
import re
from collections.abc import Callable

_KEYWORDS = (
    "select from where group by order having limit offset join left right full inner outer cross lateral on"
    " using with recursive as distinct union intersect except case when then else end and or not in is null"
    " between like ilike exists asc desc nulls over partition qualify filter exclude replace values"
).split()
_WORD = re.compile(r"[^\W\d]\w*")
_CLOSE = 0.7


def misspelt_keyword(
    sql: str, offset: int, mistake_in: Callable[[str], int | None]
) -> tuple[int, str, str] | None:
    """Return position, word and intended keyword if SQL with a syntax error has a misspelt keyword.

    ``offset`` is where the parser stopped: at the word or just after it. ``mistake_in`` returns where it
    stops in other SQL, or None; a keyword is suggested only if the parser gets further with it.
    """
    stopped = _WORD.match(sql, offset)
    words = [*_WORD.finditer(sql, 0, stopped.end() if stopped else offset)][-2:]
    for found in reversed(words):
        word = found[0].lower()
        close = [] if word in _KEYWORDS else difflib.get_close_matches(word, _KEYWORDS, n=2, cutoff=_CLOSE)
        for keyword in close:
            mended = mistake_in(f"{sql[: found.start()]}{keyword}{sql[found.end() :]}")
            if mended is None or mended > offset + len(keyword):
                return found.start(), found[0], keyword
    return None
