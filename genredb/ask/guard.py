"""Runs a task in a separate process that can always be stopped, by its limits or from outside.

DuckDB can be interrupted, but not within a function on one huge value; a process can be killed at any
moment. The task's output comes through a pipe, so the process itself needs no permission to write files.
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
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO, NoReturn, cast

from genredb.errors import (
    DatabaseCorruptError,
    DatabaseLockedError,
    GenredbError,
    Place,
    ProjectError,
    ProjectErrors,
    QueryTimeoutError,
    UsageError,
)

_CHUNK = 1 << 20
_POLL_SECONDS = 0.02  # between two checks of the process
_MEMORY_SHARE = 7 / 8  # of the limit: it may allocate more between two checks
_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 0
_ENDING = (signal.SIGINT, signal.SIGTERM)

_ERRORS = {
    error.exit_code: error
    for error in (GenredbError, UsageError, QueryTimeoutError, DatabaseLockedError, DatabaseCorruptError)
}


@dataclass(frozen=True)
class Limits:
    """The limits of a task: ``seconds`` of wall time and bytes of ``memory``, None for no limit.

    The task is stopped shortly before it uses all its memory; time spent by the reader does not count.
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
    """Run ``task`` with a stream whose bytes are passed to ``write``; return its result, which must fit JSON.

    ``wait`` is called repeatedly until the task is done. Raises the task's own GenredbError,
    QueryTimeoutError if it exceeds the time limit, UsageError if it exceeds the memory limit.
    """
    if not hasattr(os, "fork"):  # Windows: unguarded
        return task(cast(BinaryIO, _Unguarded(write)))
    sys.stdout.flush()
    sys.stderr.flush()
    data, child_data = os.pipe()
    report, child_report = os.pipe()
    child_life, life = os.pipe()
    # A signal must not reach the new process while it still has this process's handlers.
    signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
    try:
        process = os.fork()
        if process == 0:
            for end in (data, report, life):
                os.close(end)
            threading.Thread(target=_exit_with_parent, args=[child_life], daemon=True).start()
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


def _exit_with_parent(life: int) -> None:
    """Exit as soon as the other end of a pipe is closed, that is, when the parent process is gone."""
    os.read(life, 1)
    os._exit(1)


class _Unguarded(io.RawIOBase):
    """A stream that passes its bytes to a function."""

    def __init__(self, write: Callable[[bytes], Any]) -> None:
        self._write = write

    def writable(self) -> bool:
        return True

    def write(self, content: Any) -> int:
        """Pass the bytes on."""
        self._write(bytes(content))
        return len(content)


def _run(task: Callable[[BinaryIO], Any], data: int, report: int, limits: Limits) -> NoReturn:
    """Run the task in the guarded process and exit."""
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
            said = {"error": _as_json(error)}
        except MemoryError:
            said = {"error": _as_json(_out_of_memory(limits))}
        os.write(report, json.dumps(said).encode())
    except BrokenPipeError:
        pass
    except BaseException as error:  # noqa: BLE001 - no exception may reach the parent's code
        code = 1
        os.write(report, json.dumps({"bug": f"{type(error).__name__}: {error}"}).encode())
    os._exit(code)


def _set_limits(limits: Limits) -> None:
    import resource  # noqa: PLC0415 - Windows has none and does not get here

    stated = {resource.RLIMIT_CORE: 0}
    if not limits.may_write_files:
        os.environ["JOBLIB_MULTIPROCESSING"] = "0"  # otherwise joblib tries to write a file and warns
        stated[resource.RLIMIT_FSIZE] = 0
    if limits.seconds is not None:
        stated[resource.RLIMIT_CPU] = int(limits.seconds * (os.cpu_count() or 1)) + 2
    if limits.memory is not None and sys.platform == "linux":  # elsewhere it also counts reserved memory
        stated[resource.RLIMIT_DATA] = limits.memory
    for what, most in stated.items():
        with contextlib.suppress(ValueError, OSError):  # a lower limit is already set
            resource.setrlimit(what, (most, most))


def _pass_on(
    process: int,
    pipes: dict[int, Callable[[bytes], Any] | None],
    limits: Limits,
    wait: Callable[[], None],
) -> bytes:
    """Pass on the content of the pipes until they end; return that of the pipe mapped to None."""
    deadline = None if limits.seconds is None else time.monotonic() + limits.seconds
    said = b""
    waiting = dict(pipes)
    while waiting:
        ready, _, _ = select.select(list(waiting), [], [], _POLL_SECONDS)
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
                if deadline is not None:  # the reader's time does not count
                    deadline += time.monotonic() - before
        if deadline is not None and time.monotonic() > deadline:
            raise _timed_out(limits)
        if limits.memory is not None and _resident(process) > _MEMORY_SHARE * limits.memory:
            raise _out_of_memory(limits)
        wait()
    return said


def _resident(process: int) -> int:
    """Return the resident memory of a process in bytes; 0 if the system does not report it."""
    try:
        return int(Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()[1]) * _PAGE
    except (OSError, IndexError, ValueError):
        return 0


def _result(said: bytes, status: int, limits: Limits) -> Any:
    content = json.loads(said) if said else {}
    if "result" in content:
        return content["result"]
    if "error" in content:
        raise _restored(content["error"])
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU:
        raise _timed_out(limits)
    if os.WIFSIGNALED(status) and limits.memory is not None:
        raise _out_of_memory(limits)
    if os.WIFSIGNALED(status):
        raise UsageError(
            f"The query was killed by signal {os.WTERMSIG(status)}, perhaps because memory ran out"
        )
    raise RuntimeError(content.get("bug", "the query's process exited without reporting an error"))


def _as_json(error: GenredbError) -> dict[str, Any]:
    """Return an error as JSON values, from which the parent process restores it."""
    parts = [
        {"what": e.what, "place": asdict(e.place), "cure": e.cure, "name": e.name, "choices": e.choices}
        for e in error.each()
    ]
    return {"exit_code": error.exit_code, "occasion": error.occasion, "errors": parts}


def _restored(found: dict[str, Any]) -> GenredbError:
    """Return the error, of the class with the same exit code, or several as ProjectErrors."""
    stated = [parts | {"place": Place(**parts["place"])} for parts in found["errors"]]
    error: GenredbError
    if len(stated) == 1:
        error = _ERRORS[found["exit_code"]](**stated[0])
    else:
        error = ProjectErrors(ProjectError(**parts) for parts in stated)
    error.occasion = found["occasion"]
    return error


def _timed_out(limits: Limits) -> QueryTimeoutError:
    return QueryTimeoutError(
        f"The query timed out after {limits.seconds:g} s", cure="raise the limit with --timeout"
    )


def _out_of_memory(limits: Limits) -> UsageError:
    if limits.memory is None:
        return UsageError("The query ran out of memory", cure="select fewer rows or columns")
    return UsageError(
        f"The query exceeded its memory limit of {limits.memory >> 20:,} MiB",
        cure="select fewer rows or columns, or raise --memory-limit",
    )
