"""The inputs of a build as digests: project files, variables, environment, raw files, seeds."""

import contextlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from genredb.errors import InputError
from genredb.runner.graph.compiler import Compilation
from genredb.runner.graph.identity import digest
from genredb.runner.graph.nodes import Seed, Source
from genredb.runner.project.discover import Project
from genredb.runner.project.raw_folder import source_files
from genredb.warehouse.declared import SourceSpec
from genredb.warehouse.rawfile import Held, Prefix, file_digest, file_digests, file_stamp
from genredb.warehouse.readers.formats import may_be_continued


@dataclass(frozen=True)
class RawFiles:
    """A source's raw files, which may be none if it is optional, with the sha256 of their contents.

    ``digest`` covers their names, contents and the source's declaration. If records were only added since the
    last load, ``held`` says what the raw table holds of each file, None for a new file.
    """

    source: SourceSpec
    sha256s: Mapping[Path, str]
    digest: str
    held: Mapping[Path, Held | None] | None = None


@dataclass(frozen=True)
class LoadedFile:
    """A file as it was when it was loaded; ``is_plain`` as in Load."""

    sha256: str
    size: int
    records: int
    is_plain: bool


@dataclass(frozen=True)
class LoadedSource:
    """A source's files, by name, as they were when they were loaded, and the digest of the load."""

    digest: str
    files: Mapping[str, LoadedFile] = field(default_factory=dict)


# With fewer records and files, everything is built anew sooner than what new rows change is found out.
FEWEST_RECORDS = 50_000
FEWEST_FILES = 50


def raw_files(project: Project, loaded: Mapping[str, LoadedSource]) -> tuple[RawFiles, ...]:
    """Find and digest the raw files of every source; InputError if one is missing.

    ``loaded`` are the sources as they were loaded last.
    """
    sources = project.loaded_sources
    found = [(source, source_files(source, sources, project.config)) for source in sources]
    files = [file for last in loaded.values() for file in last.files.values()]
    is_much = len(files) >= FEWEST_FILES or sum(file.records for file in files) >= FEWEST_RECORDS
    before = loaded if is_much else {}
    return tuple(_raw_files(source, paths, before.get(source.qualified_name)) for source, paths in found)


def present_files(project: Project) -> tuple[RawFiles, ...]:
    """Find and digest the raw files of the sources that are complete."""
    found = []
    for source in project.loaded_sources:
        with contextlib.suppress(InputError):
            paths = source_files(source, project.loaded_sources, project.config)
            found.append(_raw_files(source, paths, None))
    return tuple(found)


def _raw_files(source: SourceSpec, paths: Iterable[Path], last: LoadedSource | None) -> RawFiles:
    before = last.files if last else {}
    names = {path: source.name_of(path) for path in paths}
    read = {path: _digested(path, before.get(name)) for path, name in names.items()}
    sha256s = {path: sha256 for path, (sha256, _) in read.items()}
    files = RawFiles(source, sha256s, _digest(source, {names[path]: sha for path, sha in sha256s.items()}))
    if last is None or files.digest == last.digest:
        return files
    if _digest(source, {name: file.sha256 for name, file in sorted(before.items())}) != last.digest:
        return files  # it was declared otherwise
    held: dict[Path, Held | None] = {}
    for path, (sha256, prefix) in read.items():
        part = before.get(names[path])
        if part and not _has_only_grown(path.name, part, sha256, prefix):
            return files
        rest = None if part and part.sha256 == sha256 else prefix
        held[path] = Held(file_stamp(path)[1], part.records, rest) if part else None
    return replace(files, held=held) if before.keys() <= set(names.values()) else files


def _digested(path: Path, part: LoadedFile | None) -> tuple[str, Prefix | None]:
    """Return the digest of a file and, if it is longer than when it was loaded, what it began with then."""
    if part is None or file_stamp(path)[1] <= part.size:
        return file_digest(path), None
    return file_digests(path, part.size)


def _digest(source: SourceSpec, sha256s: Mapping[str, str]) -> str:
    declared = json.dumps(asdict(source), sort_keys=True, default=str)
    return digest(declared, *(text for pair in sha256s.items() for text in pair))


def _has_only_grown(name: str, part: LoadedFile, sha256: str, prefix: Prefix | None) -> bool:
    """Return True if a file is as it was or has whole records after what it was."""
    if part.sha256 == sha256:
        return True
    if prefix is None or prefix.sha256 != part.sha256:
        return False
    return part.is_plain and prefix.last == b"\n" and may_be_continued(name)


def contents(compilation: Compilation, files: Iterable[RawFiles]) -> dict[str, str]:
    """Return the digest of the contents of each loaded source and each seed, by unique id."""
    project = compilation.project
    by_relation = {found.source.qualified_name: found.digest for found in files}
    result = {
        node.unique_id: by_relation[node.relation.qualified_name]
        for node in compilation.of_type(Source)
        if node.relation.qualified_name in by_relation
    }
    for source in compilation.of_type(Source):
        if source.relation.is_attached:
            attached = project.config.attached[str(source.relation.database).lower()].path
            result[source.unique_id] = digest(*attached_files(attached).values())
    for seed in compilation.of_type(Seed):
        result[seed.unique_id] = file_digest(project.seeds[seed.unique_id].file)
    return result


def attached_files(database: Path) -> dict[Path, str]:
    """Return the digests of an attached database and its write-ahead log, which may be missing, by path."""
    files = (database, database.with_name(f"{database.name}.wal"))
    return {path: file_digest(path) if path.is_file() else "" for path in files}
