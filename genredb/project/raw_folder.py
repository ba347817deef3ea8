"""The CSVs of the raw folder: which source reads which, and which are read by none."""

import os
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path

from genredb.errors import InputError, ProjectError, did_you_mean
from genredb.project.config import Config
from genredb.project.files import is_utf_8, resolved
from genredb.project.nodes import RawPattern, Source


def source_files(source: Source, sources: Iterable[Source], config: Config) -> tuple[Path, ...]:
    """Return the paths of a source's CSVs in the order of their names.

    Only the pattern is one: a file whose own name looks like a pattern is that file. Raises InputError where
    the folder lacks them (what is suggested is read by none of ``sources``), ProjectError where the source
    names a file outside of the raw folder and the project.
    """
    stated, raw_dir = source.files, config.raw_dir
    if stated is None:
        return ()
    names = _names(raw_dir)
    if stated.is_pattern:
        found = [name for name in names if _fits(name, stated)]
    else:
        _refuse_outside(source, stated.text, config)
        found = [stated.text] if os.path.lexists(raw_dir / stated.text) else []
    for name in found:
        if not is_utf_8(Path(name)):
            raise InputError(f"The name of {name!r} in {raw_dir} is not UTF-8; rename the file.")
    if not found and not stated.is_optional:
        hint = did_you_mean(stated.text, _unread(names, sources))
        lack = "a pattern that no file fits" if stated.is_pattern else "which does not exist"
        raise InputError(f"{source.qualified_name} needs {raw_dir / stated.text}, {lack}.{hint}")
    return tuple(raw_dir / name for name in found)


def absent_files(source: Source, config: Config) -> list[Path]:
    """Return the path of the one file that a source names, if it is not there."""
    stated = source.files
    if stated is None or stated.is_pattern or os.path.lexists(config.raw_dir / stated.text):
        return []
    return [config.raw_dir / stated.text]


def unread_notices(sources: Iterable[Source], config: Config) -> Iterator[str]:
    """Yield a sentence for each CSV of the raw folder that no source reads, if any source reads files."""
    stated = [source.files.text for source in sources if source.files]
    if stated:
        for name in _unread(_names(config.raw_dir), sources):
            shown = config.show_path(config.raw_dir / name)
            hint = did_you_mean(name, stated)
            yield f"{shown} is ignored: its name fits no source's `file:` or `files:`.{hint}"


def _names(raw_dir: Path) -> list[str]:
    return sorted(path.name for path in raw_dir.iterdir()) if raw_dir.is_dir() else []


def _fits(name: str, stated: RawPattern) -> bool:
    if stated.is_pattern:
        return fnmatchcase(name, stated.text) and not name.startswith(".")
    return name == os.path.normpath(stated.text)


def _unread(names: Iterable[str], sources: Iterable[Source]) -> list[str]:
    """Return the names of CSVs that no source reads, but for hidden ones."""
    patterns = [source.files for source in sources if source.files]
    return [
        name
        for name in names
        if name.lower().endswith(".csv")
        and not name.startswith(".")
        and not any(_fits(name, pattern) for pattern in patterns)
    ]


def _refuse_outside(source: Source, stated: str, config: Config) -> None:
    """Raise ProjectError where a path leads elsewhere; a link inside leads where its maker wants it to."""
    raw_dir = resolved(config.raw_dir)
    path = Path(os.path.normpath(raw_dir / stated))
    if Path(stated).is_absolute() or not any(
        path.is_relative_to(folder) for folder in (raw_dir, config.home)
    ):
        raise ProjectError(
            f"{source.path}: `file: {stated}` of {source.qualified_name} is outside of the raw folder and "
            f"the project; name a file in {config.raw_dir}."
        )
