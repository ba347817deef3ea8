"""Faults of raw records: why a record of a raw file cannot be loaded."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """Why a record cannot be loaded.

    ``what`` is the reason, such as ``is not an integer``. ``field`` names the faulty field, ``text`` is its
    content; if ``field`` is empty, the whole record is faulty.
    """

    what: str
    field: str = ""
    text: str | None = None

    def __str__(self) -> str:
        shown = "" if self.text is None else f": '{self.text}'"
        return f"{self.field}{shown} {self.what}".strip()


@dataclass(frozen=True)
class FaultCount:
    """How many records have the same fault, whatever their fields hold."""

    what: str
    field: str
    records: int

    def __str__(self) -> str:
        return str(Fault(self.what, self.field))


def count_faults(faults: Iterable[Fault]) -> tuple[FaultCount, ...]:
    """Count faults by reason and field, most frequent first."""
    counts = Counter((fault.what, fault.field) for fault in faults)
    return tuple(FaultCount(*kind, count) for kind, count in counts.most_common())
