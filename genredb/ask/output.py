"""Writes files for users atomically, and never over files that genredb did not write.

``target/written.json`` records the size and time of written files: a file that changed since belongs to
the user.
"""

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

from genredb.drafts import whole_file
from genredb.errors import ConsentError, ResourceError, UsageError
from genredb.runner.project.config import Config
from genredb.runner.project.files import resolved
from genredb.spark.snapshots import warehouse_of

FORCE = "--force"
_MEMORY = "written.json"


@contextlib.contextmanager
def replaced(config: Config, path: Path, *, is_forced: bool = False) -> Iterator[Path]:
    """Yield a draft to write, which replaces ``path`` on success and is removed on an error.

    ConsentError if ``path`` is a file that genredb did not write, unless ``is_forced``.
    """
    target = _target(config, path)
    if not is_forced and target.exists() and target.stat().st_size and not _is_own(config, target):
        raise ConsentError(
            f"{path} exists, and genredb did not write it",
            cure=f"choose another file, or overwrite it with {FORCE}",
            option=FORCE,
        )
    with whole_file(target) as draft:
        yield draft
    with contextlib.suppress(OSError):  # without the record, the next write asks for consent
        _remember(config, target)


def _target(config: Config, path: Path) -> Path:
    """Return the file to write, with links resolved.

    UsageError if it is not a regular file or is part of the database, ResourceError if its folder is not
    writable.
    """
    target = resolved(path)
    if target.exists() and not target.is_file():
        raise UsageError(f"{path} is not a regular file", cure="name one to write")
    if not target.parent.is_dir():
        raise UsageError(f"The folder {target.parent} does not exist", cure="create it first")
    if not os.access(target.parent, os.W_OK):
        raise ResourceError(f"The folder {target.parent} is not writable: permission denied")
    beside = target.name.startswith(config.database.name) and target.parent == config.database.parent
    if beside or target.is_relative_to(warehouse_of(config.database)):
        raise UsageError(f"{path} is the database or belongs to it", cure="name another file")
    return target


def _is_own(config: Config, target: Path) -> bool:
    return _memory(config).get(str(target)) == _state(target)


def _remember(config: Config, target: Path) -> None:
    config.target_dir.mkdir(parents=True, exist_ok=True)
    known = {path: state for path, state in _memory(config).items() if Path(path).exists()}
    with whole_file(config.target_dir / _MEMORY) as draft:
        draft.write_text(json.dumps(known | {str(target): _state(target)}), encoding="utf-8")


def _memory(config: Config) -> dict[str, list[int]]:
    try:
        found = json.loads((config.target_dir / _MEMORY).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _state(target: Path) -> list[int]:
    return [target.stat().st_size, target.stat().st_mtime_ns]
