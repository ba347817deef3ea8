"""Turns signals that end a command into exceptions, so that `finally` blocks remove unfinished files."""

import signal
import time


class InterruptedBySignal(BaseException):
    """Raised when a signal arrives."""


# The signals received: DuckDB turns an exception raised during a query into an error of its own.
arrived: list[int] = []

# One Ctrl-C may arrive several times: `timeout` signals its child and then the group.
_ONE_PRESS_S = 0.5
_last_s = 0.0


def listen() -> None:
    """Make SIGINT and SIGTERM raise InterruptedBySignal."""
    signal.signal(signal.SIGINT, _interrupt)
    signal.signal(signal.SIGTERM, _interrupt)


def ignore_the_rest() -> None:
    """Ignore further interrupts, so that the command can finish."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _interrupt(number: int, _frame: object) -> None:
    global _last_s
    now_s = time.monotonic()
    is_repeat, _last_s = bool(arrived) and now_s - _last_s < _ONE_PRESS_S, now_s
    arrived.append(number)
    if not is_repeat:
        raise InterruptedBySignal
