"""Reads all files of one package: models, seeds, macros, checks, unit tests, properties, docs blocks."""

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from genredb.errors import Notice, Place, ProjectError
from genredb.runner.problems import Problems
from genredb.runner.project.config import Config
from genredb.runner.project.docs_blocks import describer
from genredb.runner.project.doubled import doubled, doubled_names
from genredb.runner.project.files import parse_yaml, read_text
from genredb.runner.project.find import YML, find
from genredb.runner.project.key_faults import check_keys
from genredb.runner.project.keys import PROPERTIES
from genredb.runner.project.merge import folder_config, merged
from genredb.runner.project.package import Package
from genredb.runner.project.properties import Properties, PropertiesFile, parse_properties
from genredb.runner.project.python_code import read_python_code
from genredb.runner.project.roles import with_roles
from genredb.runner.project.snapshot_blocks import snapshot_blocks
from genredb.runner.project.specs import (
    CheckSpec,
    Contents,
    DatasetSpec,
    MacroFile,
    ModelSpec,
    SeedSpec,
    SnapshotSpec,
    UnitTestSpec,
)
from genredb.runner.project.stated_checks import fixture_reader, read_unit_test
from genredb.runner.project.stated_values import check_values
from genredb.runner.project.unused import unnamed_checks, with_named_checks
from genredb.runner.project.yml_jinja import YmlRenderer
from genredb.warehouse.declared import SourceSpec

Spec = TypeVar("Spec", bound=DatasetSpec)


