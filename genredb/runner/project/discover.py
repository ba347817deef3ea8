"""Reads all files of a project: models, seeds, macros, checks, unit tests, properties, docs blocks."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from genredb.errors import Notice, Place, ProjectError
from genredb.runner.problems import Problems
from genredb.runner.project.config import PROJECT_FILE, Config
from genredb.runner.project.docs_blocks import describer, docs_blocks
from genredb.runner.project.files import parse_yaml, read_text
from genredb.runner.project.find import YML, find, yml_folders
from genredb.runner.project.key_faults import check_keys
from genredb.runner.project.keys import PROPERTIES
from genredb.runner.project.merge import folder_config, merged
from genredb.runner.project.properties import Properties, PropertiesFile, entries, parse_properties
from genredb.runner.project.raw_folder import unread_notices
from genredb.runner.project.roles import with_roles
from genredb.runner.project.specs import CheckSpec, MacroFile, ModelSpec, SeedSpec, UnitTestSpec
from genredb.runner.project.stated_checks import read_unit_test
from genredb.runner.project.stated_values import check_values
from genredb.runner.project.unused import unnamed_checks, unread_variables, unused_folders
from genredb.runner.project.yml_jinja import YmlRenderer
from genredb.warehouse.declared import SourceSpec

_SNAPSHOT = re.compile(r"\{%-?\s*snapshot\s+(\w+)")


@dataclass(frozen=True)
class Project:
    """The contents of a project's files, by name. ``notices`` name settings that have no effect.

    ``snapshots`` are not built. ``environment`` has the environment variables that the yml files use.
    """

    config: Config
    models: Mapping[str, ModelSpec]
    seeds: Mapping[str, SeedSpec]
    sources: Mapping[tuple[str, str], SourceSpec]
    checks: tuple[CheckSpec, ...]
    unit_tests: tuple[UnitTestSpec, ...]
    macros: tuple[MacroFile, ...]
    snapshots: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()
    notices: tuple[Notice, ...] = ()

    @property
    def loaded_sources(self) -> tuple[SourceSpec, ...]:
        """The sources that genredb loads from files, in the order of the properties file."""
        return tuple(source for source in self.sources.values() if source.files is not None)


def read_project(config: Config) -> Project:
    """Read the project; raise one ProjectError for all invalid files and duplicate names."""
    project, problems = read_files(config)
    problems.raise_all()
    return project


def read_files(config: Config) -> tuple[Project, Problems]:
    """Read the project, and what is wrong with its files."""
    problems = Problems()
    return _Reader(config, problems).read(), problems


class _Reader:
    """Collects errors and notices while the files of a project are read."""

    def __init__(self, config: Config, problems: Problems) -> None:
        self._config = config
        self._problems = problems
        self._notices = list(config.notices)
        self._source_fqns: list[tuple[str, ...]] = []
        self._texts: list[str] = []  # all templates: SQL, macros and yml
        self._renderer = YmlRenderer(config.vars, config.target)
        self._docs = self._read_docs()

    def read(self) -> Project:
        config = self._config
        yml = self._read_yml()
        snapshots = self._snapshots()
        models = self._models(self._by_name(entry for file in yml for entry in file.models))
        seeds = self._seeds(self._by_name(entry for file in yml for entry in file.seeds))
        for name in models.keys() & seeds.keys():
            self._add_doubled(name, models[name].path, seeds[name].path)
        sources = self._sources(yml)
        self._notices += unread_notices(sources.values(), config)
        generic = tuple(path / "generic" for path in config.test_paths)
        project = Project(
            config=config,
            models=models,
            seeds=seeds,
            sources=sources,
            checks=tuple(self._checks(yml)),
            unit_tests=tuple(self._unit_tests(yml)),
            macros=tuple(
                MacroFile(config.show_path(path), self._text(path))
                for path in find((*config.macro_paths, *generic), ".sql")
            ),
            snapshots=snapshots,
            environment=tuple(sorted({*config.environment, *self._renderer.environment_names})),
        )
        for key, tree, found in (
            ("models", config.models, [model.fqn for model in models.values()]),
            ("seeds", config.seeds, [seed.fqn for seed in seeds.values()]),
            ("sources", config.sources, self._source_fqns),
            ("data_tests", config.checks, [spec.fqn for spec in project.checks]),
        ):
            self._notices += unused_folders(key, tree, found, PROJECT_FILE)
        self._notices += unread_variables(
            config.declared_vars,
            config.settings.vars,
            (read_text(config.root / PROJECT_FILE), *self._texts),
            PROJECT_FILE,
        )
        return replace(project, notices=tuple(dict.fromkeys(self._notices)))

    def _text(self, path: Path) -> str:
        with self._problems.gathered_of_all():
            self._texts.append(read_text(path))
            return self._texts[-1]
        return ""

    def _read_docs(self) -> dict[str, str]:
        config = self._config
        folders = (*config.model_paths, *config.seed_paths, *config.macro_paths)
        return docs_blocks(self._text(path) for path in find(folders, ".md"))

    def _read_yml(self) -> list[PropertiesFile]:
        files: list[PropertiesFile] = []
        for path in find(yml_folders(self._config), *YML):
            shown = self._config.show_path(path)
            with self._problems.gathered_of_all():
                text = self._text(path)
                stated = parse_yaml(text, shown)
                with self._problems.gathered():
                    self._notices += check_keys(stated, PROPERTIES, shown, text)
                self._notices += unnamed_checks(stated, shown)
                read = {key: value for key, value in stated.items() if key not in PROPERTIES.ignored}
                content = self._renderer.render(read, shown)
                files.append(parse_properties(content, shown, describer(self._docs, shown)))
        return files

    def _snapshots(self) -> tuple[str, ...]:
        """Return the names of the snapshots, adding a notice for each."""
        config = self._config
        found: dict[str, str] = {}
        for path in find(config.snapshot_paths, ".sql"):
            found |= dict.fromkeys(_SNAPSHOT.findall(self._text(path)), config.show_path(path))
        for path in find((*config.snapshot_paths, *yml_folders(config)), *YML):
            shown = config.show_path(path)
            with self._problems.gathered():
                for entry in entries(parse_yaml(read_text(path), shown), "snapshots", shown):
                    found.setdefault(entry["name"], shown)
        self._notices += [
            Notice(f"genredb does not support snapshots; {name} is not built", Place(path))
            for name, path in found.items()
        ]
        return tuple(found)

    def _valued(self, config: dict[str, Any], place: str) -> dict[str, Any]:
        """Return the configuration, or an empty one if it has an invalid value."""
        with self._problems.gathered():
            check_values(config, place)
            return config
        return {}

    def _by_name(self, entries: Iterable[Properties]) -> dict[str, Properties]:
        named: dict[str, Properties] = {}
        for entry in entries:
            if entry.name in named:
                other = named[entry.name].path
                where = f"in {other} and in {entry.path}" if other != entry.path else f"twice in {other}"
                self._problems.add(ProjectError(f"'{entry.name}' is described {where}"))
            named[entry.name] = entry
        return named

    def _sources(self, yml: Iterable[PropertiesFile]) -> dict[tuple[str, str], SourceSpec]:
        sources: dict[tuple[str, str], SourceSpec] = {}
        for source in (source for file in yml for source in file.sources):
            key = (source.source_name, source.name)
            if key in sources:
                paths = f"{sources[key].path} and {source.path}"
                self._problems.add(ProjectError(f"The source {'.'.join(key)} is declared in {paths}"))
            fqn = (self._config.name, *self._folders(source.path), *key)
            config = merged(folder_config(self._config.sources, fqn), source.config)
            config = self._valued(config, source.path)
            sources[key] = replace(source, config=config)
            self._source_fqns.append(fqn)
        return sources

    def _checks(self, yml: Iterable[PropertiesFile]) -> Iterator[CheckSpec]:
        for file in yml:
            for spec in file.source_checks:
                yield self._configured(spec)
            for entry in (*file.models, *file.seeds):
                for spec in entry.checks:
                    yield self._configured(spec)
        described = self._by_name(entry for file in yml for entry in file.singular_checks)
        for folder in self._config.test_paths:
            for path in find((folder,), ".sql"):
                if path.is_relative_to(folder / "generic"):
                    continue
                stated = described.get(path.stem) or Properties(path.stem, "", config={})
                spec = CheckSpec(
                    kind="singular",
                    path=self._config.show_path(path),
                    name=path.stem,
                    text=self._text(path),
                    config=stated.config,
                    description=stated.description,
                    fqn=(self._config.name, *path.relative_to(folder).with_suffix("").parts),
                )
                yield self._configured(spec)

    def _configured(self, spec: CheckSpec) -> CheckSpec:
        fqn = spec.fqn or (self._config.name, *self._folders(spec.path))
        config = merged(folder_config(self._config.checks, fqn), spec.config)
        config = self._valued(config, spec.path)
        return replace(spec, config=config, fqn=fqn)

    def _folders(self, path: str) -> tuple[str, ...]:
        """Return the folders between a properties file and the model (or seed …) path above it."""
        file = self._config.root / path
        above = next(folder for folder in yml_folders(self._config) if file.is_relative_to(folder))
        return file.relative_to(above).parent.parts

    def _unit_tests(self, yml: Iterable[PropertiesFile]) -> Iterator[UnitTestSpec]:
        for file in yml:
            for i, stated in enumerate(file.unit_tests):
                with self._problems.gathered():
                    yield read_unit_test(stated, file.path, ("unit_tests", i), self._read_fixture)

    def _read_fixture(self, name: str, kind: str) -> str:
        files = {path.stem: path for path in find(self._config.test_paths, f".{kind}")}
        if name not in files:
            raise ProjectError(
                f"There is no fixture {name}.{kind} in the test folders", name=name, choices=files
            )
        return read_text(files[name])

    def _models(self, properties: dict[str, Properties]) -> dict[str, ModelSpec]:
        config = self._config
        for path in find(config.model_paths, ".py"):
            with self._problems.gathered_of_all():
                what = "genredb does not support Python models"
                raise ProjectError(what, place=config.show_path(path), cure="write it in SQL")
        found = {
            name: ModelSpec(name, shown, self._text(file), settled, fqn, stated.description, stated.columns)
            for name, file, shown, settled, fqn, stated in self._found("model", ".sql", properties)
        }
        self._notice_unknown(properties, found, "model")
        models = dict(found)
        for name, model in found.items():
            with self._problems.gathered():
                models[name] = with_roles(model, found)
        return models

    def _seeds(self, properties: dict[str, Properties]) -> dict[str, SeedSpec]:
        found = {
            name: SeedSpec(name, shown, file, settled, fqn, stated.description, stated.columns)
            for name, file, shown, settled, fqn, stated in self._found("seed", ".csv", properties)
        }
        self._notice_unknown(properties, found, "seed")
        return found

    def _add_doubled(self, name: str, one: str, other: str) -> None:
        error = ProjectError(f"{one} and {other} share the name '{name}'", cure="rename one")
        self._problems.add(error)

    def _found(
        self, kind: str, suffix: str, properties: Mapping[str, Properties]
    ) -> Iterator[tuple[str, Path, str, Mapping[str, Any], tuple[str, ...], Properties]]:
        """Yield the files of one kind of node, with their configuration and properties."""
        config = self._config
        folders, tree = (
            (config.model_paths, config.models) if kind == "model" else (config.seed_paths, config.seeds)
        )
        paths: dict[str, str] = {}
        for folder in folders:
            for file in find((folder,), suffix):
                name, shown = file.stem, config.show_path(file)
                if name in paths:
                    self._add_doubled(name, paths[name], shown)
                    continue
                paths[name] = shown
                stated = properties.get(name) or Properties(name, shown, config={})
                fqn = (config.name, *file.relative_to(folder).with_suffix("").parts)
                settled = self._valued(merged(folder_config(tree, fqn), stated.config), shown)
                yield name, file, shown, settled, fqn, stated

    def _notice_unknown(
        self, properties: Mapping[str, Properties], known: Mapping[str, object], kind: str
    ) -> None:
        for name, entry in properties.items():
            if name not in known:
                what = f"the {kind} '{name}' is described here, but has no file"
                self._notices.append(Notice(what, Place(entry.path), name=name, choices=tuple(known)))
