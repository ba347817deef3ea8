"""Asks on a terminal before something large is done that was not asked for."""

import sys
from collections.abc import Callable
from typing import TypeVar

import typer

from genredb.errors import ConsentError

T = TypeVar("T")


def with_consent(run: Callable[[frozenset[str]], T]) -> T:
    """Run with the options that were agreed to, none at first; ConsentError where there is nobody to ask."""
    given: frozenset[str] = frozenset()
    while True:
        try:
            return run(given)
        except ConsentError as error:
            if error.option in given or not (sys.stdin.isatty() and sys.stderr.isatty()):
                raise
            typer.confirm(f"{error}\nContinue as with {error.option}?", abort=True, err=True)
            given |= {error.option}
