"""What a build is made from, as digests: project files, variables, environment, raw CSVs, seeds."""

import contextlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from genredb.compile.compiler import Compilation
from genredb.compile.identity import digest
from genredb.compile.nodes import NodeKind
from genredb.errors import InputError
from genredb.project.discover import Project
from genredb.project.nodes import Source
from genredb.project.raw_folder import source_files
from genredb.warehouse.csvfile import file_digest


@dataclass(frozen=True)
class RawFiles:
    """A source's CSVs, none where it is optional, with the sha256 of their bytes.

    ``digest`` is one over names, bytes and how the source declares them.
    """

    source: Source
    sha256s: Mapping[Path, str]
    digest: str


def raw_files(project: Project) -> tuple[RawFiles, ...]:
    """Find and digest the CSVs of every source; InputError where one is missing."""
    sources = project.loaded_sources
    found = [(source, source_files(source, sources, project.config)) for source in sources]
    return tuple(_raw_files(source, paths) for source, paths in found)


def present_files(project: Project) -> tuple[RawFiles, ...]:
    """Find and digest the CSVs of the sources that have theirs."""
    found = []
    for source in project.loaded_sources:
        with contextlib.suppress(InputError):
            found.append(_raw_files(source, source_files(source, project.loaded_sources, project.config)))
    return tuple(found)


def _raw_files(source: Source, paths: Iterable[Path]) -> RawFiles:
    sha256s = {path: file_digest(path) for path in paths}
    declared = json.dumps(asdict(source), sort_keys=True, default=str)
    held = [text for path, sha256 in sha256s.items() for text in (path.name, sha256)]
    return RawFiles(source, sha256s, digest(declared, *held))


def contents(compilation: Compilation, files: Iterable[RawFiles]) -> dict[str, str]:
    """Return the digest of what each loaded source and each seed holds, by unique id."""
    project = compilation.project
    by_relation = {found.source.qualified_name: found.digest for found in files}
    result = {
        node.unique_id: by_relation[node.relation.qualified_name]
        for node in compilation.of_kind(NodeKind.SOURCE)
        if node.relation and node.relation.qualified_name in by_relation
    }
    for node in compilation.of_kind(NodeKind.SEED):
        result[node.unique_id] = file_digest(project.seeds[node.name].file)
    return result
