"""Inspects the bytes of a CSV file: whether it is readable, its header, whether it is plain.

A file is plain if it is unambiguous: strict RFC 4180, as many fields in each record as in the header,
no blank lines. DuckDB reads a plain file in one go; other files are split into records first.
"""

import codecs
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from genredb.errors import InputError, Place
from genredb.warehouse.csvgrammar import Grammar, unquoted
from genredb.warehouse.faults import Fault, FaultKind
from genredb.warehouse.rawfile import CHUNK_BYTES, opened, stamp_of

# DuckDB's limit for a line is 2,000,000 bytes; longer records are quarantined before they reach it.
MAX_RECORD_BYTES = 1_900_000
MAX_HEADER_BYTES = 1 << 20
MAX_COLUMNS = 4_096
_SHORT = 32  # where pieces between quotes are shorter on average, their ends are not looked at one by one

_MAGIC = {
    b"\x1f\x8b": ("is compressed by gzip", "run `gunzip` on it (rename it to end in .gz first)"),
    b"PK\x03\x04": ("is a zip archive or a spreadsheet", "unpack it, or save it as CSV"),
    b"PAR1": ("is a Parquet file", "rename it to end in .parquet"),
    b"\xff\xfe": ("is UTF-16", "convert it: `iconv -f UTF-16 -t UTF-8`"),
    b"\xfe\xff": ("is UTF-16", "convert it: `iconv -f UTF-16 -t UTF-8`"),
}


@dataclass(frozen=True)
class Survey:
    """The result of one pass over a file's bytes.

    ``line_end`` is the byte that ends most lines: a line feed, or a lone carriage return. ``padding`` is the
    number of semicolons at the end of the header. ``records`` is the number of records after the header, or
    None if the file is not plain and must be split to count them. ``stamp`` detects later changes.
    """

    size: int
    header: tuple[str, ...]
    separator: str
    line_end: bytes
    padding: int
    records: int | None
    stamp: tuple[int, int, int]


def survey(path: Path, separator: str = ",", shown: Path | None = None) -> Survey:
    """Read the file once, in constant memory; messages name ``shown`` if it is given, else ``path``.

    Raises InputError, with a cure, if the file is not a UTF-8 CSV with a header.
    """
    named = shown or path
    tally = _Tally(separator.encode())
    text = Utf8Check(named, path)
    with opened(path) as file:
        stamp = stamp_of(os.fstat(file.fileno()))
        head = file.read(MAX_HEADER_BYTES)
        refuse_other_formats(named, head, "a CSV")
        file.seek(0)
        while chunk := file.read(CHUNK_BYTES):
            text.add(chunk)
            tally.add(chunk)
            if tally.size > stamp[1]:
                raise _changed(named)
        text.add(b"", is_last=True)
    if not tally.size:
        raise InputError(f"{named} is empty (0 bytes)", cure="save or download it again")
    header, padding, is_strict = _header(named, head, Grammar(tally.separator, tally.line_end), tally.size)
    return Survey(
        size=tally.size,
        header=header,
        separator=separator,
        line_end=tally.line_end,
        padding=padding,
        records=tally.records(len(header)) if is_strict else None,
        stamp=stamp,
    )


def likely_separator(path: Path) -> str:
    """Guess the column separator of a file from its first line; a comma if in doubt."""
    with opened(path) as file:
        head = file.read(MAX_HEADER_BYTES).removeprefix(codecs.BOM_UTF8)
    outside = b"".join(head.split(b'"')[::2])
    line = re.split(rb"[\r\n]", outside, maxsplit=1)[0].rstrip(b";")  # may be a spreadsheet's padding
    return max(",;\t|", key=lambda mark: line.count(mark.encode()))


def refuse_changed(path: Path, found: Survey) -> None:
    """Raise InputError if a file changed since it was surveyed."""
    try:
        stamp = stamp_of(path.stat())
    except OSError:
        stamp = (0, 0, 0)
    if stamp != found.stamp or found.size != found.stamp[1]:
        raise _changed(path)


def _changed(path: Path) -> InputError:
    return InputError(
        f"{path} changed while it was being read; nothing of it was loaded",
        cure="load it again when it is complete",
    )


def refuse_unreadable(path: Path) -> None:
    """Raise InputError, with the cause, if the file cannot be read."""
    opened(path).close()


