"""Signals that end a command become exceptions, so that `finally` blocks remove what is half-made."""

import signal
import time


class InterruptedBySignal(BaseException):
    """Raised where a signal arrives."""


# Those that arrived: DuckDB turns what is raised in the middle of a query into an error of its own.
arrived: list[int] = []

# One press of Ctrl-C may arrive several times: `timeout` signals its child and then the group.
_ONE_PRESS_S = 0.5
_last_s = 0.0


def listen() -> None:
    """Let SIGINT and SIGTERM raise."""
    signal.signal(signal.SIGINT, _interrupt)
    signal.signal(signal.SIGTERM, _interrupt)


def ignore_the_rest() -> None:
    """Let what is nearly over come to its end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _interrupt(number: int, _frame: object) -> None:
    global _last_s
    now_s = time.monotonic()
    is_repeat, _last_s = bool(arrived) and now_s - _last_s < _ONE_PRESS_S, now_s
    arrived.append(number)
    if not is_repeat:
        raise InterruptedBySignal
