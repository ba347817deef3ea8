"""Faults of raw records: why a record of a raw file cannot be loaded; and repairs of those that can."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum, auto


class FaultKind(StrEnum):
    """What is wrong with a field, or with a record as a whole."""

    EMPTY = auto()
    OTHER_TYPE = auto()
    TOO_LARGE = auto()
    BELOW = auto()
    ABOVE = auto()
    DUPLICATE_KEY = auto()
    NESTED = auto()
    BESIDE_QUOTES = auto()
    UNCLOSED_QUOTE = auto()
    CARRIAGE_RETURN = auto()
    LINE_FEED = auto()
    PADDING = auto()
    FIELD_COUNT = auto()
    TOO_LONG = auto()
    NUL = auto()
    SURROGATE = auto()
    NOT_JSON = auto()
    NO_JSON_NUMBER = auto()
    TOO_DEEP = auto()
    NO_OBJECT = auto()
    REPEATED_NAME = auto()


# The message of each kind, with placeholders for the details.
_WORDS: Mapping[FaultKind, str] = {
    FaultKind.EMPTY: "is empty",
    FaultKind.OTHER_TYPE: "is not {}",
    FaultKind.TOO_LARGE: "is too large",
    FaultKind.BELOW: "is below {}",
    FaultKind.ABOVE: "is above {}",
    FaultKind.DUPLICATE_KEY: "duplicates an earlier record",
    FaultKind.NESTED: "holds {}",
    FaultKind.BESIDE_QUOTES: "text outside the quotes of a field; double any quote inside a field",
    FaultKind.UNCLOSED_QUOTE: "a quote is never closed",
    FaultKind.CARRIAGE_RETURN: "a carriage return inside the line",
    FaultKind.LINE_FEED: "a line feed inside the line",
    FaultKind.PADDING: "it does not end with {} empty columns (;) as the header does",
    FaultKind.FIELD_COUNT: "{} fields where the header has {}",
    FaultKind.TOO_LONG: "the record is {:,} bytes long; at most {:,} are read",
    FaultKind.NUL: "it contains a NUL character",
    FaultKind.SURROGATE: "it contains half of a surrogate pair, which is not a character",
    FaultKind.NOT_JSON: "it is not JSON: {} (column {})",
    FaultKind.NO_JSON_NUMBER: "it is not JSON, which has no {}",
    FaultKind.TOO_DEEP: "it is nested too deeply",
    FaultKind.NO_OBJECT: "it is not a JSON object",
    FaultKind.REPEATED_NAME: "it has the key {!r} twice",
}


@dataclass(frozen=True)
class Fault:
    """Why a record cannot be loaded.

    ``details`` are the limit that is exceeded, the type that is wanted and the like. ``field`` names the
    faulty field, ``text`` is its content; if ``field`` is empty, the whole record is faulty.
    """

    kind: FaultKind
    details: tuple[str | int, ...] = ()
    field: str = ""
    text: str | None = None

    def __str__(self) -> str:
        shown = "" if self.text is None else f": '{self.text}'"
        return f"{self.field}{shown} {_WORDS[self.kind].format(*self.details)}".strip()


@dataclass(frozen=True)
class FaultCount:
    """How many records have the same fault, whatever the faulty ``field`` holds.

    ``details`` are the limit that is exceeded, the type that is wanted and the like; ``field`` is empty if
    records are faulty as a whole.
    """

    kind: FaultKind
    details: tuple[str | int, ...]
    field: str
    records: int

    def __str__(self) -> str:
        return str(Fault(self.kind, self.details, self.field))


def count_faults(faults: Iterable[Fault]) -> tuple[FaultCount, ...]:
    """Count faults by kind, details and field, most frequent first."""
    counts = Counter((fault.kind, fault.details, fault.field) for fault in faults)
    return tuple(FaultCount(*key, count) for key, count in counts.most_common())


class Repair(StrEnum):
    """What was repaired in a record that is loaded."""

    PADDED = auto()
    QUOTED_WHOLE = auto()
    THOUSANDS_SEPARATOR = auto()

    @property
    def words(self) -> str:
        """The repair in words."""
        return _REPAIRED[self]


_REPAIRED: Mapping[Repair, str] = {
    Repair.PADDED: "empty columns (;) at the end",
    Repair.QUOTED_WHOLE: "row was quoted whole",
    Repair.THOUSANDS_SEPARATOR: "thousands separator",
}
