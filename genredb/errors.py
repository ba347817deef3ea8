"""The one family of errors: what went wrong, where, the valid choices, and the cure.

Every error that a user can cause is a :class:`GenredbError`. The command line prints its message
without a traceback and exits with its ``exit_code``; a Python caller catches the class it cares for.
"""

import contextlib
import difflib
import unicodedata
from collections.abc import Iterable, Iterator
from typing import ClassVar

# What a message may take up, in letters of a line and in lines.
_LONGEST, _MOST_LINES = 600, 100
# How much of a line is quoted on either side of what is wrong in it.
_AROUND = 100


class GenredbError(Exception):
    """Any error that genredb explains in a sentence; ``exit_code`` is what the command line returns."""

    exit_code: ClassVar[int] = 3

    def __init__(self, message: str = "") -> None:
        super().__init__(_bounded(message))


def _bounded(message: str) -> str:
    """Return a message that fits a screen, however long the input is that it quotes."""
    lines = message.split("\n")
    if len(lines) > _MOST_LINES:
        lines = [*lines[:_MOST_LINES], f"… and {len(lines) - _MOST_LINES} lines more"]
    return "\n".join(
        line if len(line) <= _LONGEST else f"{line[: _LONGEST - 200]} … {line[-200:]}" for line in lines
    )


class UsageError(GenredbError):
    """The command was called with a name, option or value that does not exist."""

    exit_code = 2


class ConsentError(UsageError):
    """Something large would be done that nobody asked for; ``what`` says so, ``option`` asks for it."""

    def __init__(self, what: str, cure: str, option: str) -> None:
        super().__init__(f"{what}; {cure}.")
        self.what = what
        self.option = option


class ProjectError(GenredbError):
    """A file of the project (yml, SQL, macro, seed) is wrong or missing."""


class SqlError(ProjectError):
    """SQL that the database refuses. ``offset`` is where in ``sql``, in characters, if it says so."""

    def __init__(self, message: str, sql: str = "", offset: int | None = None, width: int = 1) -> None:
        super().__init__(message)
        self.sql = sql
        self.offset = offset
        self.width = width


class ProjectErrors(ProjectError):  # noqa: N818 - several of them
    """Several files of the project are wrong; ``errors`` are the sentences, one for each fault."""

    def __init__(self, errors: Iterable[str]) -> None:
        self.errors = tuple(dict.fromkeys(errors))
        super().__init__("\n".join(self.errors))


class Problems:
    """Gathers the errors of a project while it is read, so that its author sees all of them at once."""

    def __init__(self) -> None:
        self._errors: list[str] = []

    @contextlib.contextmanager
    def gathered(self) -> Iterator[None]:
        """Keep a ProjectError that is raised inside for later."""
        try:
            yield
        except ProjectErrors as error:
            self._errors += error.errors
        except ProjectError as error:
            self._errors.append(str(error))

    def add(self, error: str) -> None:
        """Keep an error for later."""
        self._errors.append(error)

    def raise_all(self) -> None:
        """Raise what was gathered, if anything was: one ProjectError, or all in a ProjectErrors."""
        if len(self._errors) == 1:
            raise ProjectError(self._errors[0])
        if self._errors:
            raise ProjectErrors(self._errors)


class InputError(GenredbError):
    """A raw input file cannot be read, or an export cannot be valid."""


class ResourceError(GenredbError):
    """The machine lacks what is needed, or refuses it: room on a disk, memory, a permission."""


class QueryTimeoutError(GenredbError):
    """A query was ended because it took too long."""

    exit_code = 4


class DatabaseLockedError(GenredbError):
    """Another process writes to the database."""

    exit_code = 5


class DatabaseCorruptError(GenredbError):
    """The database file is damaged, or nothing that this version of DuckDB reads."""

    exit_code = 6


def did_you_mean(name: str, choices: Iterable[str]) -> str:
    """Return `` Did you mean 'x'?`` for the nearest choice, else the list of choices, else nothing.

    The result begins with a space, so that it can be appended to a sentence.
    """
    known = sorted(set(choices))
    last_parts = {choice.rpartition(".")[2]: choice for choice in known}
    close = difflib.get_close_matches(name, known, n=1)
    if not close:  # perhaps of another schema, or of one that was left out
        parts = difflib.get_close_matches(name.rpartition(".")[2], last_parts, n=1)
        close = [last_parts[part] for part in parts]
    if close:
        return f" Did you mean '{close[0]}'?"
    if known:
        shown = ", ".join(known[:12]) + (", …" if len(known) > 12 else "")
        return f" There are: {shown}."
    return ""


def _cells(text: str) -> int:
    """Return how many cells of a terminal a text takes."""
    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in text)
    return len(text) + wide - sum(unicodedata.combining(letter) > 0 for letter in text)


def quoted(place: tuple[str, int, int | None], text: str, message: str, width: int = 1) -> str:
    """Return ``path:line:column: message`` with the line quoted and, where the column is known, a caret.

    ``place`` is path, line and column (both from 1); ``width`` is that of what is wrong there.
    """
    path, line, column = place
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    source = lines[line - 1] if 0 < line <= len(lines) else ""
    if not source.strip():
        return f"{path}:{line}: {message}"
    if column is None:
        shown = source.expandtabs(1)
        cut = shown if len(shown) <= 2 * _AROUND else f"{shown[: 2 * _AROUND]} …"
        return f"{path}:{line}: {message}\n{line:>5} | {cut}"
    return f"{path}:{line}:{column}: {message}\n{excerpt(str(line), source, column, width)}"


def excerpt(label: str, line: str, column: int, width: int = 1) -> str:
    """Return a line of a text behind its label, cut around the column (from 1), and a caret below it."""
    shown = line.expandtabs(1)
    if column > 2 * _AROUND:
        shown, column = f"… {shown[column - 1 - _AROUND :]}", _AROUND + 3
    if len(shown) > column + 2 * _AROUND:
        shown = f"{shown[: column + _AROUND]} …"
        width = min(width, _AROUND)
    before, wrong = shown[: column - 1], shown[column - 1 : column - 1 + width]
    caret = " " * _cells(before) + "^" * max(1, _cells(wrong))
    return f"{label:>5} | {shown}\n      | {caret}"
