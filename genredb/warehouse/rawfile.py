"""Raw files as bytes: how they are opened, their digest, and a stamp that changes when they do.

A build with nothing to do reads them by this alone.
"""

import hashlib
import io
import os
import time
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
        raise InputError(f"{path} is a folder, not a CSV file") from None
    except FileNotFoundError:
        cause = "is a broken link" if path.is_symlink() else "does not exist"
        raise InputError(f"{path} {cause}") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from None


def file_digest(path: Path) -> str:
    """Return the SHA-256 of the bytes that the file has now: a growing file might never end.

    A file that is asked for again is not read again unless it has changed.
    """
    with opened(path) as file:
        status = os.fstat(file.fileno())
        state = (path, stamp_of(status), status.st_ctime_ns)
        if state in _digests:
            return _digests[state]
        found = _digest(file, status.st_size)
    if time.time_ns() - status.st_ctime_ns > _SETTLED_NS:
        _digests[state] = found
    return found


def _digest(file: io.BufferedReader, size: int) -> str:
    sha = hashlib.sha256()
    while chunk := file.read(min(CHUNK_BYTES, size)):
        sha.update(chunk)
        size -= len(chunk)
    return sha.hexdigest()


def file_stamp(path: Path) -> tuple[int, int, int]:
    """Return a stamp that changes when the file does; InputError if the file cannot be read."""
    with opened(path) as file:
        return stamp_of(os.fstat(file.fileno()))


def stamp_of(status: os.stat_result) -> tuple[int, int, int]:
    """Return the stamp of a file with this status."""
    return status.st_ino, status.st_size, status.st_mtime_ns
