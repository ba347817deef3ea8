"""The state shared while compiling the nodes of one project: names, templates, problems."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from genredb.runner.graph.naming import Names
from genredb.runner.graph.templates import Templates
from genredb.runner.problems import Problems
from genredb.runner.project.discover import Project
from genredb.runner.project.specs import DatasetSpec
from genredb.runner.templates.places import unmarked
from genredb.runner.templates.relation import Relation
from genredb.runner.templates.render import Renderer


@dataclass(frozen=True)
class Workbench:
    """A project, its names and its templates; ``templates`` render with ``renderer``."""

    project: Project
    names: Names
    renderer: Renderer
    templates: Templates
    problems: Problems

    def facts(self, spec: DatasetSpec) -> dict[str, Any]:
        """Return the fields of a node that its files state, with its relation and final configuration."""
        return {
            "unique_id": spec.unique_id,
            "name": spec.name,
            "path": spec.path,
            "relation": self.names.relations[spec.unique_id],
            "config": self.names.config[spec.unique_id],
            "fqn": spec.fqn,
            "description": spec.description,
            "columns": spec.columns,
        }


def set_up(
    project: Project,
    problems: Problems,
    *,
    is_full_refresh: bool,
    deferred: Mapping[str, Relation] | None = None,
) -> Workbench:
    """Read the macros of a project and name its nodes; ``deferred`` is as in :class:`Names`."""
    names = Names(project, problems, deferred)
    renderer = new_renderer(project, names, is_full_refresh=is_full_refresh)
    templates = Templates(renderer)
    for file in project.macros:
        with problems.gathered_of_all():
            templates.add_macros(file)
    names.settle(templates)
    return Workbench(project, names, renderer, templates, problems)


def new_renderer(project: Project, names: Names, *, is_full_refresh: bool) -> Renderer:
    """Return a renderer for the project's templates, without macros yet."""
    return Renderer(
        project.config,
        (
            lambda package, *stated, version: names.resolve_ref(
                package, *map(unmarked, stated), version=None if version is None else unmarked(str(version))
            ),
            lambda package, *stated, **_: names.resolve_source(package, *map(unmarked, stated)),
        ),
        is_full_refresh=is_full_refresh,
    )
