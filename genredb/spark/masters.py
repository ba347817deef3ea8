"""Spark's masters: which are supported, and whether one answers."""

import re
import socket
import time
from collections.abc import Sequence

from genredb.errors import ResourceError

_PATIENCE_SECONDS = 10
_MOST_PORT = 65535
_LOCAL = re.compile(r"local(\[(\*|[1-9]\d*)(, *\d+)?\])?|local-cluster\[[1-9]\d*(, *[1-9]\d*){2}\]", re.ASCII)
_CURE = "name one such as local[4] or spark://host:7077"


def refuse_absent(master: str) -> None:
    """Raise ResourceError for what is no master, or if a standalone one does not answer in a while.

    Spark would try for a minute.
    """
    if _LOCAL.fullmatch(master):
        return
    hosts = [place.rpartition(":") for place in master.removeprefix("spark://").split(",")]
    if not master.startswith("spark://") or not all(host and _is_port(port) for host, _, port in hosts):
        raise ResourceError(f"Spark does not start on {master}: this is no master", cure=_CURE)
    _await_one([(host, int(port)) for host, _, port in hosts], master)


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and 0 < int(text) <= _MOST_PORT


def _await_one(hosts: Sequence[tuple[str, int]], master: str) -> None:
    patient_until = time.monotonic() + _PATIENCE_SECONDS
    while causes := [cause for host, port in hosts if (cause := _silence(host, port))]:
        if len(causes) < len(hosts):
            return
        if time.monotonic() > patient_until:
            what = f"Spark does not start on {master}: no master answers ({'; '.join(causes)})"
            raise ResourceError(what, cure="see that it runs")
        time.sleep(0.5)


def _silence(host: str, port: int) -> str:
    """Return why nothing answers at a port, empty if something does."""
    try:
        socket.create_connection((host.strip("[]"), port), timeout=_PATIENCE_SECONDS).close()
    except OSError as error:
        return f"{host}:{port}: {error.strerror or error}"
    return ""
