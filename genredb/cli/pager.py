"""Sends output through a pager if it does not fit on one screen."""

import contextlib
import io
import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import BinaryIO


class _Paged(io.RawIOBase):
    """Buffers output until it exceeds one screen, then starts the pager."""

    def __init__(self, command: list[str]) -> None:
        self._command = command
        self._held = bytearray()
        self._pager: subprocess.Popen[bytes] | None = None
        self._screen = shutil.get_terminal_size().lines

    def writable(self) -> bool:
        return True

    def write(self, content: bytes) -> int:  # type: ignore[override]
        """Write bytes; raises BrokenPipeError once the user has left the pager."""
        if self._pager is None:
            self._held += content
            if self._held.count(b"\n") >= self._screen:
                environment = {"LESS": "-SRFX"} | dict(os.environ)
                self._pager = subprocess.Popen(self._command, stdin=subprocess.PIPE, env=environment)
                self._to_pager(bytes(self._held))
        else:
            self._to_pager(content)
        return len(content)

    def finish(self) -> None:
        """Print the buffered output, or wait until the user leaves the pager."""
        if self._pager is None:
            sys.stdout.buffer.write(self._held)
            sys.stdout.flush()
            return
        handler = signal.signal(signal.SIGINT, signal.SIG_IGN)  # the pager handles it
        try:
            with contextlib.suppress(BrokenPipeError):
                self._pager.communicate()
        finally:
            signal.signal(signal.SIGINT, handler)

    def _to_pager(self, content: bytes) -> None:
        if self._pager is not None and self._pager.stdin is not None:
            self._pager.stdin.write(content)


def _command() -> list[str]:
    try:
        return shlex.split(os.environ.get("PAGER", "less"))
    except ValueError:  # an unclosed quote
        return []


@contextlib.contextmanager
def paged() -> Iterator[BinaryIO]:
    """Yield a stream that prints its bytes, through ``$PAGER`` (default: less) if they exceed one screen.

    Without a terminal or a pager they are printed directly.
    """
    command = _command()
    has_pager = bool(command) and shutil.which(command[0]) is not None
    if not (has_pager and sys.stdin.isatty() and sys.stdout.isatty()):
        yield sys.stdout.buffer
        sys.stdout.flush()
        return
    stream = _Paged(command)
    try:
        with contextlib.suppress(BrokenPipeError):
            yield stream  # type: ignore[misc]
    finally:
        stream.finish()
