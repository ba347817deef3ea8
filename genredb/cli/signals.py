"""Signals that end a command become exceptions, so that `finally` blocks remove what is half-made."""

import signal
from typing import NoReturn


class InterruptedBySignal(BaseException):
    """Raised where a signal arrives."""


# Those that arrived: DuckDB turns what is raised in the middle of a query into an error of its own.
arrived: list[int] = []


def listen() -> None:
    """Let SIGINT and SIGTERM raise."""
    signal.signal(signal.SIGINT, _interrupt)
    signal.signal(signal.SIGTERM, _interrupt)


def _interrupt(number: int, _frame: object) -> NoReturn:
    arrived.append(number)
    raise InterruptedBySignal
