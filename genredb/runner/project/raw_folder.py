"""The files of the raw folder: which source reads which, and which are unused.

A source that names ``songs.csv`` also reads ``songs.parquet`` or any other supported format. The names of
files in folders are those below the raw folder, with slashes.
"""

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path, PurePath

from genredb.errors import InputError, Notice, Place, ProjectError
from genredb.runner.project.config import Config
from genredb.runner.project.files import is_utf_8, resolved
from genredb.warehouse.declared import RawPattern, SourceSpec
from genredb.warehouse.readers.formats import SUFFIXES, stem_of, suffix_of

# Other common table formats, which genredb cannot read.
_OTHER_SUFFIXES = frozenset(
    ".xlsx .xls .ods .tsv .json .feather .arrow .avro .orc .zip .zst .bz2 .xz".split()
)


def source_files(source: SourceSpec, sources: Iterable[SourceSpec], config: Config) -> tuple[Path, ...]:
    """Return the paths of a source's files, sorted by name.

    Only the pattern is matched: a file whose own name looks like a pattern is taken literally. Raises
    InputError if files are missing (suggesting only files that no source in ``sources`` reads) or if one
    exists in two formats, and ProjectError if the source names a file outside the raw folder and the project.
    """
    stated, raw_dir = source.files, config.raw_dir
    if stated is None:
        return ()
    names = _listed(raw_dir, sources)
    if stated.is_pattern:
        found = [name for name in names if _fits(name, stated)]
    else:
        _refuse_outside(source, stated.text, config)
        path = PurePath(stated.text)
        plain = replace(stated, text=path.name)
        found = [str(path.parent / name) for name in _names(raw_dir / path.parent) if _fits(name, plain)]
    for name in found:
        if not is_utf_8(Path(name)):
            raise InputError(f"The name of {name!r} in {raw_dir} is not UTF-8", cure="rename the file")
    _refuse_doubled(source, found, raw_dir)
    if not found and not stated.is_optional:
        lack = "a pattern that no file matches" if stated.is_pattern else "which does not exist"
        other = next((name for name in names if _is_unreadable(name, stated)), None)
        raise InputError(
            f"{source.qualified_name} needs {raw_dir / stated.text}, {lack}",
            cure=f"{other} exists, but its format is not supported: save it as CSV" if other else "",
            name="" if other else stated.text,
            choices=_unread(names, sources),
        )
    return tuple(raw_dir / name for name in found)


def folders_of(sources: Iterable[SourceSpec], raw_dir: Path) -> list[Path]:
    """Return the raw folder and the folders below it in which files may match a pattern, or folders of it."""
    found = {raw_dir}
    for source in sources:
        if source.files and source.files.is_pattern:
            folders = [raw_dir]
            for pattern in source.files.text.split("/")[:-1]:
                inside = (
                    folder / name for folder in folders for name in _names(folder) if _is_like(name, pattern)
                )
                folders = [folder for folder in inside if folder.is_dir()]
                found |= set(folders)
    return sorted(found)


def absent_files(source: SourceSpec, config: Config) -> list[Path]:
    """Return the usual paths of a source's single file, in any format, where there is none."""
    stated = source.files
    if stated is None or stated.is_pattern:
        return []
    suffix = suffix_of(stated.text)
    stem = stated.text.removesuffix(suffix)
    paths = [config.raw_dir / (stem + other) for other in {suffix, *(SUFFIXES if suffix else ())}]
    return [path for path in paths if not os.path.lexists(path)]


def unread_notices(sources: Iterable[SourceSpec], config: Config) -> Iterator[Notice]:
    """Yield a notice for each raw file that no source reads, if any source reads files."""
    stated = tuple(source.files.text for source in sources if source.files)
    if stated:
        names = _listed(config.raw_dir, sources)
        for name in _unread(names, sources):
            place = Place(config.show_path(config.raw_dir / name))
            what = "the file is ignored, as its name matches no source's `file:` or `files:`"
            yield Notice(what, place, name=name, choices=stated)
        patterns = [source.files for source in sources if source.files]
        for name in names:
            if any(_is_unreadable(name, pattern) for pattern in patterns):
                place = Place(config.show_path(config.raw_dir / name))
                what = "the file is ignored, as its format is not supported"
                yield Notice(what, place, cure="save it as CSV")


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def _listed(raw_dir: Path, sources: Iterable[SourceSpec]) -> list[str]:
    """Return what is in the raw folder and in the folders below it that patterns name."""
    folders = folders_of(sources, raw_dir)
    return sorted(
        (folder / name).relative_to(raw_dir).as_posix() for folder in folders for name in _names(folder)
    )


def _fits(name: str, stated: RawPattern) -> bool:
    """Return True if a file of the raw folder has the stated name, in any format, or matches the pattern."""
    text = stated.text if stated.is_pattern else os.path.normpath(stated.text)
    if suffix_of(text) and suffix_of(name):
        name, text = stem_of(name), stem_of(text)
    if not stated.is_pattern:
        return name == text
    names, patterns = name.split("/"), text.split("/")
    return len(names) == len(patterns) and all(map(_is_like, names, patterns))


def _is_like(name: str, pattern: str) -> bool:
    return fnmatchcase(name, pattern) and not name.startswith(".")


def _refuse_doubled(source: SourceSpec, names: Iterable[str], raw_dir: Path) -> None:
    """Raise InputError if two files differ only in format: the same rows would be loaded twice."""
    by_stem = defaultdict[str, list[str]](list)
    for name in names:
        by_stem[stem_of(name)].append(name)
    for doubled in by_stem.values():
        if len(doubled) > 1:
            raise InputError(
                f"{raw_dir} holds {source.qualified_name} in several formats: {', '.join(doubled)}",
                cure="keep one of them",
            )


def _is_unreadable(name: str, stated: RawPattern) -> bool:
    """Return True if a file has the name that a source expects but an unsupported extension."""
    suffix = PurePath(name).suffix
    is_other = bool(suffix) and not suffix_of(name) and suffix.lower() in _OTHER_SUFFIXES
    return is_other and any(_fits(name.removesuffix(suffix) + other, stated) for other in SUFFIXES)


def _unread(names: Iterable[str], sources: Iterable[SourceSpec]) -> list[str]:
    """Return the names of files that no source reads, except hidden files."""
    patterns = [source.files for source in sources if source.files]
    return [
        name
        for name in names
        if suffix_of(name)
        and not PurePath(name).name.startswith(".")
        and not any(_fits(name, pattern) for pattern in patterns)
    ]


def _refuse_outside(source: SourceSpec, stated: str, config: Config) -> None:
    """Raise ProjectError for a path outside; links inside may lead anywhere."""
    raw_dir = resolved(config.raw_dir)
    path = Path(os.path.normpath(raw_dir / stated))
    if Path(stated).is_absolute() or not any(
        path.is_relative_to(folder) for folder in (raw_dir, config.home)
    ):
        raise ProjectError(
            f"`file: {stated}` of {source.qualified_name} is outside the raw folder and the project",
            place=source.path,
            cure=f"name a file in {config.raw_dir}",
        )