class PackageReader:
    """Collects errors and notices while the files of a package are read."""

    def __init__(self, config: Config, package: Package, docs: Mapping[str, str], problems: Problems) -> None:
        self._config = config
        self._package = package
        self._docs = docs
        self._problems = problems
        self._notices: list[Notice] = []
        self._source_fqns: list[tuple[str, ...]] = []
        self._texts: list[str] = []  # all templates: SQL, macros and yml
        self._renderer = YmlRenderer(config.vars_of(package.name), config.target)

    def read(self) -> Contents:
        """Return the contents of all files."""
        config, package = self._config, self._package
        yml = self._read_yml()
        models = self._models(self._by_name(entry for file in yml for entry in file.models))
        seeds = self._seeds(self._by_name(entry for file in yml for entry in file.seeds))
        snapshots = self._snapshots(self._by_name(entry for file in yml for entry in file.snapshots))
        for error in doubled_names((*models.values(), *seeds.values(), *snapshots.values())):
            self._problems.add(error)
        generic = tuple(path / "generic" for path in package.test_paths)
        macro_files = find((*package.macro_paths, *generic), ".sql")
        return Contents(
            models=(*models.values(), *snapshots.values()),
            seeds=tuple(seeds.values()),
            sources=tuple(self._sources(yml)),
            checks=tuple(self._checks(yml)),
            unit_tests=tuple(self._unit_tests(yml)),
            macros=tuple(
                MacroFile(package.name, config.show_path(path), self._text(path)) for path in macro_files
            ),
            groups=tuple(replace(group, package=package.name) for file in yml for group in file.groups),
            exposures=tuple(
                replace(one, fqn=(package.name, *self._folders(one.path), one.name))
                for file in yml
                for one in file.exposures
            ),
            source_fqns=tuple(self._source_fqns),
            texts=tuple(self._texts),
            environment=frozenset(self._renderer.environment_names),
            notices=tuple(self._notices),
        )

    def _text(self, path: Path) -> str:
        with self._problems.gathered_of_all():
            self._texts.append(read_text(path))
            return self._texts[-1]
        return ""

    def _read_yml(self) -> list[PropertiesFile]:
        files: list[PropertiesFile] = []
        for path in find(self._package.properties_paths, *YML):
            shown = self._config.show_path(path)
            text, stated = self._text(path), {}
            with self._problems.gathered_of_all():
                stated = with_named_checks(parse_yaml(text, shown))
            with self._problems.gathered():  # a misspelt key hides little
                self._notices += check_keys(stated, PROPERTIES, shown, text)
            with self._problems.gathered_of_all():
                self._notices += unnamed_checks(stated, shown)
                read = {key: value for key, value in stated.items() if key not in PROPERTIES.ignored}
                content = self._renderer.render(read, shown)
                files.append(parse_properties(content, shown, describer(self._docs, shown)))
        return files

    def _snapshots(self, properties: dict[str, Properties]) -> dict[str, SnapshotSpec]:
        """Return the snapshots: blocks of SQL files, and entries of properties files that name a relation."""
        found: dict[str, SnapshotSpec] = {}
        for folder in self._package.snapshot_paths:
            for file in find((folder,), ".sql"):
                shown, folders = self._config.show_path(file), file.relative_to(folder).with_suffix("").parts
                with self._problems.gathered():
                    for name, text in snapshot_blocks(self._text(file), shown):
                        if name in found:
                            self._problems.add(doubled(name, found[name].path, shown))
                        stated = properties.get(name) or Properties(name, shown, config={})
                        place = (self._package.name, *folders, name)
                        found[name] = self._snapshot(file, shown, place, text, stated)
        for name, stated in properties.items():
            if stated.relation and name not in found:
                file = self._config.root / stated.path
                text = f"select * from {{{{ {stated.relation} }}}}"
                place = (self._package.name, *self._folders(stated.path), name)
                found[name] = self._snapshot(file, stated.path, place, text, stated)
        self._notice_unknown(properties, found, "snapshot")
        return found

    def _snapshot(
        self, file: Path, shown: str, fqn: tuple[str, ...], text: str, stated: Properties
    ) -> SnapshotSpec:
        return SnapshotSpec(stated.name, shown, file, text=text, **self._facts("snapshot", fqn, stated))

    def _facts(self, kind: str, fqn: tuple[str, ...], stated: Properties) -> dict[str, Any]:
        """Return what files state of a node, besides where it is."""
        return {
            "config": self._valued(self._settled(kind, fqn, stated.config), stated.path),
            "fqn": fqn,
            "overrides": self._overrides(kind, fqn),
            "description": stated.description,
            "columns": stated.columns,
            **(stated.of_model if kind == "model" else {}),
        }

    def _valued(self, config: dict[str, Any], place: str) -> dict[str, Any]:
        """Return the configuration, or an empty one if it has an invalid value."""
        with self._problems.gathered():
            check_values(config, place)
            return config
        return {}

    def _by_name(self, entries: Iterable[Properties]) -> dict[str, Properties]:
        named: dict[str, Properties] = {}
        for entry in entries:
            name = self._file_name(entry)
            if name in named:
                other = named[name].path
                where = f"in {other} and in {entry.path}" if other != entry.path else f"twice in {other}"
                self._problems.add(ProjectError(f"'{name}' is described {where}"))
            named[name] = entry
        return named

    def _file_name(self, entry: Properties) -> str:
        """Return the name of an entry's file: the latest version of a model may have the model's name."""
        is_latest = entry.version is not None and entry.version.is_latest
        has_plain_name = is_latest and entry.file not in (files := self._model_files) and entry.name in files
        return entry.name if has_plain_name or not entry.file else entry.file

    @functools.cached_property
    def _model_files(self) -> set[str]:
        return {file.stem for file in find(self._package.model_paths, ".sql", ".py")}

    def _sources(self, yml: Iterable[PropertiesFile]) -> Iterator[SourceSpec]:
        paths: dict[tuple[str, str], str] = {}
        for source in (source for file in yml for source in file.sources):
            key = (source.source_name, source.name)
            if key in paths:
                both = f"{paths[key]} and {source.path}"
                self._problems.add(ProjectError(f"The source {'.'.join(key)} is declared in {both}"))
            paths[key] = source.path
            fqn = (self._package.name, *self._folders(source.path), *key)
            config = self._valued(self._settled("source", fqn, source.config), source.path)
            config = merged(config, self._overrides("source", fqn))
            self._source_fqns.append(fqn)
            yield replace(source, config=config, package=self._package.name)

    def _settled(self, kind: str, fqn: tuple[str, ...], stated: Mapping[str, Any]) -> dict[str, Any]:
        """Return a node's configuration in its own package's files."""
        return merged(folder_config(self._package.tree(kind), fqn), stated)

    def _overrides(self, kind: str, fqn: tuple[str, ...]) -> dict[str, Any]:
        """Return the configuration that the project states for a node of a package."""
        project = self._config.package
        return {} if self._package is project else folder_config(project.tree(kind), fqn)

    def _checks(self, yml: Iterable[PropertiesFile]) -> Iterator[CheckSpec]:
        for file in yml:
            for spec in file.source_checks:
                yield self._configured(spec)
            for entry in (*file.models, *file.seeds, *file.snapshots):
                for spec in entry.checks:
                    yield self._configured(spec)
        described = self._by_name(entry for file in yml for entry in file.singular_checks)
        for folder in self._package.test_paths:
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
                    fqn=(self._package.name, *path.relative_to(folder).with_suffix("").parts),
                )
                yield self._configured(spec)

    def _configured(self, spec: CheckSpec) -> CheckSpec:
        fqn = spec.fqn or (self._package.name, *self._folders(spec.path))
        stated: Mapping[str, Any] = {}
        with self._problems.gathered():
            stated = self._renderer.render(spec.config, spec.path)
        config = self._valued(self._settled("check", fqn, stated), spec.path)
        return replace(spec, config=config, fqn=fqn, overrides=self._overrides("check", fqn))

    def _folders(self, path: str) -> tuple[str, ...]:
        """Return the folders between a properties file and the model (or seed …) path above it."""
        file = self._config.root / path
        above = next(one for one in self._package.properties_paths if file.is_relative_to(one))
        return file.relative_to(above).parent.parts

    def _unit_tests(self, yml: Iterable[PropertiesFile]) -> Iterator[UnitTestSpec]:
        fixtures = fixture_reader(self._package.test_paths)
        for file in yml:
            for i, stated in enumerate(file.unit_tests):
                with self._problems.gathered():
                    spec = read_unit_test(stated, file.path, ("unit_tests", i), fixtures)
                    yield replace(spec, package=self._package.name)

    def _models(self, properties: dict[str, Properties]) -> dict[str, ModelSpec]:
        found = self._found(
            self._package.model_paths,
            (".sql", ".py"),
            properties,
            self._model,
        )
        self._notice_unknown(properties, found, "model")
        models = dict(found)
        for name, model in found.items():
            with self._problems.gathered():
                models[name] = with_roles(model, found)
        return models

    def _model(self, name: str, path: str, file: Path, **facts: Any) -> ModelSpec:
        text, code = self._text(file), None
        if file.suffix == ".py":
            with self._problems.gathered_of_all():
                code = read_python_code(text, path)
        return ModelSpec(name, path, file, text=text, python=code, **facts)

    def _seeds(self, properties: dict[str, Properties]) -> dict[str, SeedSpec]:
        found = self._found(self._package.seed_paths, (".csv",), properties, SeedSpec)
        self._notice_unknown(properties, found, "seed")
        return found

    def _found(
        self,
        folders: Iterable[Path],
        suffixes: tuple[str, ...],
        properties: Mapping[str, Properties],
        spec: Callable[..., Spec],
    ) -> dict[str, Spec]:
        """Return the files of one kind of node, with their configuration and properties, by name."""
        kind = "seed" if spec is SeedSpec else "model"
        found: dict[str, Spec] = {}
        for folder in folders:
            for file in find((folder,), *suffixes):
                name, shown = file.stem, self._config.show_path(file)
                if name in found:
                    self._problems.add(doubled(name, found[name].path, shown))
                    continue
                stated = properties.get(name) or Properties(name, shown, config={})
                place = (self._package.name, *file.relative_to(folder).with_suffix("").parts)
                fqn = (*place[:-1], stated.name, stated.version.tag) if stated.version else place
                found[name] = spec(stated.name, shown, file, **self._facts(kind, fqn, stated))
        return found

    def _notice_unknown(
        self, properties: Mapping[str, Properties], known: Mapping[str, object], kind: str
    ) -> None:
        for name, entry in properties.items():
            if name not in known:
                what = f"the {kind} '{name}' is described here, but has no file"
                self._notices.append(Notice(what, Place(entry.path), name=name, choices=tuple(known)))
