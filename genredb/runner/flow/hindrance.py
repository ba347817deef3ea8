"""Why a change of an input may reach any row of a query."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum, auto


class Hindrance(StrEnum):
    """Why a change of an input may reach any row of a query."""

    SYNTAX = auto()
    FORM = auto()
    NAMES = auto()
    CALLS = auto()
    ORDER = auto()
    ANY_ROW = auto()
    UPSTREAM = auto()
    BEHIND = auto()
    CONFIGURATION = auto()
    PROJECT = auto()


_WORDS: Mapping[Hindrance, str] = {
    Hindrance.SYNTAX: "its SQL cannot be analyzed",
    Hindrance.FORM: "it uses {}",
    Hindrance.NAMES: "it names {} without ref() or source()",
    Hindrance.CALLS: "it calls {}",
    Hindrance.ORDER: "{} depends on the order of rows",
    Hindrance.ANY_ROW: "any row of {} may change any of its rows",
    Hindrance.UPSTREAM: "what changes in {} is not known",
    Hindrance.BEHIND: "it was not up to date",
    Hindrance.CONFIGURATION: "its configuration has {}",
    Hindrance.PROJECT: "the project has {}",
}


@dataclass(frozen=True)
class AnyRow:
    """A change may reach any row; in words, why."""

    hindrance: Hindrance
    subject: str = ""

    @property
    def why(self) -> str:
        """The words for it."""
        return _WORDS[self.hindrance].format(self.subject)


class UnknownError(Exception):
    """A change may reach any row."""

    def __init__(self, hindrance: Hindrance, subject: str = "") -> None:
        self.found = AnyRow(hindrance, subject)
        super().__init__(self.found.why)
