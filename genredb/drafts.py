"""Drafts: unfinished files and folders, written next to their target until they are complete.

The draft of ``NAME`` is ``.NAME.genredb-PID``, a name that users do not choose. So leftovers of a dead
process can be told from users' files and from the drafts of a running process.
"""

import contextlib
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

_DRAFT = re.compile(r"\.(.+)\.genredb-(\d+)", re.DOTALL)


def draft_of(target: Path) -> Path:
    """Return the path of this process's draft of ``target``."""
    return target.with_name(f".{target.name}.genredb-{os.getpid()}")


def drafts(folder: Path, name: str | None = None) -> list[Path]:
    """Return the drafts in a folder, or only those of ``name``."""
    paths = sorted(folder.iterdir()) if folder.is_dir() else []
    found = ((path, _DRAFT.fullmatch(path.name)) for path in paths)
    return [path for path, match in found if match and name in (None, match[1])]


def leftovers(folder: Path, name: str | None = None) -> list[Path]:
    """Return the drafts in a folder whose processes are dead."""
    return [path for path in drafts(folder, name) if not _is_alive(_writer(path))]


def sweep(paths: Iterable[Path]) -> list[Path]:
    """Remove drafts (files and folders) as far as permitted; return those that are gone."""
    found = list(paths)
    for path in found:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            with contextlib.suppress(OSError):
                path.unlink()
    return [path for path in found if not path.exists()]


@contextlib.contextmanager
def whole_file(target: Path) -> Iterator[Path]:
    """Yield a draft to write, which replaces ``target`` on success and is removed on an error.

    The target keeps its permissions. Files that dead processes left in the folder are removed.
    """
    sweep(path for path in leftovers(target.parent) if path.is_file())
    draft = draft_of(target)
    try:
        yield draft
        if target.exists():
            shutil.copymode(target, draft)
        draft.replace(target)
    except OSError as error:
        if error.filename in (None, str(draft)):  # errors on writing do not name the file
            error.filename = str(target)
        raise
    finally:
        draft.unlink(missing_ok=True)


@contextlib.contextmanager
def temporary_folder() -> Iterator[Path]:
    """Yield a temporary folder that is removed afterwards; those of dead processes are removed, too."""
    sweep(leftovers(Path(tempfile.gettempdir())))
    with tempfile.TemporaryDirectory(prefix=".", suffix=f".genredb-{os.getpid()}") as folder:
        yield Path(folder)


def _writer(draft: Path) -> int:
    match = _DRAFT.fullmatch(draft.name)
    return int(match[2]) if match else 0


def _is_alive(pid: int) -> bool:
    """Return whether a process runs; True if that cannot be determined."""
    if sys.platform == "win32":  # where os.kill would end it
        return True
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
