"""Serves the report's folder to browsers of this machine."""

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

HOST = "127.0.0.1"
FIRST_PORT, PORTS = 8000, 100


class _Silent(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Write no line for each request."""

    def end_headers(self) -> None:
        """Let a browser ask again after the report was written anew."""
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()


@contextmanager
def server_of(folder: Path) -> Iterator[ThreadingHTTPServer]:
    """Yield a server of a folder's files, on the first free port from 8000; ``serve_forever`` runs it."""
    handler = functools.partial(_Silent, directory=str(folder.resolve()))
    with _bound(handler) as server:
        yield server


def address_of(server: ThreadingHTTPServer) -> str:
    """Return where a browser finds the server."""
    return f"http://{HOST}:{server.server_port}/"


def _bound(handler: functools.partial[_Silent]) -> ThreadingHTTPServer:
    for port in range(FIRST_PORT, FIRST_PORT + PORTS):
        try:
            return ThreadingHTTPServer((HOST, port), handler)
        except OSError:  # another program has it
            continue
    return ThreadingHTTPServer((HOST, 0), handler)
