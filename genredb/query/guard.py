"""Runs a task in a process of its own that can always be ended: by its limits, or from outside.

DuckDB can be told to stop, but not in the middle of a function over one huge value; a process can be killed
at any moment. What the task writes comes through a pipe, so that the process itself may write no file at all.
"""

import contextlib
import io
import json
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NoReturn, cast

from genredb.errors import (
    DatabaseCorruptError,
    DatabaseLockedError,
    GenredbError,
    QueryTimeoutError,
    UsageError,
)

_CHUNK = 1 << 20
_GLANCE = 0.02  # seconds between two looks at the process
_WARY = 7 / 8  # of its memory: it may take more between two looks
_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 0
_ENDING = (signal.SIGINT, signal.SIGTERM)

_ERRORS = {
    error.exit_code: error
    for error in (GenredbError, UsageError, QueryTimeoutError, DatabaseLockedError, DatabaseCorruptError)
}


@dataclass(frozen=True)
class Limits:
    """What a task may take: ``seconds`` of wall time (None for any), and bytes of ``memory`` (None for any).

    It is ended a little before it has taken all of its memory; the time that a reader takes does not count.
    """

    seconds: float | None = 60.0
    memory: int | None = 2 << 30
    may_write_files: bool = False


def run_guarded(
    task: Callable[[BinaryIO], Any],
    write: Callable[[bytes], Any],
    limits: Limits,
    wait: Callable[[], None] = lambda: None,
) -> Any:
    """Run ``task`` on a stream whose bytes ``write`` is given; return its result, which JSON must hold.

    ``wait`` is called again and again until it is done. Raises the task's own GenredbError, QueryTimeoutError
    when its time is over, UsageError when it takes too much memory.
    """
    if not hasattr(os, "fork"):  # Windows: unguarded
        return task(cast(BinaryIO, _Unguarded(write)))
    sys.stdout.flush()
    sys.stderr.flush()
    data, child_data = os.pipe()
    report, child_report = os.pipe()
    child_life, life = os.pipe()
    # A signal must not reach the new process while it still has this one's ways to take it.
    signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
    try:
        process = os.fork()
        if process == 0:
            for end in (data, report, life):
                os.close(end)
            threading.Thread(target=_end_with, args=[child_life], daemon=True).start()
            _run(task, child_data, child_report, limits)
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)
    for end in (child_data, child_report, child_life):
        os.close(end)
    is_over = False
    try:
        said = _pass_on(process, {data: write, report: None}, limits, wait)
        _, status = os.waitpid(process, 0)
        is_over = True
    finally:
        for end in (data, report, life):
            os.close(end)
        if not is_over:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)
    return _result(said, status, limits)


def _end_with(life: int) -> None:
    """End this process as soon as the other end of a pipe is gone: with the process that waits for it."""
    os.read(life, 1)
    os._exit(1)


class _Unguarded(io.RawIOBase):
    """A stream whose bytes a function is given."""

    def __init__(self, write: Callable[[bytes], Any]) -> None:
        self._write = write

    def writable(self) -> bool:
        return True

    def write(self, content: Any) -> int:
        """Pass the bytes on."""
        self._write(bytes(content))
        return len(content)


def _run(task: Callable[[BinaryIO], Any], data: int, report: int, limits: Limits) -> NoReturn:
    """Be the guarded process."""
    code = 0
    try:
        for number in _ENDING:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)
        _set_limits(limits)
        try:
            with open(data, "wb", buffering=_CHUNK) as stream:
                said = {"result": task(stream)}
        except GenredbError as error:
            said = {"error": str(error), "exit_code": error.exit_code}
        except MemoryError:
            said = {"error": _too_much(limits), "exit_code": UsageError.exit_code}
        os.write(report, json.dumps(said).encode())
    except BrokenPipeError:
        pass
    except BaseException as error:  # noqa: BLE001 - nothing may go back into the other process's code
        code = 1
        os.write(report, json.dumps({"bug": f"{type(error).__name__}: {error}"}).encode())
    os._exit(code)


def _set_limits(limits: Limits) -> None:
    import resource  # noqa: PLC0415 - Windows has none, nor what comes here

    stated = {resource.RLIMIT_CORE: 0}
    if not limits.may_write_files:
        os.environ["JOBLIB_MULTIPROCESSING"] = "0"  # else it tries to write a file, and warns
        stated[resource.RLIMIT_FSIZE] = 0
    if limits.seconds is not None:
        stated[resource.RLIMIT_CPU] = int(limits.seconds * (os.cpu_count() or 1)) + 2
    if limits.memory is not None and sys.platform == "linux":  # elsewhere it counts what is only reserved
        stated[resource.RLIMIT_DATA] = limits.memory
    for what, most in stated.items():
        with contextlib.suppress(ValueError, OSError):  # a lower one is set already
            resource.setrlimit(what, (most, most))


def _pass_on(
    process: int,
    pipes: dict[int, Callable[[bytes], Any] | None],
    limits: Limits,
    wait: Callable[[], None],
) -> bytes:
    """Pass on what comes out of the pipes until they end; return what came out of the one without a taker."""
    deadline = None if limits.seconds is None else time.monotonic() + limits.seconds
    said = b""
    waiting = dict(pipes)
    while waiting:
        ready, _, _ = select.select(list(waiting), [], [], _GLANCE)
        for pipe in ready:
            chunk = os.read(pipe, _CHUNK)
            take = waiting[pipe]
            if not chunk:
                del waiting[pipe]
            elif take is None:
                said += chunk
            else:
                before = time.monotonic()
                take(chunk)
                if deadline is not None:  # whoever reads may take their time
                    deadline += time.monotonic() - before
        if deadline is not None and time.monotonic() > deadline:
            raise _timed_out(limits)
        if limits.memory is not None and _resident(process) > _WARY * limits.memory:
            raise UsageError(_too_much(limits))
        wait()
    return said


def _resident(process: int) -> int:
    """Return the bytes of memory that a process holds; 0 where the system does not say."""
    try:
        return int(Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()[1]) * _PAGE
    except (OSError, IndexError, ValueError):
        return 0


def _result(said: bytes, status: int, limits: Limits) -> Any:
    content = json.loads(said) if said else {}
    if "result" in content:
        return content["result"]
    if "error" in content:
        raise _ERRORS[content["exit_code"]](content["error"])
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU:
        raise _timed_out(limits)
    if os.WIFSIGNALED(status) and limits.memory is not None:
        raise UsageError(_too_much(limits))
    if os.WIFSIGNALED(status):
        raise UsageError(f"The query was ended by signal {os.WTERMSIG(status)}, perhaps for want of memory.")
    raise RuntimeError(content.get("bug", "the query's process ended without a word"))


def _timed_out(limits: Limits) -> QueryTimeoutError:
    return QueryTimeoutError(
        f"The query was ended after {limits.seconds:g} seconds; --timeout gives it more."
    )


def _too_much(limits: Limits) -> str:
    if limits.memory is None:
        return "There is not enough memory for the query; ask for less at once."
    memory = limits.memory >> 20
    return (
        f"The query was ended because it used up its {memory:,} MiB of memory; "
        "ask for less at once, or let it take any by --trusted."
    )
