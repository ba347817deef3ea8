"""The bytes of a CSV file: whether it can be read at all, what its header is, and whether it is plain.

A file is plain if it can be read in one way only: strict RFC 4180, as many fields in each record as in
the header, no blank line. DuckDB reads a plain file in one go; other files are split into records first.
"""

import codecs
import hashlib
import io
import os
import re
from dataclasses import dataclass
from pathlib import Path

from genredb.errors import InputError
from genredb.warehouse.csvgrammar import BESIDE, Grammar, unquoted

CHUNK_BYTES = 1 << 18
# DuckDB's own limit for a line is 2,000,000 bytes; what is longer is quarantined before it gets there.
MAX_RECORD_BYTES = 1_900_000
MAX_HEADER_BYTES = 1 << 20
MAX_COLUMNS = 4_096

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

    ``line_end`` is the byte that most lines end with: a line feed, or a lone carriage return. ``padding`` is
    how many semicolons the header ends with. ``records`` is the count of records after the header of a plain
    file, None where the file must be split to know it. ``stamp`` tells whether the file changed since.
    """

    sha256: str
    size: int
    header: tuple[str, ...]
    separator: str
    line_end: bytes
    padding: int
    records: int | None
    stamp: tuple[int, int, int]


def file_digest(path: Path) -> str:
    """Return the sha256 of the file's bytes: those that it has now, for it may grow without end."""
    sha = hashlib.sha256()
    with opened(path) as file:
        left = os.fstat(file.fileno()).st_size
        while chunk := file.read(min(CHUNK_BYTES, left)):
            sha.update(chunk)
            left -= len(chunk)
    return sha.hexdigest()


def survey(path: Path, separator: str = ",") -> Survey:
    """Read the file once, in flat memory.

    Raises InputError with the cure for what is no UTF-8 CSV with a header.
    """
    sha, tally = hashlib.sha256(), _Tally(separator.encode())
    decoder = codecs.getincrementaldecoder("utf-8")()
    with opened(path) as file:
        stamp = _stamp(os.fstat(file.fileno()))
        head = file.read(MAX_HEADER_BYTES)
        _refuse_other_formats(path, head)
        file.seek(0)
        while chunk := file.read(CHUNK_BYTES):
            sha.update(chunk)
            _refuse_bad_bytes(path, chunk, decoder, tally.size)
            tally.add(chunk)
            if tally.size > stamp[1]:
                raise _changed(path)
        _refuse_bad_bytes(path, b"", decoder, tally.size, is_last=True)
    if not tally.size:
        raise InputError(f"{path} is empty (0 bytes); save or download it again.")
    header, padding, is_strict = _header(path, head, Grammar(tally.separator, tally.line_end), tally.size)
    return Survey(
        sha256=sha.hexdigest(),
        size=tally.size,
        header=header,
        separator=separator,
        line_end=tally.line_end,
        padding=padding,
        records=tally.records(len(header)) if is_strict else None,
        stamp=stamp,
    )


def likely_separator(path: Path) -> str:
    """Return which character separates the columns of a file, by its first line: a comma if in doubt."""
    with opened(path) as file:
        head = file.read(MAX_HEADER_BYTES).removeprefix(codecs.BOM_UTF8)
    outside = b"".join(head.split(b'"')[::2])
    line = re.split(rb"[\r\n]", outside, maxsplit=1)[0].rstrip(b";")  # they may be a spreadsheet's padding
    return max(",;\t|", key=lambda mark: line.count(mark.encode()))


def refuse_changed(path: Path, found: Survey) -> None:
    """Raise InputError where a file is no longer as it was surveyed."""
    try:
        stamp = _stamp(path.stat())
    except OSError:
        stamp = (0, 0, 0)
    if stamp != found.stamp or found.size != found.stamp[1]:
        raise _changed(path)


def _changed(path: Path) -> InputError:
    return InputError(
        f"{path} changed while it was read; nothing of it was loaded. Load it again when it is complete."
    )


def refuse_unreadable(path: Path) -> None:
    """Raise InputError with the cause where the file cannot be read."""
    opened(path).close()


def opened(path: Path) -> io.BufferedReader:
    """Open a regular file, or a link to one; InputError with the cause where that is not possible."""
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


