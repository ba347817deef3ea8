"""What a build is made from, as digests: project files, variables, environment, raw CSVs, seeds."""

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from genredb import __version__
from genredb.compile import Compilation, NodeKind, digest
from genredb.project import Config, Project, Source
from genredb.warehouse import file_digest, source_file


@dataclass(frozen=True)
class RawFile:
    """A source's CSV, and a digest of its bytes together with how the source declares it."""

    source: Source
    path: Path
    digest: str


def raw_files(project: Project) -> tuple[RawFile, ...]:
    """Find and digest the CSV of every source; InputError where one is missing."""
    paths = [(source, source_file(source, project.config.raw_dir)) for source in project.loaded_sources]
    return tuple(RawFile(source, path, _load_digest(source, path)) for source, path in paths)


def _load_digest(source: Source, path: Path) -> str:
    declared = json.dumps(asdict(source), sort_keys=True, default=str)
    return digest(declared, file_digest(path))


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


def inputs_digest(config: Config, files_digest: str, environment: Iterable[str]) -> str:
    """Return one digest of all that can change a build, but for what the raw files hold.

    ``files_digest`` is that of the project's files, ``environment`` names the variables that the
    templates of the last build asked for.
    """
    return digest(
        __version__,
        config.name,
        files_digest,
        json.dumps(dict(config.vars), sort_keys=True, default=str),
        json.dumps({name: os.environ.get(name) for name in environment}),
        json.dumps(config.target["name"]),
        json.dumps(config.profile.settings, sort_keys=True, default=str),
        config.schema,
    )
