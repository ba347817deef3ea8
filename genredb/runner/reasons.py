"""Why a node runs: a cause and its subject. The message is composed where it is shown or stored."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum, auto


class Cause(StrEnum):
    """Why a node runs. The causes that make SQL volatile have the names of the warehouse's Volatility."""

    NEW = auto()
    FULL_REFRESH = auto()
    SQL = auto()
    CONFIGURATION = auto()
    FILE = auto()
    OWN_TABLE = auto()
    UPSTREAM = auto()
    UPSTREAM_BEFORE = auto()
    NOT_LOADED = auto()
    READS = auto()
    READS_UNTRACKED = auto()
    READS_FILE = auto()
    READS_BY = auto()
    CALLS = auto()
    USES_FUNCTION = auto()
    USES_NAME = auto()
    MISSING = auto()
    OTHER_PROGRAM = auto()
    WARNED = auto()
    ASKED = auto()
    HOOK = auto()


# The message of each cause, with a placeholder for the subject if it has one.
_WORDS: Mapping[Cause, str] = {
    Cause.NEW: "new",
    Cause.FULL_REFRESH: "full refresh",
    Cause.SQL: "sql changed",
    Cause.CONFIGURATION: "configuration changed",
    Cause.FILE: "{} changed",
    Cause.OWN_TABLE: "{} changed",
    Cause.UPSTREAM: "upstream {}",
    Cause.UPSTREAM_BEFORE: "upstream was rebuilt before",
    Cause.NOT_LOADED: "genredb does not load {}",
    Cause.READS: "reads {}",
    Cause.READS_UNTRACKED: "reads {} without ref() or source()",
    Cause.READS_FILE: "reads the file {}",
    Cause.READS_BY: "reads by {}()",
    Cause.CALLS: "calls {}",
    Cause.USES_FUNCTION: "uses {}()",
    Cause.USES_NAME: "uses {}",
    Cause.MISSING: "missing",
    Cause.OTHER_PROGRAM: "rebuilt by another program",
    Cause.WARNED: "warned before",
    Cause.ASKED: "asked for",
    Cause.HOOK: "{}",
}


@dataclass(frozen=True)
class Reason:
    """Why a node runs. ``subject`` names what changed, is called or is read, if the cause has a subject."""

    cause: Cause
    subject: str = ""

    def __str__(self) -> str:
        return _WORDS[self.cause].format(self.subject)
