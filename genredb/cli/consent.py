"""Asks for confirmation on a terminal before a large change that the user did not request."""

import sys
from collections.abc import Callable
from typing import TypeVar

import typer

from genredb.errors import ConsentError

T = TypeVar("T")


def with_consent(run: Callable[[frozenset[str]], T]) -> T:
    """Run with the options confirmed so far; ConsentError if there is no terminal to ask on."""
    given: frozenset[str] = frozenset()
    while True:
        try:
            return run(given)
        except ConsentError as error:
            if error.option in given or not (sys.stdin.isatty() and sys.stderr.isatty()):
                raise
            typer.confirm(f"{error}\nContinue as with {error.option}?", abort=True, err=True)
            given |= {error.option}
