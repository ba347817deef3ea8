"""Files and folders in the making: beside their place, under a name of their writer's, until they are whole.

The draft of ``NAME`` is ``.NAME.genredb-PID``, a name that nobody gives to anything of theirs; so what a
writer that died has left can be told from what people keep, and from what a living one is at work on.
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
    """Return where this process makes what is to become ``target``."""
    return target.with_name(f".{target.name}.genredb-{os.getpid()}")


def drafts(folder: Path, name: str | None = None) -> list[Path]:
    """Return the drafts in a folder, of whatever is in the making there or of ``name`` alone."""
    paths = sorted(folder.iterdir()) if folder.is_dir() else []
    found = ((path, _DRAFT.fullmatch(path.name)) for path in paths)
    return [path for path, match in found if match and name in (None, match[1])]


def leftovers(folder: Path, name: str | None = None) -> list[Path]:
    """Return the drafts in a folder whose writers died."""
    return [path for path in drafts(folder, name) if not _is_alive(_writer(path))]


def sweep(paths: Iterable[Path]) -> list[Path]:
    """Remove drafts, files and folders, as far as that is permitted; return those that are gone."""
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
    """Give a file to write that takes the place of ``target`` if all goes well, else vanishes.

    Who may read or write the target may do so still. Files that dead writers left in the folder are removed.
    """
    sweep(path for path in leftovers(target.parent) if path.is_file())
    draft = draft_of(target)
    try:
        yield draft
        if target.exists():
            shutil.copymode(target, draft)
        draft.replace(target)
    except OSError as error:
        if error.filename in (None, str(draft)):  # a write does not name its file
            error.filename = str(target)
        raise
    finally:
        draft.unlink(missing_ok=True)


@contextlib.contextmanager
def temporary_folder() -> Iterator[Path]:
    """Give a folder, where the system keeps such, that vanishes; those of dead processes are removed."""
    sweep(leftovers(Path(tempfile.gettempdir())))
    with tempfile.TemporaryDirectory(prefix=".", suffix=f".genredb-{os.getpid()}") as folder:
        yield Path(folder)


def _writer(draft: Path) -> int:
    match = _DRAFT.fullmatch(draft.name)
    return int(match[2]) if match else 0


def _is_alive(pid: int) -> bool:
    """Whether a process runs, as far as can be told: where it cannot, it does."""
    if sys.platform == "win32":  # where the question would end it
        return True
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
