"""The result of every reader of raw files: a survey and ways to read the records."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from genredb.errors import InputError, Place
from genredb.warehouse.csvfile import MAX_RECORD_BYTES, Survey, refuse_changed
from genredb.warehouse.csvrecords import Record
from genredb.warehouse.faults import Fault, FaultKind


@dataclass(frozen=True)
class Reading:
    """A surveyed raw file.

    ``path`` is the file itself; ``content`` is the file to read, which differs if ``path`` is compressed.
    ``split`` yields the records in order, given the places of the wanted fields; ``texts`` those of a file
    that is read in one go, with their lines and bytes at least. ``in_one_go`` returns the
    SQL of a relation with the wanted fields as text, whose parameter is the path of ``content``; it raises an
    error if ``split`` might find a faulty record, and is None if the file must be split. ``unusable`` maps
    columns without plain values to what they hold instead.
    ``unit`` is what ``Record.line`` counts; ``records_before`` is how many records of the file come before,
    ``sha256`` the digest of ``path`` if that is known.
    """

    path: Path
    content: Path
    found: Survey
    split: Callable[[Collection[int]], Iterator[Record]]
    in_one_go: Callable[[Sequence[str], Collection[int]], str] | None = None
    texts: Callable[[], Iterator[Record]] | None = None
    unusable: Mapping[str, str] = field(default_factory=dict)
    unit: str = "line"
    has_header_line: bool = False
    records_before: int = 0
    sha256: str = ""

    @property
    def header(self) -> tuple[str, Place]:
        """What names the columns, for messages: the header with its line, or the file."""
        what = "the header" if self.has_header_line else "the file"
        return what, Place(str(self.path), 1 if self.has_header_line else None)

    def refuse_changed(self) -> None:
        """Raise InputError if the file changed since it was surveyed."""
        refuse_changed(self.path, self.found)

    def refuse_unusable(self, names: Collection[str]) -> None:
        """Raise InputError if one of these columns does not hold plain values."""
        for name in names:
            if name in self.unusable:
                raise InputError(
                    f"the column '{name}' holds {self.unusable[name]}, not plain values",
                    place=self.path,
                    cure="write it as text, a number, a boolean, a date or a timestamp",
                )


def record_of(line: int, texts: Sequence[str], text: bytes | None = None) -> Record:
    """Return a record of field texts; ``text`` is the record as written in the file, if it is a text file."""
    written = ",".join('"' + one.replace('"', '""') + '"' for one in texts)
    readable = written.encode("utf-8", "surrogatepass")
    shown = written.encode("utf-8", "backslashreplace").replace(b"\0", b"\\0") if text is None else text
    fault = None
    if b"\0" in readable:
        fault = Fault(FaultKind.NUL)
    elif any("\ud800" <= letter <= "\udfff" for letter in written):
        fault = Fault(FaultKind.SURROGATE)
    elif len(readable) > MAX_RECORD_BYTES:
        fault = Fault(FaultKind.TOO_LONG, (len(readable), MAX_RECORD_BYTES))
    return Record(line, shown, fault) if fault else Record(line, shown, None, readable)
