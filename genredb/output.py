"""The files that people ask to be written: whole or not at all, and never over what is not genredb's.

What was written is remembered in ``target/written.json`` by size and time: a file that is not as genredb
left it is somebody's own.
"""

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

from genredb.drafts import whole_file
from genredb.errors import ConsentError, ResourceError, UsageError
from genredb.project.config import Config
from genredb.project.files import resolved

FORCE = "--force"
_MEMORY = "written.json"


@contextlib.contextmanager
def replaced(config: Config, path: Path, *, is_forced: bool = False) -> Iterator[Path]:
    """Give a file to write; it takes the place of ``path`` if all goes well, else it vanishes.

    ConsentError where there is a file already that genredb did not write, unless ``is_forced``.
    """
    target = _target(config, path)
    if not is_forced and target.exists() and target.stat().st_size and not _is_own(config, target):
        raise ConsentError(
            f"{path} exists, and genredb did not write it",
            f"name another file, or replace it by {FORCE}",
            FORCE,
        )
    with whole_file(target) as draft:
        yield draft
    with contextlib.suppress(OSError):  # then the next time asks
        _remember(config, target)


def _target(config: Config, path: Path) -> Path:
    """Return the file to write, a link's target; UsageError for what is none and for the database.

    ResourceError where its folder may not be written to.
    """
    target = resolved(path)
    if target.exists() and not target.is_file():
        raise UsageError(f"{path} is no regular file; name one to write.")
    if not target.parent.is_dir():
        raise UsageError(f"The folder {target.parent} does not exist; create it first.")
    if not os.access(target.parent, os.W_OK):
        raise ResourceError(f"The folder {target.parent} may not be written to: permission denied.")
    if target.name.startswith(config.database.name) and target.parent == config.database.parent:
        raise UsageError(f"{path} is the database or belongs to it; name another file.")
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
