"""Reads all files of a project and of its packages."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from genredb.errors import Notice
from genredb.runner.problems import Problems
from genredb.runner.project.config import Config
from genredb.runner.project.docs_blocks import read_docs
from genredb.runner.project.files import read_text
from genredb.runner.project.package import PROJECT_FILE
from genredb.runner.project.package_reader import PackageReader
from genredb.runner.project.raw_folder import unread_notices
from genredb.runner.project.specs import (
    CheckSpec,
    Contents,
    ExposureSpec,
    Group,
    MacroFile,
    ModelSpec,
    SeedSpec,
    UnitTestSpec,
)
from genredb.runner.project.unused import unread_variables, unused_folders
from genredb.warehouse.declared import SourceSpec


@dataclass(frozen=True)
class Project:
    """The contents of a project's files and of its packages; models, seeds and sources by unique id.

    Snapshots are among the models. ``environment`` has the environment variables that the yml files use,
    ``notices`` name settings that have no effect.
    """

    config: Config
    models: Mapping[str, ModelSpec]
    seeds: Mapping[str, SeedSpec]
    sources: Mapping[str, SourceSpec]
    checks: tuple[CheckSpec, ...]
    unit_tests: tuple[UnitTestSpec, ...]
    macros: tuple[MacroFile, ...]
    groups: tuple[Group, ...] = ()
    exposures: tuple[ExposureSpec, ...] = ()
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
    """Read the project and its packages, and what is wrong with their files."""
    problems = Problems()
    docs: dict[str, dict[str, str]] = {}
    for package in config.packages:
        with problems.gathered_of_all():
            docs[package.name] = read_docs(package)
    found: list[Contents] = []
    known = {name: text for one in docs.values() for name, text in one.items()}
    for package in config.packages:
        # A docs block of its own comes first.
        reader = PackageReader(config, package, {**known, **docs.get(package.name, {})}, problems)
        found.append(reader.read())
    project = Project(
        config=config,
        models={model.unique_id: model for contents in found for model in contents.models},
        seeds={seed.unique_id: seed for contents in found for seed in contents.seeds},
        sources={source.unique_id: source for contents in found for source in contents.sources},
        checks=tuple(check for contents in found for check in contents.checks),
        unit_tests=tuple(test for contents in found for test in contents.unit_tests),
        macros=tuple(file for contents in found for file in contents.macros),
        groups=tuple(group for contents in found for group in contents.groups),
        exposures=tuple(one for contents in found for one in contents.exposures),
        environment=tuple(sorted({*config.environment, *(n for c in found for n in c.environment)})),
    )
    notices = [*config.notices, *(notice for contents in found for notice in contents.notices)]
    notices += unread_notices(project.sources.values(), config)
    if not problems.hides_more:
        notices += _without_effect(project, found)
    return replace(project, notices=tuple(dict.fromkeys(notices))), problems


def _without_effect(project: Project, found: list[Contents]) -> list[Notice]:
    """Return a notice for each configured folder and variable of the project that nothing matches."""
    config = project.config
    notices: list[Notice] = []
    for key, kind, fqns in (
        ("models", "model", [one.fqn for one in project.models.values() if one.resource_type == "model"]),
        (
            "snapshots",
            "snapshot",
            [one.fqn for one in project.models.values() if one.resource_type == "snapshot"],
        ),
        ("seeds", "seed", [seed.fqn for seed in project.seeds.values()]),
        ("sources", "source", [fqn for contents in found for fqn in contents.source_fqns]),
        ("data_tests", "check", [spec.fqn for spec in project.checks]),
    ):
        notices += unused_folders(key, config.package.tree(kind), fqns, PROJECT_FILE)
    texts = [text for contents in found for text in contents.texts]
    stated = [read_text(path) for package in config.packages for path in package.files]
    declared = frozenset(config.package.vars_for(config.name)) - {one.name for one in config.installed}
    notices += unread_variables(declared, config.settings.vars, (*stated, *texts), PROJECT_FILE)
    return notices
