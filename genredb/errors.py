"""All errors: what is wrong, where, the invalid name with the valid choices, and the cure.

Every error that a user can cause is a :class:`GenredbError` that holds these parts; its text is built from
them on demand. The command line prints it without a traceback and exits with its ``exit_code``; Python
callers catch the class they need.
"""

import copy
import difflib
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

_LONGEST, _MOST_LINES = 600, 100  # of a line of a message, in characters, and of a message, in lines
_CONTEXT = 100  # characters of a line that are quoted on either side of an error in it


@dataclass(frozen=True)
class Place:
    """Where an error is: a file, with line and column if known, both from 1.

    ``text`` is the content of the file, from which the line is quoted; ``width`` is the length of the faulty
    part. If ``text`` is not the file's, ``label`` describes it, and ``file_line`` is the line of the file.
    """

    path: str
    line: int | None = None
    column: int | None = None
    text: str = ""
    width: int = 1
    label: str = ""
    file_line: int | None = None

    def __str__(self) -> str:
        return ":".join(str(part) for part in (self.path, *self.in_file) if part is not None)

    @property
    def in_file(self) -> tuple[int | None, int | None]:
        """The line and column of the file, if known."""
        return (self.file_line, None) if self.label else (self.line, self.column)


class GenredbError(Exception):
    """An error that genredb explains in one sentence; ``exit_code`` is that of the command line.

    ``what`` is the problem and ``cure`` the remedy, both without a full stop; ``name`` is the invalid name
    and ``choices`` are the valid ones; ``place`` says where.
    """

    exit_code: ClassVar[int] = 3

    def __init__(
        self,
        what: str = "",
        *,
        place: Place | Path | str = "",
        cure: str = "",
        name: str = "",
        choices: Iterable[str] = (),
    ) -> None:
        super().__init__(what)
        self.what = what.rstrip().removesuffix(".")
        self.place = _as_place(place)
        self.cure = cure
        self.name = name
        self.choices = tuple(choices)
        self.occasion = ""

    def at(self, place: Place | Path | str) -> Self:
        """Return a copy of the error with this place."""
        moved = copy.copy(self)
        moved.place = _as_place(place)
        return moved

    def during(self, occasion: str) -> Self:
        """Return a copy of the error that first names what failed because of it."""
        told = copy.copy(self)
        told.occasion = f"{occasion}: {self.occasion}"
        return told

    @property
    def headline(self) -> str:
        """The place and the problem, without the cure and a full stop."""
        return f"{self.place}: {self.what}" if self.place.path else self.what

    def each(self) -> "tuple[GenredbError, ...]":
        """Return the errors that this one holds: itself, or those that it collects."""
        return (self,)

    @property
    def sentence(self) -> str:
        """The place, the problem, the cure and a suggestion, without the lines of :func:`quotation`."""
        said = f"{self.headline}; {self.cure}" if self.cure else self.headline
        stop = "" if said.endswith(("?", "!")) else "."
        meant = did_you_mean(self.name, self.choices) if self.name else ""
        return f"{self.occasion}{said}{stop}{meant}"

    def __str__(self) -> str:
        return _bounded(f"{self.sentence}{quotation(self.place)}")


def _as_place(place: Place | Path | str) -> Place:
    return place if isinstance(place, Place) else Place(str(place))


def _bounded(message: str) -> str:
    """Return a message cut to a readable size, however long the quoted input is."""
    lines = message.split("\n")
    if len(lines) > _MOST_LINES:
        lines = [*lines[:_MOST_LINES], f"… and {len(lines) - _MOST_LINES} more lines"]
    return "\n".join(
        line if len(line) <= _LONGEST else f"{line[: _LONGEST - 200]} … {line[-200:]}" for line in lines
    )


class UsageError(GenredbError):
    """A command was given a name, option or value that does not exist."""

    exit_code = 2


class ConsentError(UsageError):
    """The user must consent to a far-reaching action with ``option``."""

    def __init__(self, what: str, *, cure: str, option: str) -> None:
        super().__init__(what, cure=cure)
        self.option = option


class ProjectError(GenredbError):
    """A file of the project (yml, SQL, macro, seed) is invalid or missing."""


class FollowUpError(ProjectError):
    """Something is missing in a project: the cause may be a file that cannot be read."""


@dataclass(frozen=True)
class Notice:
    """Something in a project that has no effect or is worth knowing; its parts are those of an error."""

    what: str
    place: Place = Place("")
    cure: str = ""
    name: str = ""
    choices: tuple[str, ...] = ()

    def as_error(self) -> ProjectError:
        """Return the notice as an error."""
        return ProjectError(**vars(self))

    def __str__(self) -> str:
        return str(self.as_error())


