"""Runs the command line in forks of one process that has imported it all: a real process, without its start-up.

Each call is a process of its own, with its streams, folder, environment, signals and exit code; only the imports,
which take most of a small command's time, are paid once. What Python reads at its start (``PYTHON…``, locale,
hash seed) is that of the process forked from.
"""

import atexit
import gc
import importlib
import json
import os
import pkgutil
import runpy
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, Self

# What commands import besides the modules of genredb, in functions.
LIBRARIES = "pandas pyarrow.parquet rich.console rich.table rich.progress sklearn.ensemble skops.io".split()

# A variable of the environment: forests have few trees.
FEW_TREES = "TESTS_FEW_TREES"


@dataclass(frozen=True)
class Ran:
    """What a command line did."""

    code: int
    out: str
    err: str


class ForkedCli:
    """Starts the process that is forked from; ends it when the context does."""

    def __enter__(self) -> Self:
        self._socket, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.forked_cli", str(theirs.fileno())],
                cwd=Path(__file__).resolve().parents[1],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
            )
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()
        self._process.wait()

    def run(self, arguments: Iterable[str], cwd: Path, env: Mapping[str, str], stdin: str) -> Ran:
        """Run ``genredb`` with the arguments; return what it did when its streams are closed."""
        request = json.dumps([list(arguments), str(cwd), dict(env)]).encode()
        (stdin_read, stdin_write), (out_read, out_write), (err_read, err_write) = (
            os.pipe() for _ in range(3)
        )
        given = [stdin_read, out_write, err_write]
        socket.send_fds(self._socket, [len(request).to_bytes(8)], given)
        self._socket.sendall(request)
        for descriptor in given:
            os.close(descriptor)
        process = int.from_bytes(_receive(self._socket, 8))
        try:
            with ThreadPoolExecutor(3) as pool:
                pool.submit(_write, stdin_write, stdin)
                out, err = pool.map(_read, (out_read, err_read))
        except BaseException:
            os.kill(process, signal.SIGKILL)
            raise
        finally:
            status = int.from_bytes(_receive(self._socket, 8))
        return Ran(os.waitstatus_to_exitcode(status), out, err)


def _read(descriptor: int) -> str:
    with os.fdopen(descriptor, encoding="utf-8") as stream:
        return stream.read()


def _write(descriptor: int, text: str) -> None:
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
    except BrokenPipeError:
        pass


def _receive(connection: socket.socket, size: int) -> bytes:
    received = b""
    while len(received) < size:
        part = connection.recv(size - len(received))
        if not part:
            raise EOFError
        received += part
    return received


def _serve(connection: socket.socket) -> None:
    """Fork for each request and tell its process and status; return in the fork, as the command it is to be."""
    while True:
        head, descriptors, _, _ = socket.recv_fds(connection, 8, 3)
        if not head:
            sys.exit()
        arguments, folder, environment = json.loads(_receive(connection, int.from_bytes(head)))
        process = os.fork()
        if not process:
            connection.close()
            for number, descriptor in enumerate(descriptors):
                os.dup2(descriptor, number)
                os.close(descriptor)
            os.chdir(folder)
            os.environ.clear()
            os.environ.update(environment)
            sys.argv[1:] = arguments
            return
        for descriptor in descriptors:
            os.close(descriptor)
        connection.sendall(process.to_bytes(8))
        connection.sendall(os.waitpid(process, 0)[1].to_bytes(8))


def _import_all() -> None:
    import genredb

    for module in pkgutil.walk_packages(genredb.__path__, "genredb."):
        if module.name not in ("genredb.__main__", "genredb.mcp.server"):
            importlib.import_module(module.name)
    for name in LIBRARIES:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()


def few_trees_of(forest: Callable[..., Any]) -> Callable[..., Any]:
    """The same forest of ten trees."""
    return lambda songs: forest(songs).set_params(n_estimators=10)


def _end(code: int) -> NoReturn:
    """End as Python would, without taking apart what was imported, which takes longer than most commands."""
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    os._exit(code)


if __name__ == "__main__":
    _import_all()
    _serve(socket.socket(fileno=int(sys.argv[1])))
    if os.environ.pop(FEW_TREES, ""):
        from genredb.songs.learn import classifiers

        classifiers._forest = few_trees_of(classifiers._forest)
    try:
        runpy.run_module("genredb", run_name="__main__", alter_sys=True)
    except SystemExit as end:
        _end(int(end.code or 0))
