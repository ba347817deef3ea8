"""The ``genredb`` command: what must be settled before anything large is imported, then the command line."""

from __future__ import annotations

import os
import signal
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn


def main() -> NoReturn:
    """Run the command line; Ctrl-C during the imports ends in silence."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _leave)
    _open_standard_streams()
    from genredb.cli.app import main as run  # noqa: PLC0415 - it takes a while

    run()


def _leave(number: int, _frame: object) -> NoReturn:
    os._exit(128 + number)


def _open_standard_streams() -> None:
    """Let /dev/null stand in for each standard stream that is closed, so that no file takes its place."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            descriptor = os.open(os.devnull, os.O_RDWR)
            if descriptor != number:
                os.dup2(descriptor, number)
                os.close(descriptor)
            setattr(sys, name, os.fdopen(number, "w" if number else "r", encoding="utf-8", closefd=False))


if __name__ == "__main__":
    main()
