"""Makes control characters visible, so that data cannot control the terminal."""

import codecs
import sys
from typing import BinaryIO

# Control characters map to their pictures (␛ for escape); C1 controls and lone surrogates, to �.
_PICTURES = {code: 0x2400 + code for code in range(32)} | {127: "␡"}
_PICTURES |= dict.fromkeys([*range(128, 160), *range(0xD800, 0xE000)], "�")
_IN_LINES = {code: picture for code, picture in _PICTURES.items() if code not in (9, 10)}
_IN_CELLS = _PICTURES | {ord("\n"): "⏎"}


def visible(text: str) -> str:
    """Return text for a terminal: lines and tabs stay, other control characters become visible."""
    return text.translate(_IN_LINES)


def visible_cell(text: str) -> str:
    """Return text for a table cell, on one line."""
    return text.translate(_IN_CELLS)


def echo(text: object) -> None:
    """Print text on stdout, with control characters visible."""
    print(visible(str(text)))


def visible_stream(stream: BinaryIO) -> BinaryIO:
    """Wrap a stream: control characters in the UTF-8 written to it become visible."""
    return _VisibleStream(stream)  # type: ignore[return-value]


def stdout_bytes() -> BinaryIO:
    """Return stdout for UTF-8; on a terminal, control characters become visible."""
    return visible_stream(sys.stdout.buffer) if sys.stdout.isatty() else sys.stdout.buffer


class _VisibleStream:
    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def write(self, content: bytes | memoryview) -> int:
        self._stream.write(visible(self._decoder.decode(bytes(content))).encode())
        return len(content)
