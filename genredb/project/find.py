"""Finds the files that a project consists of, and the CSVs that it loads."""

import hashlib
import os
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from genredb.errors import InputError, ProjectError, did_you_mean
from genredb.project.config import Config
from genredb.project.files import read_bytes

if TYPE_CHECKING:
    from genredb.project.nodes import Source

YML = (".yml", ".yaml")


def project_digest(config: Config) -> str:
    """Return a sha256 over the names and bytes of every file that the project consists of."""
    digest = hashlib.sha256()
    for path in (*config.files, *_project_files(config)):
        content = read_bytes(path)
        digest.update(f"{config.show_path(path)}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def yml_folders(config: Config) -> tuple[Path, ...]:
    """Return the folders in which properties files lie."""
    return (*config.model_paths, *config.seed_paths, *config.test_paths, *config.macro_paths)


def _project_files(config: Config) -> Iterator[Path]:
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
            for inside, _, names in os.walk(folder, onerror=_refuse_unreadable, followlinks=True):
                found += [Path(inside, name) for name in names if name.endswith(suffixes)]
        yield from sorted(found)


def _refuse_unreadable(error: OSError) -> None:
    raise ProjectError(f"{error.filename} cannot be read: {error.strerror}.") from None


def source_files(source: "Source", raw_dir: Path) -> tuple[Path, ...]:
    """Return the paths of a source's CSVs in the order of their names; InputError if the folder lacks them.

    Only the pattern is one: a file whose own name looks like a pattern is that file.
    """
    stated = source.files
    if stated is None:
        return ()
    names = sorted(path.name for path in raw_dir.iterdir()) if raw_dir.is_dir() else []
    if stated.is_pattern:
        found = [name for name in names if fnmatchcase(name, stated.text) and not name.startswith(".")]
    else:
        found = [stated.text] if os.path.lexists(raw_dir / stated.text) else []
    for name in found:
        try:
            name.encode()
        except UnicodeEncodeError:
            raise InputError(f"The name of {name!r} in {raw_dir} is not UTF-8; rename the file.") from None
    if not found and not stated.is_optional:
        hint = did_you_mean(stated.text, (name for name in names if name.endswith(".csv")))
        lack = "a pattern that no file fits" if stated.is_pattern else "which does not exist"
        raise InputError(f"{source.qualified_name} needs {raw_dir / stated.text}, {lack}.{hint}")
    return tuple(raw_dir / name for name in found)
