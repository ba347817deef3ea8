"""Splits a CSV file into records, flags malformed ones and undoes a spreadsheet's damage.

A spreadsheet that uses semicolons sees a comma-separated row as one column. When it saves such a file it
quotes rows that contain quotes as a whole, and may pad each row with empty columns (``;;``). Both are
repaired if the result has as many fields as the header. Rows count as padded only if the header is
padded, because a title may end with semicolons.
"""

import codecs
import mmap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from genredb.warehouse.csvfile import MAX_RECORD_BYTES, Survey
from genredb.warehouse.csvgrammar import Content, Grammar, unquoted
from genredb.warehouse.faults import Fault, FaultKind, Repair
from genredb.warehouse.rawfile import opened


@dataclass(frozen=True)
class Record:
    """One record of a file: the line it begins on (1-based), its bytes, and its fault if it is malformed.

    ``readable`` holds the same fields in strict RFC 4180, as many as in the header; ``repairs`` names what
    was repaired.
    """

    line: int
    text: bytes
    fault: Fault | None
    readable: bytes = b""
    repairs: tuple[Repair, ...] = ()


def split_records(path: Path, found: Survey) -> Iterator[Record]:
    """Yield every record after the header, in order; blank lines are skipped.

    A record is malformed if its number of fields differs from the header's (surplus empty fields are cut
    off), its quotes are wrong, it is too long or it contains a stray line end. A malformed record ends with
    its line, but an unclosed quote extends to the end of the file.
    """
    with opened(path) as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        yield from _Splitter(content, found).records()


def plain_records(path: Path, found: Survey) -> Iterator[Record]:
    """Yield every record after the header of a plain file, with its line and bytes only, which is fast."""
    if found.line_end != b"\n":
        yield from split_records(path, found)
        return
    begun, text, is_inside = 1, b"", False
    with opened(path) as file:
        for number, line in enumerate(file, start=1):
            text += line
            if line.count(b'"') % 2:
                is_inside = not is_inside
            if not is_inside:
                if begun > 1:
                    yield Record(begun, text.removesuffix(b"\n").removesuffix(b"\r"), None)
                begun, text = number + 1, b""


class _Splitter:
    """Walks through a file's bytes record by record."""

    def __init__(self, content: Content, found: Survey) -> None:
        self._content = content
        self._fields = len(found.header)
        self._grammar = Grammar(found.separator.encode(), found.line_end, b";" * found.padding)

    def records(self) -> Iterator[Record]:
        content, grammar = self._content, self._grammar
        position = len(codecs.BOM_UTF8) if content[:3] == codecs.BOM_UTF8 else 0
        line, is_header = 1, True
        while position < len(content):
            end = grammar.blank_end(content, position)
            if end == position:
                cut = grammar.cut(content, position)
                end = cut.end
                if not is_header:
                    yield self._record(line, cut.text, cut.fault)
                is_header = False
            line += grammar.lines(content, position, end)
            position = end

    def _record(self, line: int, text: bytes, fault: Fault | None) -> Record:
        """Return a record, with a spreadsheet's damage undone if that repairs it."""
        if fault:
            return Record(line, text, fault)
        readable, repairs = text, list[Repair]()
        padding = self._grammar.padding
        if padding and readable.endswith(padding):
            readable = readable.removesuffix(padding)
            repairs.append(Repair.PADDED)
        if padding and readable.endswith(b";"):
            return Record(line, text, Fault(FaultKind.PADDING, (len(padding),)))
        fields = self._grammar.fields(readable)
        if fields and len(fields) == 1 < self._fields and self._grammar.separator == b",":
            inside = self._grammar.fields(unquoted(fields[0]).removesuffix(padding))
            if inside and fields[0].startswith(b'"') and not any(map(_is_broken, inside)):
                fields = inside
                repairs.append(Repair.QUOTED_WHOLE)
        if fields is None:
            return Record(line, text, Fault(FaultKind.BESIDE_QUOTES))
        surplus = fields[self._fields :]
        if len(fields) < self._fields or any(field not in (b"", b'""') for field in surplus):
            return Record(line, text, Fault(FaultKind.FIELD_COUNT, (len(fields), self._fields)))
        readable = self._grammar.separator.join(fields[: self._fields])
        if len(readable) > MAX_RECORD_BYTES:
            return Record(line, text, Fault(FaultKind.TOO_LONG, (len(readable), MAX_RECORD_BYTES)))
        return Record(line, text, None, readable, tuple(repairs))


def _is_broken(field: bytes) -> bool:
    """Return True if a line ends within an unquoted field."""
    return not field.startswith(b'"') and (b"\n" in field or b"\r" in field)