def _stamp(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_ino, status.st_size, status.st_mtime_ns


@dataclass
class _Tally:
    """Counts over the bytes of a file, taken chunk by chunk, and whether all of them were plain so far."""

    separator: bytes
    size: int = 0
    _separators: int = 0
    _line_feeds: int = 0
    _returns: int = 0
    _pairs: int = 0
    _is_inside: bool = False
    _is_plain: bool = True
    _last: bytes = b"\n"
    _record_from: int = 0

    def __post_init__(self) -> None:
        beside = b'"\r\n' + self.separator  # what a quote may stand beside; all else is a letter to it
        self._letters = bytes(byte if byte in beside else ord("x") for byte in range(256))

    @property
    def line_end(self) -> bytes:
        """The byte that most lines end with."""
        return b"\r" if self._returns > self._line_feeds else b"\n"

    def add(self, chunk: bytes) -> None:
        """Count the next bytes of the file."""
        start, self.size = self.size, self.size + len(chunk)
        outside = self._outside(chunk)
        text = self._last + outside  # pairs of bytes that two chunks share are seen, too
        if b'"' in text:
            letters = text.translate(self._letters)
            self._is_plain &= not (b'x"' in letters or b'"x' in letters)
        line_feeds, returns = outside.count(b"\n"), outside.count(b"\r")
        # A blank line, whatever lines end with.
        self._is_plain &= not (b"\n\n" in text or b"\n\r" in text or b"\r\r" in text)
        self._separators += outside.count(self.separator)
        self._line_feeds += line_feeds
        self._returns += returns
        self._pairs += text.count(b"\r\n") if returns or self._last == b"\r" else 0
        # A record ends in a chunk with a line end, and the next one begins after the chunk's start.
        self._is_plain &= self.size - self._record_from <= MAX_RECORD_BYTES
        if line_feeds or returns:
            self._record_from = start
        self._last = text[-1:]

    def _outside(self, chunk: bytes) -> bytes:
        """Return the bytes outside quotes, with one quote in the place of each quoted section."""
        if b'"' not in chunk:
            return b"" if self._is_inside else chunk
        parts = chunk.split(b'"')
        outside = b'"'.join(parts[self._is_inside :: 2])
        self._is_inside = self._is_inside != (len(parts) % 2 == 0)
        return outside + b'"' if self._is_inside else outside

    def records(self, fields: int) -> int | None:
        """Return how many records stand after a header of so many fields, None where that is not plain."""
        lines = max(self._line_feeds, self._returns) + (self._last not in b"\r\n")
        ends = (self._line_feeds, self._returns, self._pairs)
        is_of_one_end = ends[1] == 0 or ends[0] == 0 or len(set(ends)) == 1
        is_regular = self._separators == lines * (fields - 1)
        is_plain = self._is_plain and not self._is_inside and is_of_one_end and is_regular
        return lines - 1 if is_plain else None


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


def _header(path: Path, head: bytes, grammar: Grammar, size: int) -> tuple[tuple[str, ...], int, bool]:
    """Return the header's fields, how many semicolons pad it, and whether it is as a plain file has it."""
    content = head.removeprefix(codecs.BOM_UTF8)
    cut = grammar.cut(content, 0)
    if cut.end == len(content) and len(head) < size:
        raise InputError(f"{path}:1: the header does not end within {MAX_HEADER_BYTES:,} bytes.")
    if not cut.text:
        raise InputError(f"{path}:1 is blank where the header should be; remove the blank line.")
    text, padding = _without_padding(cut.text, grammar) if grammar.separator == b"," else (cut.text, 0)
    fields = grammar.fields(text)
    if cut.fault or fields is None:
        raise InputError(f"{path}:1: in the header, {cut.fault or BESIDE}.")
    if len(fields) > MAX_COLUMNS:
        raise InputError(f"{path}:1 names {len(fields):,} columns; at most {MAX_COLUMNS:,} are read.")
    return tuple(unquoted(name).decode() for name in fields), padding, text == cut.text


def _without_padding(text: bytes, grammar: Grammar) -> tuple[bytes, int]:
    """Return a header as it was before a spreadsheet padded and quoted it, and the padding's length."""
    bare = text.rstrip(b";")
    fields = grammar.fields(bare) or []
    if len(fields) > 1:
        return bare, len(text) - len(bare)
    if fields and b"," in fields[0]:
        whole = unquoted(fields[0])
        inside = whole.rstrip(b";")
        return inside, len(text) - len(bare) or len(whole) - len(inside)
    return text, 0
