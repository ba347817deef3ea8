"""The grammar of CSV: where a record ends and what its fields are.

It is RFC 4180 with any column separator and one more rule: spaces around a quoted field are ignored.
A quote inside an unquoted field is an ordinary character (``7" mix``).
"""

import mmap
import re
from dataclasses import dataclass

from genredb.warehouse.faults import Fault, FaultKind

Content = bytes | mmap.mmap


@dataclass(frozen=True)
class Cut:
    """A record cut out of a file: its bytes without the line end, the start of the next one, its fault."""

    text: bytes
    end: int
    fault: Fault | None = None


class Grammar:
    """Cuts a file's bytes into records and a record into fields.

    ``line_end`` is the byte that ends a line. A line feed may be preceded by a carriage return; a carriage
    return may be followed by a line feed. A line of nothing but ``padding`` counts as blank. In a
    comma-separated file, semicolons after the last field belong to the record.
    """

    def __init__(self, separator: bytes, line_end: bytes, padding: bytes = b"") -> None:
        self.separator = separator
        self.padding = padding
        self._line_end = line_end
        quoted = rb'[ ]*"[^"]*+(?:""[^"]*+)*+"[ ]*'
        field = rb'(?:%s|(?![ ]*")[^%s\r\n]*+)' % (quoted, re.escape(separator))
        fields = rb"(?:%s%s)*+" % (field, re.escape(separator))
        ending = rb"(?:\r?\n|\Z)" if line_end == b"\n" else rb"(?:\r\n?|\Z)"
        self._field = re.compile(field)
        self._record = re.compile(
            rb"(%s%s%s)%s" % (fields, field, rb";*+" if separator == b"," else b"", ending)
        )
        self._opening_quote = re.compile(fields + rb'[ ]*"')
        self._unclosed = re.compile(rb'[^"]*+(?:""[^"]*+)*+\Z')
        blank = rb"(?:[\r\n]++|%s(?=[\r\n]|\Z))++" % re.escape(padding) if padding else rb"[\r\n]++"
        self._blank = re.compile(blank)

    def blank_end(self, content: Content, position: int) -> int:
        """Return the end of the blank lines that begin at ``position``, or ``position`` if there are none."""
        match = self._blank.match(content, position)
        return match.end() if match else position

    def lines(self, content: Content, start: int, end: int) -> int:
        """Return the number of line ends between two positions."""
        return content[start:end].count(self._line_end)

    def cut(self, content: Content, position: int) -> Cut:
        """Cut out the record that begins at ``position``.

        A malformed record ends with its line, but an unclosed quote extends to the end of the file.
        """
        end = self._end_of_line(content, position)
        line = content[position:end]
        bare = line.removesuffix(b"\n").removesuffix(b"\r")
        if b'"' not in line:
            return Cut(bare, end, self._stray_fault(bare))
        if match := self._record.match(content, position):
            return Cut(match[1], match.end())
        opening = self._opening_quote.match(content, position)
        if opening and self._unclosed.match(content, opening.end()):
            return Cut(content[position:].rstrip(b"\r\n"), len(content), Fault(FaultKind.UNCLOSED_QUOTE))
        return Cut(bare, end, Fault(FaultKind.BESIDE_QUOTES))

    def fields(self, record: bytes) -> list[bytes] | None:
        """Return the record's fields in strict RFC 4180 form, or None if they are malformed."""
        if b'"' not in record:
            return record.split(self.separator)
        found: list[bytes] = []
        position = 0
        while match := self._field.match(record, position):
            found.append(_strict(match[0]))
            position = match.end() + 1
            if match.end() == len(record):
                return found
            if record[match.end() : position] != self.separator:
                break
        return None

    def _end_of_line(self, content: Content, position: int) -> int:
        end = content.find(self._line_end, position) + 1
        if end == 0:
            return len(content)
        return end + 1 if self._line_end == b"\r" and content[end : end + 1] == b"\n" else end

    def _stray_fault(self, bare: bytes) -> Fault | None:
        if self._line_end == b"\n" and b"\r" in bare:
            return Fault(FaultKind.CARRIAGE_RETURN)
        if self._line_end == b"\r" and b"\n" in bare:
            return Fault(FaultKind.LINE_FEED)
        return None


def unquoted(field: bytes) -> bytes:
    """Return the content of a field in strict RFC 4180 form."""
    return field[1:-1].replace(b'""', b'"') if field.startswith(b'"') else field


def _strict(field: bytes) -> bytes:
    bare = field.strip(b" ")
    if bare.startswith(b'"'):
        return bare
    return b'"' + field.replace(b'"', b'""') + b'"' if b'"' in field else field