class SqlError(ProjectError):
    """SQL that the database rejects. ``offset`` is the position in ``sql``, in characters, if known."""

    def __init__(
        self, what: str, sql: str = "", offset: int | None = None, width: int = 1, **parts: Any
    ) -> None:
        super().__init__(what, **parts)
        self.sql = sql
        self.offset = offset
        self.width = width


class ContractError(ProjectError):
    """The columns of a model are not those of its contract; each ``differing`` is a row of a table.

    A row has the name of a column, its type in the model and its type in the contract; a type is empty if
    the column is not there.
    """

    def __init__(
        self, what: str = "", *, differing: Iterable[tuple[str, str, str]] = (), **parts: Any
    ) -> None:
        super().__init__(what, **parts)
        self.differing = tuple(differing)

    def __str__(self) -> str:
        rows = [("column", "in the model", "in the contract"), *self.differing]
        rows = [(name, found or "missing", stated or "missing") for name, found, stated in rows]
        first, second = (max(_cells(row[i]) for row in rows) for i in (0, 1))
        lines = (f"      | {name:{first}}  {found:{second}}  {stated}" for name, found, stated in rows)
        return _bounded("\n".join((self.sentence, *lines)))


class ProjectErrors(ProjectError):  # noqa: N818 - it holds several errors
    """Several errors in the project's files; ``errors`` has no duplicates."""

    def __init__(self, errors: Iterable[ProjectError]) -> None:
        super().__init__()
        self.errors = tuple({str(error): error for error in errors}.values())

    @property
    def headline(self) -> str:
        """The headline of the first error."""
        return self.errors[0].headline

    def each(self) -> tuple[GenredbError, ...]:
        """Return the collected errors."""
        return self.errors

    def __str__(self) -> str:
        return _bounded(self.occasion + "\n".join(map(str, self.errors)))


class InputError(GenredbError):
    """A raw file cannot be read, or an export would be invalid."""


class ResourceError(GenredbError):
    """The system lacks a resource or denies it: disk space, memory, a permission."""


class QueryTimeoutError(GenredbError):
    """A query was stopped because it took too long."""

    exit_code = 4


class DatabaseLockedError(GenredbError):
    """Another process writes to the database."""

    exit_code = 5


class DatabaseCorruptError(GenredbError):
    """The database file is damaged, or this version of DuckDB cannot read it."""

    exit_code = 6


def near(name: str, choices: Iterable[str]) -> list[str]:
    """Return the choice closest to a name, if one is close: a list of at most one."""
    known = sorted(set(choices))
    last_parts = {choice.rpartition(".")[2]: choice for choice in known}
    close = difflib.get_close_matches(name, known, n=1)
    if not close:  # perhaps in another schema, or the schema was omitted
        parts = difflib.get_close_matches(name.rpartition(".")[2], last_parts, n=1)
        close = [last_parts[part] for part in parts]
    return close


def did_you_mean(name: str, choices: Iterable[str]) -> str:
    """Return `` Did you mean 'x'?`` for the closest choice, else a list of the choices; empty without any.

    The result begins with a space, so that it can be appended to a sentence.
    """
    known = sorted(set(choices))
    if close := near(name, known):
        return f" Did you mean '{close[0]}'?"
    if known:
        shown = ", ".join(known[:12]) + (", …" if len(known) > 12 else "")
        return f" Available: {shown}."
    return ""


def _cells(text: str) -> int:
    """Return the width of a text in terminal cells."""
    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in text)
    return len(text) + wide - sum(unicodedata.combining(letter) > 0 for letter in text)


def quotation(place: Place) -> str:
    """Return a line break and the quoted line of a place, with a caret if the column is known.

    Empty if the line is unknown or blank.
    """
    lines = place.text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    source = lines[place.line - 1] if place.line is not None and 0 < place.line <= len(lines) else ""
    if not source.strip():
        return ""
    if place.column is None:
        shown = source.expandtabs(1)
        cut = shown if len(shown) <= 2 * _CONTEXT else f"{shown[: 2 * _CONTEXT]} …"
        return f"\n{place.line:>5} | {cut}"
    return f"\n{_excerpt(place.label or str(place.line), source, place.column, place.width)}"


def _excerpt(label: str, line: str, column: int, width: int = 1) -> str:
    """Return a line after its label, cut around the column (from 1), with a caret below."""
    shown = line.expandtabs(1)
    if column > 2 * _CONTEXT:
        shown, column = f"… {shown[column - 1 - _CONTEXT :]}", _CONTEXT + 3
    if len(shown) > column + 2 * _CONTEXT:
        shown = f"{shown[: column + _CONTEXT]} …"
        width = min(width, _CONTEXT)
    before, wrong = shown[: column - 1], shown[column - 1 : column - 1 + width]
    caret = " " * _cells(before) + "^" * max(1, _cells(wrong))
    return f"{label:>5} | {shown}\n      | {caret}"
