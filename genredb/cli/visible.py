"""Text for a terminal, which must not obey the data: control characters become visible."""

import codecs
import sys
from typing import BinaryIO

# Each as its picture (␛ for escape); those of C1, which have none, and halves of characters as �.
_PICTURES = {code: 0x2400 + code for code in range(32)} | {127: "␡"}
_PICTURES |= dict.fromkeys([*range(128, 160), *range(0xD800, 0xE000)], "�")
_IN_LINES = {code: picture for code, picture in _PICTURES.items() if code not in (9, 10)}
_IN_CELLS = _PICTURES | {ord("\n"): "⏎"}


def visible(text: str) -> str:
    """Return text for a terminal: lines and tabs stay, other control characters become visible."""
    return text.translate(_IN_LINES)


def visible_cell(text: str) -> str:
    """Return text for a cell of a table, which is one line."""
    return text.translate(_IN_CELLS)


def echo(text: object) -> None:
    """Print lines for a person to read on stdout."""
    print(visible(str(text)))


def visible_stream(stream: BinaryIO) -> BinaryIO:
    """Return a stream, to be written to, that makes control characters visible in UTF-8 for another one."""
    return _VisibleStream(stream)  # type: ignore[return-value]


def stdout_bytes() -> BinaryIO:
    """Return stdout for UTF-8 that programs read as it is, and people with control characters visible."""
    return visible_stream(sys.stdout.buffer) if sys.stdout.isatty() else sys.stdout.buffer


class _VisibleStream:
    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def write(self, content: bytes | memoryview) -> int:
        self._stream.write(visible(self._decoder.decode(bytes(content))).encode())
        return len(content)
