"""The ``genredb`` command: what must be settled before anything large is imported, then the command line."""

from __future__ import annotations

import io
import os
import signal
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn


def main() -> NoReturn:
    """Run the command line; Ctrl-C during the imports ends in silence."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _leave)
    _open_standard_streams()
    sys.stderr = io.TextIOWrapper(
        io.BufferedWriter(_Unheard(2, "w", closefd=False)),
        encoding=sys.stderr.encoding,
        errors=sys.stderr.errors,
        line_buffering=True,
    )
    from genredb.cli.app import main as run  # noqa: PLC0415 - it takes a while

    run()


class _Unheard(io.FileIO):
    """Takes what nobody reads any more: a build goes on though ``2>&1 | head`` has seen enough of it."""

    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except BrokenPipeError:
            return memoryview(data).nbytes


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
