"""What a build is made from, as digests: project files, variables, environment, raw CSVs, seeds."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from genredb.compile.compiler import Compilation
from genredb.compile.identity import digest
from genredb.compile.nodes import NodeKind
from genredb.project.discover import Project
from genredb.project.find import source_file
from genredb.project.nodes import Source
from genredb.warehouse.csvfile import file_digest


@dataclass(frozen=True)
class RawFile:
    """A source's CSV, and a digest of its bytes together with how the source declares it (``digest``)."""

    source: Source
    path: Path
    sha256: str
    digest: str


def raw_files(project: Project) -> tuple[RawFile, ...]:
    """Find and digest the CSV of every source; InputError where one is missing."""
    paths = [(source, source_file(source, project.config.raw_dir)) for source in project.loaded_sources]
    return tuple(_raw_file(source, path) for source, path in paths)


def _raw_file(source: Source, path: Path) -> RawFile:
    sha256 = file_digest(path)
    declared = json.dumps(asdict(source), sort_keys=True, default=str)
    return RawFile(source, path, sha256, digest(declared, sha256))


def contents(compilation: Compilation, files: Iterable[RawFile]) -> dict[str, str]:
    """Return the digest of what each loaded source and each seed holds, by unique id."""
    project = compilation.project
    by_relation = {file.source.qualified_name: file.digest for file in files}
    result = {
        node.unique_id: by_relation[node.relation.qualified_name]
        for node in compilation.of_kind(NodeKind.SOURCE)
        if node.relation and node.relation.qualified_name in by_relation
    }
    for node in compilation.of_kind(NodeKind.SEED):
        result[node.unique_id] = file_digest(project.seeds[node.name].file)
    return result
