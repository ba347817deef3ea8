"""Reads every file of a project: models, seeds, macros, checks, unit tests, properties, docs blocks."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from genredb.errors import Problems, ProjectError, did_you_mean
from genredb.project.config import PROJECT_FILE, Config
from genredb.project.files import parse_yaml, read_text, read_yaml
from genredb.project.find import YML, find, yml_folders
from genredb.project.keys import PROPERTIES, check_keys
from genredb.project.merge import folder_config, merged
from genredb.project.nodes import CheckSpec, MacroFile, Model, Seed, Source, UnitTestSpec
from genredb.project.properties import Properties, PropertiesFile, entries, parse_properties
from genredb.project.raw_folder import unread_notices
from genredb.project.roles import with_roles
from genredb.project.stated_checks import read_unit_test
from genredb.project.stated_values import check_values
from genredb.project.unused import unread_variables, unused_folders
from genredb.project.yml_jinja import YmlRenderer

_DOCS = re.compile(r"\{%-?\s*docs\s+(\w+)\s*-?%\}(.*?)\{%-?\s*enddocs\s*-?%\}", re.DOTALL)
_SNAPSHOT = re.compile(r"\{%-?\s*snapshot\s+(\w+)")
_DOC_CALL = re.compile(r"""\{\{-?\s*doc\(\s*(?:['"]\w+['"]\s*,\s*)?['"](\w+)['"]\s*\)\s*-?\}\}""")


@dataclass(frozen=True)
class Project:
    """All that the files of a project say, by name. ``notices`` name what of it has no effect.

    ``snapshots`` are the names of those, which are not built.

    ``environment`` names the environment variables that its yml files asked for.
    """

    config: Config
    models: Mapping[str, Model]
    seeds: Mapping[str, Seed]
    sources: Mapping[tuple[str, str], Source]
    checks: tuple[CheckSpec, ...]
    unit_tests: tuple[UnitTestSpec, ...]
    macros: tuple[MacroFile, ...]
    snapshots: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()

    @property
    def loaded_sources(self) -> tuple[Source, ...]:
        """The sources that genredb loads from files, in the order of the properties file."""
        return tuple(source for source in self.sources.values() if source.files is not None)


def read_project(config: Config) -> Project:
    """Read the project; ProjectError where files are wrong or a name stands twice, all faults at once."""
    return _Reader(config).read()


class _Reader:
    """Gathers faults and notices while the files of one project are read."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._problems = Problems()
        self._notices = list(config.notices)
        self._source_fqns: list[tuple[str, ...]] = []
        self._texts: list[str] = []  # every template: of SQL, macros and yml
        self._renderer = YmlRenderer(config.vars, config.target)
        self._docs = self._read_docs()

    def read(self) -> Project:
        config = self._config
        yml = self._read_yml()
        snapshots = self._snapshots()
        models = self._models(self._by_name(entry for file in yml for entry in file.models))
        seeds = self._seeds(self._by_name(entry for file in yml for entry in file.seeds))
        for name in models.keys() & seeds.keys():
            self._problems.add(
                f"{models[name].path} and {seeds[name].path} share the name '{name}'; rename one."
            )
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
        self._problems.raise_all()
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
        with self._problems.gathered():
            self._texts.append(read_text(path))
            return self._texts[-1]
        return ""

    def _read_docs(self) -> dict[str, str]:
        config = self._config
        folders = (*config.model_paths, *config.seed_paths, *config.macro_paths)
        texts = (self._text(path) for path in find(folders, ".md"))
        return {name: text.strip() for text in texts for name, text in _DOCS.findall(text)}

    def _read_yml(self) -> list[PropertiesFile]:
        files: list[PropertiesFile] = []
        for path in find(yml_folders(self._config), *YML):
            shown = self._config.show_path(path)
            with self._problems.gathered():
                text = self._text(path)
                stated = parse_yaml(text, shown)
                with self._problems.gathered():
                    self._notices += check_keys(stated, PROPERTIES, shown, text)
                content = self._renderer.render(stated, shown)
                files.append(parse_properties(content, shown, self._describer(shown)))
        return files

    def _snapshots(self) -> tuple[str, ...]:
        """Return the names of the snapshots, and give notice of each."""
        config = self._config
        found: dict[str, str] = {}
        for path in find(config.snapshot_paths, ".sql"):
            found |= dict.fromkeys(_SNAPSHOT.findall(self._text(path)), config.show_path(path))
        for path in find((*config.snapshot_paths, *yml_folders(config)), *YML):
            shown = config.show_path(path)
            with self._problems.gathered():
                for entry in entries(read_yaml(path), "snapshots", shown):
                    found.setdefault(entry["name"], shown)
        self._notices += [
            f"{path}: genredb builds no snapshots; {name} is not built." for name, path in found.items()
        ]
        return tuple(found)

    def _valued(self, config: dict[str, Any], place: str) -> dict[str, Any]:
        """Return the configuration, or an empty one where a value of it cannot be one."""
        with self._problems.gathered():
            check_values(config, place)
            return config
        return {}

    def _describer(self, path: str) -> Callable[[str], str]:
        """Give a function that puts docs blocks into a description."""

        def block(match: re.Match[str]) -> str:
            if match[1] not in self._docs:
                hint = did_you_mean(match[1], self._docs)
                raise ProjectError(f"{path}: there is no docs block '{match[1]}'.{hint}")
            return self._docs[match[1]]

        return lambda text: _DOC_CALL.sub(block, text) if "{{" in text else text

    def _by_name(self, entries: Iterable[Properties]) -> dict[str, Properties]:
        named: dict[str, Properties] = {}
        for entry in entries:
            if entry.name in named:
                self._problems.add(
                    f"'{entry.name}' is described in {named[entry.name].path} and in {entry.path}."
                )
            named[entry.name] = entry
        return named

    def _sources(self, yml: Iterable[PropertiesFile]) -> dict[tuple[str, str], Source]:
        sources: dict[tuple[str, str], Source] = {}
        for source in (source for file in yml for source in file.sources):
            key = (source.source_name, source.name)
            if key in sources:
                self._problems.add(
                    f"The source {'.'.join(key)} is declared in {sources[key].path} and {source.path}."
                )
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
                    keys = ("unit_tests", i)
                    yield read_unit_test(stated, file.path, keys, self._read_fixture)

    def _read_fixture(self, name: str, kind: str) -> str:
        files = {path.stem: path for path in find(self._config.test_paths, f".{kind}")}
        if name not in files:
            raise ProjectError(
                f"There is no fixture {name}.{kind} below the tests.{did_you_mean(name, files)}"
            )
        return read_text(files[name])

    def _models(self, properties: dict[str, Properties]) -> dict[str, Model]:
        config = self._config
        for path in find(config.model_paths, ".py"):
            self._problems.add(f"{config.show_path(path)}: genredb runs no Python models; write it in SQL.")
        found = {
            name: Model(name, shown, self._text(file), settled, fqn, stated.description, stated.columns)
            for name, file, shown, settled, fqn, stated in self._found("model", ".sql", properties)
        }
        self._notice_unknown(properties, found, "model")
        models = dict(found)
        for name, model in found.items():
            with self._problems.gathered():
                models[name] = with_roles(model, found)
        return models

    def _seeds(self, properties: dict[str, Properties]) -> dict[str, Seed]:
        found = {
            name: Seed(name, shown, file, settled, fqn, stated.description, stated.columns)
            for name, file, shown, settled, fqn, stated in self._found("seed", ".csv", properties)
        }
        self._notice_unknown(properties, found, "seed")
        return found

    def _found(
        self, kind: str, suffix: str, properties: Mapping[str, Properties]
    ) -> Iterator[tuple[str, Path, str, Mapping[str, Any], tuple[str, ...], Properties]]:
        """Find the files of one kind of node, with what dbt_project.yml and the properties say of each."""
        config = self._config
        folders, tree = (
            (config.model_paths, config.models) if kind == "model" else (config.seed_paths, config.seeds)
        )
        paths: dict[str, str] = {}
        for folder in folders:
            for file in find((folder,), suffix):
                name, shown = file.stem, config.show_path(file)
                if name in paths:
                    self._problems.add(f"{paths[name]} and {shown} share the name '{name}'; rename one.")
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
                hint = did_you_mean(name, known)
                self._notices.append(f"{entry.path} describes the {kind} '{name}', which has no file.{hint}")
