"""Detects changes to a project's files and its raw files by polling."""

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

from genredb.errors import ProjectError
from genredb.runner.project.config import Config
from genredb.runner.project.discover import read_project
from genredb.runner.project.find import project_files
from genredb.runner.project.raw_folder import folders_of
from genredb.warehouse.declared import SourceSpec
from genredb.warehouse.readers.formats import suffix_of

GLANCE = 0.2  # polling interval in seconds


class Watched:
    """The files that a project's builds read; changes made during a build are detected after it."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._raw_dirs = {config.raw_dir, config.home / "data" / "raw"}
        self._sources: tuple[SourceSpec, ...] = ()
        self._seen: dict[Path, object] = {}

    def look(self) -> None:
        """Record the current state of the files."""
        self._seen = self._stamps()

    def settled(self, config: Config) -> None:
        """Receive the configuration of the running build; it may read other files."""
        self._config = config
        self._raw_dirs.add(config.raw_dir)
        with contextlib.suppress(ProjectError):
            self._sources = read_project(config).loaded_sources
        self._seen = self._stamps() | self._seen

    def wait(self) -> list[Path]:
        """Wait for changes; return the files changed since the last look, once no more changes follow."""
        last = self._seen
        while True:
            now = self._stamps()
            if now == last and now != self._seen:
                paths = {*now, *self._seen}
                return sorted(path for path in paths if now.get(path) != self._seen.get(path))
            last = now
            time.sleep(GLANCE)

    def _stamps(self) -> dict[Path, object]:
        """Return a stamp for each file; it differs if the file has changed."""
        found = {path: _stamp(path) for path in self._raw_files()}
        try:
            found |= {path: _stamp(path) for path in project_files(self._config)}
        except ProjectError as error:  # a folder cannot be read; it counts as a change when that changes
            found[self._config.root] = str(error)
        # The target folder may lie inside a model folder; build output is not a change.
        return {path: found[path] for path in found if not path.is_relative_to(self._config.target_dir)}

    def _raw_files(self) -> Iterator[Path]:
        folders = (folder for raw_dir in self._raw_dirs for folder in folders_of(self._sources, raw_dir))
        for folder in folders:
            if folder.is_dir():
                yield from (path for path in folder.iterdir() if suffix_of(path.name))


def _stamp(path: Path) -> object:
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size, stat.st_ino
