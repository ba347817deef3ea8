r"""Translates regular expressions from DuckDB's RE2 to Java's, which Spark uses.

The two agree on most of the syntax and silently differ on the rest: in Java 17 ``\b`` knows Unicode, ``.``
stops at five kinds of line ends, ``$`` matches before a final line feed, and ``\s`` has a vertical tab. A
constant pattern is read element by element; what is not known here is refused.
"""

import re
import sys
from collections.abc import Iterator, Sequence

_WORD = "0-9A-Za-z_"
_SPACE = r"\t\n\f\r "
_BOUNDARY = f"(?:(?<=[{_WORD}])(?![{_WORD}])|(?<![{_WORD}])(?=[{_WORD}]))"
_ESCAPES = {
    "A": r"\A",
    "z": r"\z",
    "b": _BOUNDARY,
    "d": "[0-9]",
    "D": "[^0-9]",
    "w": f"[{_WORD}]",
    "W": f"[^{_WORD}]",
    "s": f"[{_SPACE}]",
    "S": f"[^{_SPACE}]",
}
_IN_CLASS = {"d": "0-9", "w": _WORD, "s": _SPACE}
_CONTROLS = {"t": "\t", "n": "\n", "r": "\r", "f": "\f"}
_ANY = r"[^\n]"
_SPECIAL = frozenset("\\^$.|?*+()[]{}-&")
_HEXADECIMAL = re.compile(r"\\x(?:\{([0-9A-Fa-f]{1,6})\}|([0-9A-Fa-f]{2}))")
_NO_CHARACTERS = range(0xD800, 0xE000)  # halves of characters in UTF-16
_MOST_ROUNDS = 1000  # of RE2
_QUANTIFIER = re.compile(r"(?:[*+?]|\{\d+(?:,\d*)?\})\??")
_REFERENCE = re.compile(r"\\(\d)(?!\d)", re.ASCII)


class PatternError(Exception):
    """A pattern that cannot be translated; the text is the part that is not known."""


def to_java(pattern: str) -> str:
    """Return a pattern that matches in Java what this one matches in RE2."""
    java = list(_elements(pattern))
    _refuse_empty_rounds(java)
    return "".join(java)


def whole(java: str) -> str:
    r"""Return a pattern that matches only a whole text; Java's ``$`` would allow a line feed after it."""
    return rf"\A(?:{java})\z"


def before_first(java: str) -> str:
    """Return a pattern of what precedes the first match, as its first group, and of the match.

    Spark's ``regexp_replace`` replaces every match; this is how only the first is replaced. The numbers of
    the other groups grow by one.
    """
    return rf"\A([\s\S]*?)(?:{java})"


def may_be_empty(java: str) -> bool:
    """Return True if a translated pattern may match an empty text: the engines count such matches apart.

    An empty text has no word boundary, so a boundary counts as what is matched there: nothing.
    """
    try:
        return re.compile(java.replace(_BOUNDARY, "(?:)").replace(r"\z", r"\Z")).match("") is not None
    except re.error as error:  # such as a repeated anchor
        raise PatternError(f"that cannot be read ({error})") from None


def groups(java: str) -> int:
    """Return the number of groups that a translated pattern captures."""
    outside_classes = re.sub(r"\\.|\[(?:\\.|[^\]\\])*\]", "", java, flags=re.DOTALL)
    return len(re.findall(r"\((?!\?)", outside_classes))


def to_java_replacement(text: str, most: int, shift: int = 0) -> str:
    r"""Return RE2's replacement as Java's, for a pattern of ``most`` groups.

    ``\1`` becomes ``$1``, with group numbers grown by ``shift``; a digit is quoted, lest it continue one.
    """
    parts = []
    position = 0
    while position < len(text):
        if found := _REFERENCE.match(text, position):
            if found[1] == "0" and shift:
                raise PatternError(r"\0 in a replacement without 'g'")
            if int(found[1]) > most:
                raise PatternError(f"that has no group {found[1]}")
            parts.append(f"${int(found[1]) + shift}")
            position = found.end()
        elif text[position] == "\\":
            if text[position + 1 : position + 2] != "\\":
                raise PatternError(f"the replacement {text}")
            parts.append(r"\\")
            position += 2
        else:
            parts.append(f"\\{text[position]}" if text[position] in "$0123456789" else text[position])
            position += 1
    return "".join(parts)


