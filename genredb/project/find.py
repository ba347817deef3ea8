"""Finds the files that a project consists of."""

import hashlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from genredb.errors import ProjectError
from genredb.project.config import Config
from genredb.project.files import is_utf_8, read_bytes

YML = (".yml", ".yaml")


def project_digest(config: Config) -> str:
    """Return a sha256 over the names and bytes of every file that the project consists of."""
    digest = hashlib.sha256()
    for path in project_files(config):
        content = read_bytes(path)
        digest.update(f"{config.show_path(path)}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def yml_folders(config: Config) -> tuple[Path, ...]:
    """Return the folders in which properties files lie."""
    return (*config.model_paths, *config.seed_paths, *config.test_paths, *config.macro_paths)


def project_files(config: Config) -> Iterator[Path]:
    """Return the files that the project consists of."""
    yield from config.files
    for folders, suffixes in (
        (config.model_paths, (".sql", ".py", ".md")),
        (config.seed_paths, (".csv", ".md")),
        (config.macro_paths, (".sql", ".md")),
        (config.test_paths, (".sql", ".csv")),
        (yml_folders(config), YML),
    ):
        yield from find(folders, *suffixes)


def find(folders: Iterable[Path], *suffixes: str) -> Iterator[Path]:
    """Return the files of these suffixes in the folders and below, in the order of their names."""
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
            raise ProjectError(f"The name of {misnamed} is not UTF-8; rename the file.")
        yield from sorted(found)


def _refuse_circle(folder: Path) -> None:
    """Raise ProjectError for a link to a folder above it, which would be walked through for ever."""
    if folder.is_symlink() and any(parent.samefile(folder) for parent in folder.parents):
        raise ProjectError(f"{folder} is a link that leads back to a folder above it; remove it.")


def _refuse_unreadable(error: OSError) -> None:
    raise ProjectError(f"{error.filename} cannot be read: {error.strerror}.") from None
