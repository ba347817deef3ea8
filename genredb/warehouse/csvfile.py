"""The bytes of a CSV file: what it is, how many records it holds, and which of them are malformed.

DuckDB reads the values; this module counts independently of it. A record is one row of the file: a
line, or several where a quoted field holds line ends. The grammar is RFC 4180's, with spaces allowed
around a quoted field, as DuckDB allows them.

A spreadsheet that separates columns by semicolons leaves two defects when it saves a CSV of commas: it
sees one column, quotes a row whole where that holds quotes, and may pad each row by empty columns (``;;``).
Both are repaired where what comes out is a record of the header's fields.
"""

import codecs
import csv
import hashlib
import io
import mmap
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from genredb.errors import InputError

CHUNK_BYTES = 1 << 20
# DuckDB's own limit for a line is 2,000,000 bytes; what is longer is quarantined before it gets there.
MAX_RECORD_BYTES = 1_900_000
MAX_PADDING = 64  # semicolons at the end of a line that are looked for across two chunks

_MAGIC = {
    b"\x1f\x8b": ("is compressed by gzip", "run `gunzip` on it (rename it to end in .gz first)"),
    b"PK\x03\x04": ("is a zip archive or a spreadsheet", "unpack it, or save it as CSV"),
    b"PAR1": ("is a Parquet file", "export it as CSV"),
    b"\xff\xfe": ("is UTF-16", "convert it: `iconv -f UTF-16 -t UTF-8`"),
    b"\xfe\xff": ("is UTF-16", "convert it: `iconv -f UTF-16 -t UTF-8`"),
}


@dataclass(frozen=True)
class Survey:
    """What one pass over a file's bytes found.

    ``records`` is the count of records after the header if every line end outside quotes ends one.
    ``line_end`` is the byte that most lines end with: a line feed, or a lone carriage return. ``padding``
    is how many semicolons lines end with, the header or else the first one that ends with several;
    ``needs_repair`` says that records cannot be read as they are.
    """

    sha256: str
    size: int
    header: tuple[str, ...]
    records: int
    line_end: bytes
    padding: int = 0
    needs_repair: bool = False


@dataclass(frozen=True)
class Record:
    """One record of a file: the line it begins on (1-based), its bytes, and why it is malformed, if it is.

    ``readable`` are the bytes that say the same to whoever reads CSV; ``repairs`` names what was mended in
    them.
    """

    line: int
    text: bytes
    fault: str | None
    readable: bytes = b""
    repairs: tuple[str, ...] = ()


