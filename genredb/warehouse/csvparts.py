"""Cuts a large CSV file into parts that can be loaded beside each other."""

import hashlib
from dataclasses import replace
from pathlib import Path

from genredb.warehouse.rawfile import CHUNK_BYTES, Span, file_stamp, opened
from genredb.warehouse.readers.part import header_of


def cut(path: Path, separator: str | None, part_bytes: int) -> list[Span]:
    """Return spans of at least ``part_bytes`` that end with a line outside quotes.

    The file is read once. If all of its parts are plain, so is the file. There are none if its lines do not
    end alike.
    """
    size = file_stamp(path)[1]
    start = position = len(header_of(path, separator))
    sha, spans = hashlib.sha256(), list[Span]()
    with opened(path) as file:
        head = file.read(start)
        sha.update(head)
        begun = lines = head.count(b"\n")
        returns, is_inside = head.count(b"\r"), False
        while chunk := file.read(min(CHUNK_BYTES, size - position)):
            sha.update(chunk)
            if position + len(chunk) - start >= part_bytes and (end := _line_end(chunk, is_inside)):
                last = lines + chunk[:end].count(b"\n")
                spans.append(Span(start, position + end, size, begun))
                start, begun = position + end, last
            lines += chunk.count(b"\n")
            returns += chunk.count(b"\r")
            is_inside ^= chunk.count(b'"') % 2 == 1
            position += len(chunk)
    if start < position:
        spans.append(Span(start, position, size, begun))
    if returns not in (0, lines) or is_inside:
        return []
    return [replace(span, sha256=sha.hexdigest()) for span in spans]


def _line_end(chunk: bytes, is_inside: bool) -> int:
    """Return the place after the last line end outside quotes; 0 if there is none."""
    outside = (chunk.count(b'"') % 2 == 1) == is_inside
    rest = len(chunk)
    while True:
        quote = chunk.rfind(b'"', 0, rest)
        if outside and (end := chunk.rfind(b"\n", quote + 1, rest) + 1):
            return end
        if quote < 0:
            return 0
        outside, rest = not outside, quote
