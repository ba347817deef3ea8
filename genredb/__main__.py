"""The ``genredb`` command: sets up signals and streams before anything large is imported."""

from __future__ import annotations

import io
import os
import signal
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn


def main() -> NoReturn:
    """Run the command line; Ctrl-C during the imports exits silently."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _leave)
    _open_standard_streams()
    sys.stderr = io.TextIOWrapper(
        io.BufferedWriter(_PipeSafeOutput(2, "w", closefd=False)),
        encoding=sys.stderr.encoding,
        errors=sys.stderr.errors,
        line_buffering=True,
    )
    from genredb.cli.app import main as run  # noqa: PLC0415 - it takes a while

    run()


class _PipeSafeOutput(io.FileIO):
    """Discards output that nobody reads any more, so that ``2>&1 | head`` does not stop a build."""

    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except BrokenPipeError:
            return memoryview(data).nbytes


def _leave(number: int, _frame: object) -> NoReturn:
    os._exit(128 + number)


def _open_standard_streams() -> None:
    """Open /dev/null for each closed standard stream, so that no other file gets its descriptor."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            descriptor = os.open(os.devnull, os.O_RDWR)
            if descriptor != number:
                os.dup2(descriptor, number)
                os.close(descriptor)
            setattr(sys, name, os.fdopen(number, "w" if number else "r", encoding="utf-8", closefd=False))


if __name__ == "__main__":
    main()