def _elements(pattern: str) -> Iterator[str]:
    position = 0
    while position < len(pattern):
        element, position = _element(pattern, position)
        yield element
        if found := _QUANTIFIER.match(pattern, position):
            position = found.end()
            if any(int(number) > _MOST_ROUNDS for number in re.findall(r"\d+", found[0])):
                raise PatternError(f"that repeats more than {_MOST_ROUNDS} times")
            if _QUANTIFIER.match(pattern, position):
                raise PatternError(pattern[found.start() : position + 1])
            yield found[0]


def _refuse_empty_rounds(java: Sequence[str]) -> None:
    """Report a repeated group that may be empty: the engines differ in whether a last, empty round counts."""
    opened: list[int] = []
    for position, element in enumerate(java):
        if element in ("(", "(?:"):
            opened.append(position)
        elif element == ")" and opened:
            start = opened.pop()
            is_repeated = "".join(java[position + 1 : position + 2])[:1] in ("*", "+", "{")
            if is_repeated and may_be_empty("".join(java[start : position + 1])):
                raise PatternError("that repeats what may be empty")


def _element(pattern: str, position: int) -> tuple[str, int]:
    """Return the element at a position, translated, and the position after it."""
    character = pattern[position]
    if character == "\\":
        return _escape(pattern, position)
    if character == "[":
        return _class(pattern, position)
    if character == "(" and pattern.startswith("(?", position):
        if not pattern.startswith("(?:", position):
            raise PatternError(pattern[position : position + 3])
        return "(?:", position + 3
    if character in "(|)":
        return character, position + 1
    if character in "*+?":
        raise PatternError(f"{character} that repeats nothing")
    anchors = {".": _ANY, "^": r"\A", "$": r"\z"}
    return anchors.get(character) or _literal(character), position + 1


def _escape(pattern: str, position: int) -> tuple[str, int]:
    if pattern[position + 1 : position + 2] in _ESCAPES:
        return _ESCAPES[pattern[position + 1]], position + 2
    character, end = _escaped_character(pattern, position)
    return _literal(character), end


def _escaped_character(pattern: str, position: int) -> tuple[str, int]:
    """Return the character that an escape stands for, and the position after it."""
    if found := _HEXADECIMAL.match(pattern, position):
        code = int(found[1] or found[2], 16)
        if code in _NO_CHARACTERS or code > sys.maxunicode:
            raise PatternError(found[0])
        return chr(code), found.end()
    escaped = pattern[position + 1 : position + 2]
    if escaped in _CONTROLS:
        return _CONTROLS[escaped], position + 2
    if not escaped or escaped.isalnum() or not escaped.isascii():
        raise PatternError(f"\\{escaped}")
    return escaped, position + 2


def _class(pattern: str, position: int) -> tuple[str, int]:
    """Return the character class that begins at a position, translated, and the position after it."""
    start = position
    position += 1
    opening = "["
    if pattern.startswith("^", position):
        opening, position = "[^", position + 1
    parts: list[str] = []
    while not pattern.startswith("]", position) or not parts:
        if position >= len(pattern):
            raise PatternError(pattern[start:])
        part, position = _range(pattern, position)
        parts.append(part)
    return f"{opening}{''.join(parts)}]", position + 1


def _range(pattern: str, position: int) -> tuple[str, int]:
    """Return a character, range or set within a class, translated, and the position after it."""
    if pattern.startswith("[:", position):
        raise PatternError("[: in a class")
    if pattern[position] == "\\" and pattern[position + 1 : position + 2] in _IN_CLASS:
        return _IN_CLASS[pattern[position + 1]], position + 2
    low, position = _class_character(pattern, position)
    is_range = pattern.startswith("-", position) and not pattern.startswith("-]", position)
    if not is_range:
        return _literal(low), position
    high, position = _class_character(pattern, position + 1)
    return f"{_literal(low)}-{_literal(high)}", position


def _class_character(pattern: str, position: int) -> tuple[str, int]:
    if position >= len(pattern):
        raise PatternError("an open class")
    if pattern[position] == "\\":
        return _escaped_character(pattern, position)
    return pattern[position], position + 1


def _literal(character: str) -> str:
    return f"\\{character}" if character in _SPECIAL else character
