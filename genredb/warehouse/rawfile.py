"""Raw files as bytes: how they are opened, their digest, and a stamp that changes when they do.

A build with nothing to do reads them by this alone.
"""

import hashlib
import io
import os
import time
from dataclasses import dataclass
from pathlib import Path

from genredb.errors import InputError

CHUNK_BYTES = 1 << 18
# Two changes within a tick of the file system's clock look like one, so a digest of a new state is not kept.
_SETTLED_NS = 2_000_000_000
_digests: dict[tuple[Path, tuple[int, int, int], int], str] = {}


def opened(path: Path) -> io.BufferedReader:
    """Open a regular file or a link to one; raise InputError, with the cause, if that fails."""
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise InputError(f"{path} is not a regular file")
    try:
        return path.open("rb")
    except IsADirectoryError:
        raise InputError(
            f"{path} is a folder, not a file", cure="move its files into the raw folder"
        ) from None
    except FileNotFoundError:
        cause = "is a broken link" if path.is_symlink() else "does not exist"
        raise InputError(f"{path} {cause}") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from None


@dataclass(frozen=True)
class Prefix:
    """The first ``size`` bytes of a file: their SHA-256, the number of line feeds, the last byte."""

    size: int
    sha256: str
    lines: int
    last: bytes


@dataclass(frozen=True)
class Held:
    """What a raw table holds of a file: its first bytes and their records; all of it if ``prefix`` is None.

    ``size`` is that of the whole file now.
    """

    size: int
    records: int
    prefix: Prefix | None


@dataclass(frozen=True)
class Span:
    """Records of a file that lie together: its bytes from ``start`` to ``end``.

    ``lines`` and ``records`` are those before them. ``size`` and ``sha256`` are those of the whole file, the
    digest empty if it is not known.
    """

    start: int
    end: int
    size: int
    lines: int
    records: int = 0
    sha256: str = ""


def file_digest(path: Path) -> str:
    """Return the SHA-256 of the bytes that the file has now: a growing file might never end.

    A file that is asked for again is not read again unless it has changed.
    """
    with opened(path) as file:
        known = _digests.get(_state(path, file))
    return known or file_digests(path, 0)[0]


def file_digests(path: Path, size: int) -> tuple[str, Prefix]:
    """Return the SHA-256 of the bytes that the file has now, and its first ``size`` bytes, in one pass."""
    sha = hashlib.sha256()
    with opened(path) as file:
        state, end = _state(path, file), os.fstat(file.fileno()).st_size
        prefix = _prefix(file, sha, min(size, end))
        left = end - prefix.size
        while chunk := file.read(min(CHUNK_BYTES, left)):
            sha.update(chunk)
            left -= len(chunk)
    if time.time_ns() - state[2] > _SETTLED_NS:
        _digests[state] = sha.hexdigest()
    return sha.hexdigest(), prefix


def _state(path: Path, file: io.BufferedReader) -> tuple[Path, tuple[int, int, int], int]:
    status = os.fstat(file.fileno())
    return path, stamp_of(status), status.st_ctime_ns


def _prefix(file: io.BufferedReader, sha: "hashlib._Hash", size: int) -> Prefix:
    left, lines, last = size, 0, b""
    while chunk := file.read(min(CHUNK_BYTES, left)):
        sha.update(chunk)
        lines += chunk.count(b"\n")
        left, last = left - len(chunk), chunk[-1:]
    return Prefix(size - left, sha.hexdigest(), lines, last)


def file_stamp(path: Path) -> tuple[int, int, int]:
    """Return a stamp that changes when the file does; InputError if the file cannot be read."""
    with opened(path) as file:
        return stamp_of(os.fstat(file.fileno()))


def stamp_of(status: os.stat_result) -> tuple[int, int, int]:
    """Return the stamp of a file with this status."""
    return status.st_ino, status.st_size, status.st_mtime_ns
