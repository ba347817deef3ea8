"""Finds the files of a project."""

import hashlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from genredb.errors import ProjectError
from genredb.runner.project.config import Config
from genredb.runner.project.files import is_utf_8, read_bytes

YML = (".yml", ".yaml")


def project_digest(config: Config) -> str:
    """Return a sha256 over the names and contents of all project files."""
    digest = hashlib.sha256()
    for path in project_files(config):
        content = read_bytes(path)
        digest.update(f"{config.show_path(path)}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def project_files(config: Config) -> Iterator[Path]:
    """Yield all files of a project and of its packages."""
    yield from config.files
    for package in config.packages:
        for folders, suffixes in (
            (package.model_paths, (".sql", ".py")),
            (package.seed_paths, (".csv",)),
            (package.snapshot_paths, (".sql",)),
            (package.macro_paths, (".sql",)),
            (package.test_paths, (".sql", ".csv")),
            (package.properties_paths, YML),
            (package.docs_paths or package.properties_paths, (".md",)),
        ):
            yield from find(folders, *suffixes)


def find(folders: Iterable[Path], *suffixes: str) -> Iterator[Path]:
    """Yield the files with these suffixes in the folders and their subfolders, sorted by name."""
    for folder in dict.fromkeys(folders):
        found: list[Path] = []
        if folder.is_dir():
            for inside, folders_inside, names in os.walk(
                folder, onerror=_refuse_unreadable, followlinks=True
            ):
                for name in folders_inside:
                    _refuse_circle(Path(inside, name))
                found += [Path(inside, name) for name in names if name.endswith(suffixes)]
        if misnamed := next((path for path in found if not is_utf_8(path)), None):
            raise ProjectError(f"The name of {misnamed} is not UTF-8", cure="rename the file")
        yield from sorted(found)


def _refuse_circle(folder: Path) -> None:
    """Raise ProjectError for a link to one of its parent folders, which would be followed forever."""
    if folder.is_symlink() and any(parent.samefile(folder) for parent in folder.parents):
        raise ProjectError(f"{folder} is a link that leads back to a folder above it", cure="remove it")


def _refuse_unreadable(error: OSError) -> None:
    raise ProjectError(f"{error.filename} cannot be read: {error.strerror}") from None
