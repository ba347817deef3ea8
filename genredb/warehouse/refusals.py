"""Recognises missing resources (disk space, memory, permission) in the system's and DuckDB's errors."""

import errno
import os
import re

import duckdb

from genredb.errors import ResourceError

_CURES = {
    errno.ENOSPC: "free some space and try again",
    errno.EDQUOT: "free some space and try again",
    errno.EFBIG: "let files grow larger (see `ulimit -f`) and try again",
    errno.EMFILE: "let more files be open (see `ulimit -n`) and try again",
}
_REASONS = {
    os.strerror(number): _CURES.get(number, "")
    for number in (*_CURES, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO, errno.EISDIR, errno.ENFILE)
}
# In plain text, or in JSON nested in JSON.
_OF_A_FILE = re.compile(
    r'(?:file|directory) [\\"]*([^"\\]+)[\\"]*: (' + "|".join(map(re.escape, _REASONS)) + ")"
)
_MEMORY = re.compile(r"[^\":(\n]*(?:could not allocate|Failed to allocate|Allocation failure)[^\"\\\n]*")
# Memory used, and the limit.
_LIMIT = re.compile(r"\([\d.]+ \w+/([\d.]+ \w+) used\)")


def refusal(error: duckdb.Error | OSError) -> ResourceError | None:
    """Return the error to raise if a resource was missing, None if the error has another cause.

    DuckDB uses several exception classes for one cause, including those it raises for a damaged file.
    """
    if isinstance(error, OSError):
        return _refused(error.filename, str(error.strerror)) if error.strerror in _REASONS else None
    message = str(error)
    if found := _OF_A_FILE.search(message):
        return _refused(*found.groups())
    if isinstance(error, duckdb.OutOfMemoryException) or "Out of Memory" in message:
        if limit := _LIMIT.search(message):
            return ResourceError(
                f"DuckDB reached its memory limit of {limit[1]}",
                cure="raise --memory-limit, or `memory_limit` under `settings:` in profiles.yml",
            )
        found = _MEMORY.search(message)
        return ResourceError(f"Out of memory{f' ({found[0].strip()})' if found else ''}")
    return None


def _refused(file: object, reason: str) -> ResourceError:
    return ResourceError(f"{file}: {reason}" if file else reason, cure=_REASONS[reason])
