"""The one family of errors: what went wrong, where, the valid choices, and the cure.

Every error that a user can cause is a :class:`GenredbError`. The command line prints its message
without a traceback and exits with its ``exit_code``; a Python caller catches the class it cares for.
"""

import difflib
from collections.abc import Iterable
from typing import ClassVar


class GenredbError(Exception):
    """Any error that genredb explains in a sentence; ``exit_code`` is what the command line returns."""

    exit_code: ClassVar[int] = 3


class UsageError(GenredbError):
    """The command was called with a name, option or value that does not exist."""

    exit_code = 2


class ProjectError(GenredbError):
    """A file of the project (yml, SQL, macro, seed) is wrong or missing."""


class InputError(GenredbError):
    """A raw input file cannot be read, or an export cannot be valid."""


class DatabaseLockedError(GenredbError):
    """Another process writes to the database."""

    exit_code = 5


class DatabaseCorruptError(GenredbError):
    """The database file is damaged or is no DuckDB file."""

    exit_code = 6


def did_you_mean(name: str, choices: Iterable[str]) -> str:
    """Return `` Did you mean 'x'?`` for the nearest choice, else the list of choices, else nothing.

    The result begins with a space, so that it can be appended to a sentence.
    """
    known = sorted(set(choices))
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    if close:
        return f" Did you mean '{close[0]}'?"
    if known:
        shown = ", ".join(known[:12]) + (", …" if len(known) > 12 else "")
        return f" There are: {shown}."
    return ""
