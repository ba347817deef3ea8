"""Notices edits of what a project is built from: its files and the raw CSVs, by looking again and again."""

import time
from collections.abc import Iterator
from pathlib import Path

from genredb.errors import ProjectError
from genredb.project.config import Config
from genredb.project.find import project_files

GLANCE = 0.2  # seconds between two looks


class Watched:
    """The files that builds of a project read; what is edited while one runs is noticed after it."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._raw_dirs = {config.raw_dir, config.home / "data" / "raw"}
        self._seen: dict[Path, object] = {}

    def look(self) -> None:
        """Take the files as they are now for seen."""
        self._seen = self._stamps()

    def settled(self, config: Config) -> None:
        """Hear with which configuration a build goes on: it may read other files."""
        self._config = config
        self._raw_dirs.add(config.raw_dir)
        self._seen = self._stamps() | self._seen

    def wait(self) -> list[Path]:
        """Return the files that were edited since the last look, once there are some and no more follow."""
        last = self._seen
        while True:
            now = self._stamps()
            if now == last and now != self._seen:
                paths = {*now, *self._seen}
                return sorted(path for path in paths if now.get(path) != self._seen.get(path))
            last = now
            time.sleep(GLANCE)

    def _stamps(self) -> dict[Path, object]:
        """Return what tells a file from what it was before, for each."""
        found = {path: _stamp(path) for path in self._raw_files()}
        try:
            found |= {path: _stamp(path) for path in project_files(self._config)}
        except ProjectError as error:  # a folder cannot be read; it is an edit when that changes
            found[self._config.root] = str(error)
        # What a build writes is no edit, where the models lie around the target folder.
        return {path: found[path] for path in found if not path.is_relative_to(self._config.target_dir)}

    def _raw_files(self) -> Iterator[Path]:
        for folder in self._raw_dirs:
            if folder.is_dir():
                yield from (path for path in folder.iterdir() if path.suffix.lower() == ".csv")


def _stamp(path: Path) -> object:
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size, stat.st_ino
