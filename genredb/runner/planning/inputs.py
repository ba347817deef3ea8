"""The inputs of a build as digests: project files, variables, environment, raw files, seeds."""

import contextlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from genredb.errors import InputError
from genredb.runner.graph.compiler import Compilation
from genredb.runner.graph.identity import digest
from genredb.runner.graph.nodes import Seed, Source
from genredb.runner.project.discover import Project
from genredb.runner.project.raw_folder import source_files
from genredb.warehouse.declared import SourceSpec
from genredb.warehouse.rawfile import file_digest


@dataclass(frozen=True)
class RawFiles:
    """A source's raw files, which may be none if it is optional, with the sha256 of their contents.

    ``digest`` covers their names, contents and the source's declaration.
    """

    source: SourceSpec
    sha256s: Mapping[Path, str]
    digest: str


def raw_files(project: Project) -> tuple[RawFiles, ...]:
    """Find and digest the raw files of every source; InputError if one is missing."""
    sources = project.loaded_sources
    found = [(source, source_files(source, sources, project.config)) for source in sources]
    return tuple(_raw_files(source, paths) for source, paths in found)


def present_files(project: Project) -> tuple[RawFiles, ...]:
    """Find and digest the raw files of the sources that are complete."""
    found = []
    for source in project.loaded_sources:
        with contextlib.suppress(InputError):
            found.append(_raw_files(source, source_files(source, project.loaded_sources, project.config)))
    return tuple(found)


def _raw_files(source: SourceSpec, paths: Iterable[Path]) -> RawFiles:
    sha256s = {path: file_digest(path) for path in paths}
    declared = json.dumps(asdict(source), sort_keys=True, default=str)
    held = [text for path, sha256 in sha256s.items() for text in (path.name, sha256)]
    return RawFiles(source, sha256s, digest(declared, *held))


def contents(compilation: Compilation, files: Iterable[RawFiles]) -> dict[str, str]:
    """Return the digest of the contents of each loaded source and each seed, by unique id."""
    project = compilation.project
    by_relation = {found.source.qualified_name: found.digest for found in files}
    result = {
        node.unique_id: by_relation[node.relation.qualified_name]
        for node in compilation.of_type(Source)
        if node.relation.qualified_name in by_relation
    }
    for node in compilation.of_type(Seed):
        result[node.unique_id] = file_digest(project.seeds[node.name].file)
    return result