def file_digest(path: Path) -> str:
    """Return the sha256 of the file's bytes."""
    with _opened(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def survey(path: Path) -> Survey:
    """Read the file once, in flat memory.

    Raises InputError with the cure for what is no UTF-8 CSV with a header.
    """
    sha, size, line_feeds, returns, inside, padding = hashlib.sha256(), 0, 0, 0, False, 0
    decoder = codecs.getincrementaldecoder("utf-8")()
    last = head = tail = b""
    with _opened(path) as file:
        while chunk := file.read(CHUNK_BYTES):
            if not head:
                head = chunk
                _refuse_other_formats(path, head)
            sha.update(chunk)
            _refuse_bad_bytes(path, chunk, decoder, size)
            outside = chunk
            if inside or b'"' in chunk:
                parts = chunk.split(b'"')
                outside = b"".join(parts[inside::2])
                inside = inside != (len(parts) % 2 == 0)
            line_feeds += outside.count(b"\n")
            returns += outside.count(b"\r")
            size += len(chunk)
            padding = padding or _padding(tail + chunk)
            last, tail = chunk[-1:], chunk[-MAX_PADDING:]
        _refuse_bad_bytes(path, b"", decoder, size, is_last=True)
    if not size:
        raise InputError(f"{path} is empty (0 bytes); save or download it again.")
    line_end = b"\r" if returns > line_feeds else b"\n"
    lines = max(line_feeds, returns) + (last not in b"\r\n")
    header, header_padding, is_quoted_whole = _header(path, head)
    padding = header_padding or padding or _padding(tail + b"\n")
    needs_repair = is_quoted_whole or padding > 0
    return Survey(sha.hexdigest(), size, header, max(lines, 1) - 1, line_end, padding, needs_repair)


def _padding(content: bytes) -> int:
    """Return how many semicolons the first line ends with that ends with several; 0 where none does."""
    places = [place for end in (b";;\n", b";;\r") if (place := content.find(end)) >= 0]
    if not places:
        return 0
    line = content[: min(places) + 2]
    return len(line) - len(line.rstrip(b";"))


def refuse_unreadable(path: Path) -> None:
    """Raise InputError with the cause where the file cannot be read."""
    _opened(path).close()


def _opened(path: Path) -> io.BufferedReader:
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise InputError(f"{path} is no regular file.")
    try:
        return path.open("rb")
    except IsADirectoryError:
        raise InputError(f"{path} is a folder, not a CSV file.") from None
    except FileNotFoundError:
        cause = "is a link to a file that is not there" if path.is_symlink() else "does not exist"
        raise InputError(f"{path} {cause}.") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from None


def _refuse_other_formats(path: Path, head: bytes) -> None:
    for magic, (what, cure) in _MAGIC.items():
        if head.startswith(magic):
            shown = " ".join(f"0x{byte:02X}" for byte in magic)
            raise InputError(f"{path} {what} (line 1 begins with the bytes {shown}), not a CSV; {cure}.")
    if re.match(rb"\s*<(!doctype|html|\?xml)", head.removeprefix(codecs.BOM_UTF8), re.IGNORECASE):
        raise InputError(
            f"{path} is a web page saved as .csv (line 1 begins with `<`); download the CSV itself."
        )


def _refuse_bad_bytes(
    path: Path, chunk: bytes, decoder: codecs.IncrementalDecoder, offset: int, *, is_last: bool = False
) -> None:
    if (position := chunk.find(b"\0")) >= 0:
        line = _line_at(path, offset + position)
        raise InputError(
            f"{path}:{line} holds a NUL byte (0x00); the file is damaged, or is UTF-16: save it as UTF-8."
        )
    pending = len(decoder.getstate()[0])
    try:
        decoder.decode(chunk, is_last)
    except UnicodeDecodeError as error:
        at = offset - pending + error.start
        byte = error.object[error.start]
        raise InputError(
            f"{path}:{_line_at(path, at)} holds the byte 0x{byte:02X}, which is not UTF-8; "
            "convert the file: `iconv -f WINDOWS-1252 -t UTF-8`."
        ) from None


def _line_at(path: Path, offset: int) -> int:
    with path.open("rb") as file:
        before = file.read(offset)
    return (before.count(b"\n") or before.count(b"\r")) + 1


def _header(path: Path, head: bytes) -> tuple[tuple[str, ...], int, bool]:
    """Return the header's fields, how many semicolons pad it, and whether it was quoted whole."""
    text = codecs.getincrementaldecoder("utf-8-sig")().decode(head)
    csv.field_size_limit(CHUNK_BYTES)
    row = next(csv.reader(io.StringIO(text, newline=""), skipinitialspace=True), [])
    if not row:
        raise InputError(f"{path}:1 is blank where the header should be; remove the blank line.")
    is_quoted_whole = len(row) == 1 and "," in row[0]
    if is_quoted_whole:
        row = next(csv.reader([row[0]], skipinitialspace=True))
    last = row[-1].rstrip(";") if len(row) > 1 else row[-1]
    return (*row[:-1], last), len(row[-1]) - len(last), is_quoted_whole


def split_records(path: Path, found: Survey) -> Iterator[Record]:
    """Yield every record after the header, in order; blank lines are none.

    A record is at fault where it has not as many fields as the header (empty ones at its end are cut
    off), its quotes are wrong, it is too long or holds a stray carriage return. A fault ends with its
    line, except that a quote which is never closed reaches to the end of the file.
    """
    with _opened(path) as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        yield from _Splitter(content, len(found.header), found.line_end, found.padding).records()


QUOTED_WHOLE = "row was quoted whole"
PADDED = "empty columns (;) at the end"

_QUOTED = rb'[ ]*"[^"]*+(?:""[^"]*+)*+"[ ]*'
_FIELD = rb"(?:" + _QUOTED + rb'|(?![ ]*")[^,\r\n]*)'
_INNER_FIELD = re.compile(_FIELD)
_INNER_RECORD = re.compile(_FIELD + rb"(?:," + _FIELD + rb")*+\Z")
_SURPLUS_FAULT = re.compile(r"(\d+) fields where")


class _Splitter:
    """Walks over a file's bytes from record to record."""

    def __init__(self, content: mmap.mmap, fields: int, line_end: bytes, padding: int) -> None:
        self._content = content
        self._end = len(content)
        self._fields = fields
        self._line_end = line_end
        self._padding = b";" * padding
        ending = rb"(?:\r?\n|\Z)" if line_end == b"\n" else rb"(?:\r|\Z)"
        field = _FIELD
        if padding:  # an unquoted field ends before the padding of its row
            ending = rb"(?:%s)?%s" % (self._padding, ending)
            field = rb"(?:" + _QUOTED + rb'|(?![ ]*")(?:(?!%s(?:[\r\n]|\Z))[^,\r\n])*)' % self._padding
        self._field = re.compile(field)
        self._record = re.compile(field + rb"(?:," + field + rb")*+" + ending)
        self._opening_quote = re.compile(rb"(?:" + field + rb',)*+[ ]*"')
        self._unclosed = re.compile(rb'[^"]*+(?:""[^"]*+)*+\Z')

    def records(self) -> Iterator[Record]:
        position = len(codecs.BOM_UTF8) if self._content[:3] == codecs.BOM_UTF8 else 0
        line, is_header = 1, True
        while position < self._end:
            text, fault = self._record_at(position)
            if is_header:
                is_header = False
            elif (bare := text.rstrip(b"\r\n")) and bare != self._padding:
                yield self._repaired(line, bare, fault)
            position += len(text)
            line += text.count(self._line_end)

    def _repaired(self, line: int, bare: bytes, fault: str | None) -> Record:
        """Return a record with what a spreadsheet did to it undone, where that mends it."""
        text = bare
        repairs: list[str] = []
        if self._padding and text.endswith(self._padding):
            text = text[: -len(self._padding)]
            repairs.append(PADDED)
        if self._padding and text.endswith(b";"):
            fault = fault or f"it ends otherwise than by {len(self._padding)} empty columns (;), as others do"
        if self._fields > 1 and fault == self._count_fault(1) and text.strip(b" ").startswith(b'"'):
            inner = text.strip(b" ")[1:-1].replace(b'""', b'"')
            inner = inner.removesuffix(self._padding)
            if _INNER_RECORD.match(inner):
                fault = self._count_fault(_count_fields(_INNER_FIELD, inner, 0))
                text = inner
                repairs.append(QUOTED_WHOLE)
        text, fault = self._without_surplus(text, fault)
        fault = fault or _length_fault(len(text))
        return Record(line, bare, fault) if fault else Record(line, bare, None, text, tuple(repairs))

    def _record_at(self, position: int) -> tuple[bytes, str | None]:
        """Return the record's bytes with its line end, and its fault."""
        end = self._content.find(self._line_end, position)
        line = self._content[position : self._end if end < 0 else end + 1]
        if b'"' not in line:
            bare = line.removesuffix(b"\n").removesuffix(b"\r")
            if b"\r" in bare:
                return line, "a carriage return stands inside the line"
            return line, self._count_fault(bare.count(b",") + 1)
        if match := self._record.match(self._content, position):
            return match[0], self._count_fault(_count_fields(self._field, self._content, position))
        opening = self._opening_quote.match(self._content, position)
        if opening and self._unclosed.match(self._content, opening.end()):
            return self._content[position : self._end], "a quote is opened and never closed"
        return line, "text stands beside a quoted field; a quote inside a field must be doubled"

    def _without_surplus(self, bare: bytes, fault: str | None) -> tuple[bytes, str | None]:
        """Cut off empty fields beyond the header's, as DuckDB does, if that mends the record."""
        surplus = _SURPLUS_FAULT.match(fault or "")
        excess = int(surplus[1]) - self._fields if surplus else 0
        if excess > 0 and bare.endswith(b"," * excess):
            return bare[:-excess], None
        return bare, fault

    def _count_fault(self, count: int) -> str | None:
        return None if count == self._fields else f"{count} fields where the header has {self._fields}"


def _length_fault(length: int) -> str | None:
    if length <= MAX_RECORD_BYTES:
        return None
    return f"the record is {length:,} bytes long; at most {MAX_RECORD_BYTES:,} are read"


def _count_fields(field: re.Pattern[bytes], content: bytes | mmap.mmap, position: int) -> int:
    """Return how many fields the well-formed record has that begins at ``position``."""
    count = 0
    while match := field.match(content, position):
        count += 1
        if content[match.end() : match.end() + 1] != b",":
            break
        position = match.end() + 1
    return count
