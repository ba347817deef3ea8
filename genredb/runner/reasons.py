"""Why a node runs: a cause and its subject. The message is composed where it is shown or stored."""

from dataclasses import dataclass
from enum import StrEnum


class Cause(StrEnum):
    """Why a node runs; the value is the message template, with a placeholder for the subject."""

    NEW = "new"
    FULL_REFRESH = "full refresh"
    SQL = "sql changed"
    CONFIGURATION = "configuration changed"
    FILE = "{} changed"
    UPSTREAM = "upstream {}"
    UPSTREAM_BEFORE = "upstream was rebuilt before"
    NOT_LOADED = "genredb does not load {}"
    READS = "reads {}"
    CALLS = "calls {}"
    VOLATILE = "{}"
    MISSING = "missing"
    OTHER_PROGRAM = "rebuilt by another program"
    WARNED = "warned before"
    ASKED = "asked for"
    HOOK = "{}"


@dataclass(frozen=True)
class Reason:
    """Why a node runs. ``subject`` names what changed, is called or is read, if the cause has a subject."""

    cause: Cause
    subject: str = ""

    def __str__(self) -> str:
        return self.cause.value.format(self.subject)
