"""Finds and reads every file of a project: models, seeds, macros, checks, properties."""

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genredb.errors import ProjectError, did_you_mean
from genredb.project.config import Config
from genredb.project.files import read_bytes, read_text, read_yaml
from genredb.project.nodes import CheckSpec, Column, MacroFile, Model, Seed, Source
from genredb.project.properties import Properties, PropertiesFile, parse_properties


@dataclass(frozen=True)
class Project:
    """All that the files of a project say, by name."""

    config: Config
    models: Mapping[str, Model]
    seeds: Mapping[str, Seed]
    sources: Mapping[tuple[str, str], Source]
    checks: tuple[CheckSpec, ...]
    macros: tuple[MacroFile, ...]

    @property
    def loaded_sources(self) -> tuple[Source, ...]:
        """The sources that genredb loads from a file, in the order of the properties file."""
        return tuple(source for source in self.sources.values() if source.file is not None)


def project_digest(config: Config) -> str:
    """Return a sha256 over the names and bytes of every file that the project consists of."""
    digest = hashlib.sha256()
    for path in (*config.files, *_project_files(config)):
        content = read_bytes(path)
        digest.update(f"{config.show_path(path)}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def _project_files(config: Config) -> Iterator[Path]:
    for folders, suffixes in (
        (config.model_paths, (".sql", ".yml", ".yaml")),
        (config.seed_paths, (".csv", ".yml", ".yaml")),
        (config.macro_paths, (".sql",)),
        (config.test_paths, (".sql",)),
    ):
        for suffix in suffixes:
            yield from _find(folders, suffix)


def _find(folders: Iterable[Path], suffix: str) -> Iterator[Path]:
    for folder in folders:
        found: list[Path] = []
        if folder.is_dir():
            for inside, _, names in os.walk(folder, onerror=_refuse_unreadable, followlinks=True):
                found += [Path(inside, name) for name in names if name.endswith(suffix)]
        yield from sorted(found)


def _refuse_unreadable(error: OSError) -> None:
    raise ProjectError(f"{error.filename} cannot be read: {error.strerror}.") from None


def read_project(config: Config) -> Project:
    """Read the project; ProjectError where a file is wrong, a name stands twice or describes nothing."""
    yml = [
        parse_properties(read_yaml(path), config.show_path(path))
        for suffix in (".yml", ".yaml")
        for path in _find((*config.model_paths, *config.seed_paths), suffix)
    ]
    models = _models(config, _by_name(entry for file in yml for entry in file.models))
    seeds = _seeds(config, _by_name(entry for file in yml for entry in file.seeds))
    for name in models.keys() & seeds.keys():
        raise ProjectError(f"{models[name].path} and {seeds[name].path} share the name '{name}'; rename one.")
    return Project(
        config=config,
        models=models,
        seeds=seeds,
        sources=_sources(yml),
        checks=(*_stated_checks(yml), *_singular_checks(config)),
        macros=tuple(
            MacroFile(config.show_path(path), read_text(path)) for path in _find(config.macro_paths, ".sql")
        ),
    )


def _sources(yml: Iterable[PropertiesFile]) -> dict[tuple[str, str], Source]:
    sources: dict[tuple[str, str], Source] = {}
    for source in (source for file in yml for source in file.sources):
        key = (source.source_name, source.name)
        if key in sources:
            raise ProjectError(
                f"The source {'.'.join(key)} is declared in {sources[key].path} and {source.path}."
            )
        sources[key] = source
    return sources


def _stated_checks(yml: Iterable[PropertiesFile]) -> Iterator[CheckSpec]:
    for file in yml:
        yield from file.source_checks
        for entry in (*file.models, *file.seeds):
            yield from entry.checks


def _singular_checks(config: Config) -> Iterator[CheckSpec]:
    for path in _find(config.test_paths, ".sql"):
        yield CheckSpec(kind="singular", path=config.show_path(path), name=path.stem, text=read_text(path))


def _by_name(entries: Iterable[Properties]) -> dict[str, Properties]:
    named: dict[str, Properties] = {}
    for entry in entries:
        if entry.name in named:
            raise ProjectError(
                f"'{entry.name}' is described in {named[entry.name].path} and in {entry.path}."
            )
        named[entry.name] = entry
    return named


@dataclass(frozen=True)
class _Found:
    """A file that is a node, with what dbt_project.yml and the properties say of it."""

    name: str
    file: Path
    path: str
    config: Mapping[str, Any]
    description: str
    columns: tuple[Column, ...]


def _models(config: Config, properties: dict[str, Properties]) -> dict[str, Model]:
    found = _nodes(config, config.model_paths, ".sql", config.models, properties)
    _refuse_unknown(properties, found, "model")
    return {
        name: Model(name, node.path, read_text(node.file), node.config, node.description, node.columns)
        for name, node in found.items()
    }


def _seeds(config: Config, properties: dict[str, Properties]) -> dict[str, Seed]:
    found = _nodes(config, config.seed_paths, ".csv", config.seeds, properties)
    _refuse_unknown(properties, found, "seed")
    return {
        name: Seed(name, node.path, node.file, node.config, node.description, node.columns)
        for name, node in found.items()
    }


def _nodes(
    config: Config,
    folders: Iterable[Path],
    suffix: str,
    tree: Mapping[str, Any],
    properties: Mapping[str, Properties],
) -> dict[str, _Found]:
    """Find the files of one kind of node, by name; ProjectError where two share one."""
    nodes: dict[str, _Found] = {}
    for folder in folders:
        for file in _find((folder,), suffix):
            name, path = file.stem, config.show_path(file)
            if name in nodes:
                raise ProjectError(f"{nodes[name].path} and {path} share the name '{name}'; rename one.")
            stated = properties.get(name) or Properties(name, path, "", {}, (), ())
            fqn = (config.name, *file.relative_to(folder).with_suffix("").parts)
            settled = _folder_config(tree, fqn) | dict(stated.config)
            nodes[name] = _Found(name, file, path, settled, stated.description, stated.columns)
    return nodes


def _refuse_unknown(properties: Mapping[str, Properties], known: Mapping[str, object], kind: str) -> None:
    for name, entry in properties.items():
        if name not in known:
            raise ProjectError(
                f"{entry.path} describes the {kind} '{name}', which has no file.{did_you_mean(name, known)}"
            )


def _folder_config(tree: Mapping[str, Any], fqn: tuple[str, ...]) -> dict[str, Any]:
    """Return the configuration that dbt_project.yml gives a node: outer folders first, inner ones win."""
    config: dict[str, Any] = {}
    level: Any = tree
    for part in (*fqn, None):
        for key, value in level.items():
            if key.startswith("+") or not isinstance(value, Mapping):
                config[key.removeprefix("+")] = value
        level = level.get(part)
        if not isinstance(level, Mapping):
            break
    return config
