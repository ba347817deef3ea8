"""Finds and reads every file of a project: models, seeds, macros, checks, properties."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genredb.errors import ProjectError, did_you_mean
from genredb.project.config import Config
from genredb.project.files import read_text, read_yaml
from genredb.project.nodes import CheckSpec, MacroFile, Model, Seed, Source
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
        content = path.read_bytes()
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
        if folder.is_dir():
            yield from sorted(path for path in folder.rglob(f"*{suffix}") if path.is_file())


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
        sources={(source.source_name, source.name): source for file in yml for source in file.sources},
        checks=(*_stated_checks(yml), *_singular_checks(config)),
        macros=tuple(
            MacroFile(config.show_path(path), read_text(path)) for path in _find(config.macro_paths, ".sql")
        ),
    )


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


def _models(config: Config, properties: dict[str, Properties]) -> dict[str, Model]:
    models: dict[str, Model] = {}
    for folder in config.model_paths:
        for path in _find((folder,), ".sql"):
            name, shown = path.stem, config.show_path(path)
            if name in models:
                raise ProjectError(f"{models[name].path} and {shown} share the name '{name}'; rename one.")
            stated = properties.get(name)
            fqn = (config.name, *path.relative_to(folder).with_suffix("").parts)
            models[name] = Model(
                name=name,
                path=shown,
                text=read_text(path),
                config=_folder_config(config.models, fqn) | (dict(stated.config) if stated else {}),
                description=stated.description if stated else "",
                columns=stated.columns if stated else (),
            )
    _refuse_unknown(properties, models, "model")
    return models


def _seeds(config: Config, properties: dict[str, Properties]) -> dict[str, Seed]:
    seeds: dict[str, Seed] = {}
    for folder in config.seed_paths:
        for path in _find((folder,), ".csv"):
            name, shown = path.stem, config.show_path(path)
            if name in seeds:
                raise ProjectError(f"{seeds[name].path} and {shown} share the name '{name}'; rename one.")
            stated = properties.get(name)
            fqn = (config.name, *path.relative_to(folder).with_suffix("").parts)
            seeds[name] = Seed(
                name=name,
                path=shown,
                file=path,
                config=_folder_config(config.seeds, fqn) | (dict(stated.config) if stated else {}),
                description=stated.description if stated else "",
                columns=stated.columns if stated else (),
            )
    _refuse_unknown(properties, seeds, "seed")
    return seeds


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
