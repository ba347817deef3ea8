"""The state shared while compiling the nodes of one project: names, templates, problems."""

from dataclasses import dataclass

from genredb.runner.graph.naming import Names
from genredb.runner.graph.templates import Templates
from genredb.runner.problems import Problems
from genredb.runner.project.discover import Project
from genredb.runner.templates.places import unmarked
from genredb.runner.templates.render import Renderer


@dataclass(frozen=True)
class Workbench:
    """A project, its names and its templates; ``templates`` render with ``renderer``."""

    project: Project
    names: Names
    renderer: Renderer
    templates: Templates
    problems: Problems


def set_up(project: Project, problems: Problems, *, is_full_refresh: bool) -> Workbench:
    """Read the macros of a project and name its nodes; ProjectErrors if a macro is invalid."""
    names = Names(project, problems)
    renderer = new_renderer(project, names, is_full_refresh=is_full_refresh)
    templates = Templates(renderer)
    for file in project.macros:
        with problems.gathered_of_all():
            templates.add_macros(file)
    problems.refuse_what_hides_more()  # without its macros nothing can be rendered
    names.settle(templates)
    return Workbench(project, names, renderer, templates, problems)


def new_renderer(project: Project, names: Names, *, is_full_refresh: bool) -> Renderer:
    """Return a renderer for the project's templates, without macros yet."""
    return Renderer(
        project.config,
        (
            lambda package, *stated: names.resolve_ref(package, *map(unmarked, stated)),
            lambda package, *stated: names.resolve_source(package, *map(unmarked, stated)),
        ),
        is_full_refresh=is_full_refresh,
    )
