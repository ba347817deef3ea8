"""What the machine refuses, told from the system's errors and DuckDB's: room, memory, a permission."""

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
# As text, or as JSON within JSON.
_OF_A_FILE = re.compile(
    r'(?:file|directory) [\\"]*([^"\\]+)[\\"]*: (' + "|".join(map(re.escape, _REASONS)) + ")"
)
_MEMORY = re.compile(r"[^\":(\n]*(?:could not allocate|Failed to allocate|Allocation failure)[^\"\\\n]*")


def refusal(error: duckdb.Error | OSError) -> ResourceError | None:
    """Return what to say where the machine refused something, None where an error has another cause.

    DuckDB raises errors of several classes for one cause, also such as it raises for a damaged file.
    """
    if isinstance(error, OSError):
        return _refused(error.filename, str(error.strerror)) if error.strerror in _REASONS else None
    message = str(error)
    if found := _OF_A_FILE.search(message):
        return _refused(*found.groups())
    if isinstance(error, duckdb.OutOfMemoryException) or "Out of Memory" in message:
        found = _MEMORY.search(message)
        return ResourceError(f"There is not enough memory{f' ({found[0].strip()})' if found else ''}.")
    return None


def _refused(file: object, reason: str) -> ResourceError:
    cure = _REASONS[reason]
    return ResourceError(f"{f'{file}: ' if file else ''}{reason}{cure and f'; {cure}'}.")