@dataclass
class _Tally:
    """Counts separators and line ends chunk by chunk, and tracks whether the file is plain so far."""

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
        beside = b'"\r\n' + self.separator  # bytes allowed next to a quote; all others count as letters
        self._letters = bytes(byte if byte in beside else ord("x") for byte in range(256))
        self._beside = {b"", b"\r", b"\n", self.separator}

    @property
    def line_end(self) -> bytes:
        """The byte that ends most lines."""
        return b"\r" if self._returns > self._line_feeds else b"\n"

    def add(self, chunk: bytes) -> None:
        """Count the next bytes of the file."""
        start, self.size = self.size, self.size + len(chunk)
        last, pieces = self._last, self._outside(chunk)
        if last == b'"':  # so that pairs of bytes across chunks are seen, too
            pieces.insert(0, b"")
        else:
            pieces[0] = last + pieces[0]
        text = b'"'.join(pieces)
        lines = text.split(b"\n")
        line_feeds = len(lines) - 1 - (last == b"\n")
        returns = text.count(b"\r") - (last == b"\r") if b"\r" in text else 0
        has_blank = b"" in lines[1:-1] or (returns > 0 and (b"\n\r" in text or b"\r\r" in text))
        self._is_plain &= not has_blank and not self._has_letter_beside_quote(pieces, text)
        self._separators += text.count(self.separator) - (last == self.separator)
        self._line_feeds += line_feeds
        self._returns += returns
        self._pairs += text.count(b"\r\n") if returns or last == b"\r" else 0
        # A chunk with a line end ends a record; the next record begins after the start of the chunk.
        self._is_plain &= self.size - self._record_from <= MAX_RECORD_BYTES
        if line_feeds or returns:
            self._record_from = start
        self._last = text[-1:]

    def _outside(self, chunk: bytes) -> list[bytes]:
        """Return the texts outside quotes; between two of them is one quote for each quoted section."""
        parts = chunk.split(b'"')
        outside = parts[self._is_inside :: 2]
        self._is_inside = self._is_inside != (len(parts) % 2 == 0)
        return [*outside, b""] if self._is_inside else outside

    def _has_letter_beside_quote(self, pieces: Sequence[bytes], text: bytes) -> bool:
        """Return True if a quote in ``text``, which is between two pieces, touches a letter."""
        if len(text) < _SHORT * len(pieces):
            letters = text.translate(self._letters)
            return b'x"' in letters or b'"x' in letters
        beside = {piece[:1] for piece in pieces[1:]} | {piece[-1:] for piece in pieces[:-1]}
        return not beside <= self._beside

    def records(self, fields: int) -> int | None:
        """Return the number of records after a header of so many fields; None if the file is not plain."""
        lines = max(self._line_feeds, self._returns) + (self._last not in b"\r\n")
        ends = (self._line_feeds, self._returns, self._pairs)
        is_of_one_end = ends[1] == 0 or ends[0] == 0 or len(set(ends)) == 1
        is_regular = self._separators == lines * (fields - 1)
        is_plain = self._is_plain and not self._is_inside and is_of_one_end and is_regular
        return lines - 1 if is_plain else None


def refuse_other_formats(path: Path, head: bytes, wanted: str) -> None:
    """Raise InputError, with a cure, if a file that should be text begins like another format."""
    for magic, (what, cure) in _MAGIC.items():
        if head.startswith(magic):
            shown = " ".join(f"0x{byte:02X}" for byte in magic)
            raise InputError(f"{path} {what} (line 1 begins with the bytes {shown}), not {wanted}", cure=cure)
    if re.match(rb"\s*<(!doctype|html|\?xml)", head.removeprefix(codecs.BOM_UTF8), re.IGNORECASE):
        raise InputError(
            f"{path} is a web page saved as .csv (line 1 begins with `<`)", cure="download the CSV itself"
        )


class Utf8Check:
    """Checks that the bytes of ``content`` are UTF-8 text; messages name ``path``."""

    def __init__(self, path: Path, content: Path) -> None:
        self._path = path
        self._content = content
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._offset = 0

    def add(self, chunk: bytes, *, is_last: bool = False) -> None:
        """Check the next bytes; raise InputError, with the line, if they are not UTF-8 text."""
        if (position := chunk.find(b"\0")) >= 0:
            line = _line_at(self._content, self._offset + position)
            raise InputError(
                "the line holds a NUL byte (0x00)",
                place=Place(str(self._path), line),
                cure="the file is damaged, or is UTF-16: save it as UTF-8",
            )
        pending = len(self._decoder.getstate()[0])
        try:
            self._decoder.decode(chunk, is_last)
        except UnicodeDecodeError as error:
            line = _line_at(self._content, self._offset - pending + error.start)
            byte = error.object[error.start]
            raise InputError(
                f"the line holds the byte 0x{byte:02X}, which is not UTF-8",
                place=Place(str(self._path), line),
                cure="convert the file: `iconv -f WINDOWS-1252 -t UTF-8`",
            ) from None
        self._offset += len(chunk)


def _line_at(path: Path, offset: int) -> int:
    with path.open("rb") as file:
        before = file.read(offset)
    return (before.count(b"\n") or before.count(b"\r")) + 1


def _header(path: Path, head: bytes, grammar: Grammar, size: int) -> tuple[tuple[str, ...], int, bool]:
    """Return the header's fields, the number of padding semicolons, and whether the header is plain."""
    content, place = head.removeprefix(codecs.BOM_UTF8), Place(str(path), 1)
    cut = grammar.cut(content, 0)
    if cut.end == len(content) and len(head) < size:
        raise InputError(f"the header does not end within {MAX_HEADER_BYTES:,} bytes", place=place)
    if not cut.text:
        raise InputError("the line is blank instead of a header", place=place, cure="remove the blank line")
    text, padding = _without_padding(cut.text, grammar) if grammar.separator == b"," else (cut.text, 0)
    fields = grammar.fields(text)
    if cut.fault or fields is None:
        raise InputError(f"in the header, {cut.fault or Fault(FaultKind.BESIDE_QUOTES)}", place=place)
    if len(fields) > MAX_COLUMNS:
        what = f"the header names {len(fields):,} columns; at most {MAX_COLUMNS:,} are read"
        raise InputError(what, place=place)
    return tuple(unquoted(name).decode() for name in fields), padding, text == cut.text


def _without_padding(text: bytes, grammar: Grammar) -> tuple[bytes, int]:
    """Undo a spreadsheet's padding and quoting of a header; return it and the length of the padding."""
    bare = text.rstrip(b";")
    fields = grammar.fields(bare) or []
    if len(fields) > 1:
        return bare, len(text) - len(bare)
    if fields and b"," in fields[0]:
        whole = unquoted(fields[0])
        inside = whole.rstrip(b";")
        return inside, len(text) - len(bare) or len(whole) - len(inside)
    return text, 0
