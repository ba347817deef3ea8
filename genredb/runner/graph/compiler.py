"""Compiles a project: names its relations, renders its templates, builds the nodes of the graph."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from genredb.errors import Notice, ProjectError, UsageError
from genredb.runner.graph.access import access_errors
from genredb.runner.graph.check_nodes import check_nodes
from genredb.runner.graph.dataset_nodes import completed, model_nodes, seed_nodes, source_nodes
from genredb.runner.graph.deferred import Deferred
from genredb.runner.graph.exposure_nodes import exposure_nodes
from genredb.runner.graph.nodes import Dataset, Exposure, Model, Node, Source
from genredb.runner.graph.order import ordered, prepared
from genredb.runner.graph.unit_test_nodes import unit_test_nodes
from genredb.runner.graph.workbench import Workbench, set_up
from genredb.runner.problems import Problems
from genredb.runner.project.config import Config
from genredb.runner.project.discover import Project, read_files
from genredb.runner.templates.relation import Database, Relation

Kind = TypeVar("Kind", bound=Node)


@dataclass(frozen=True)
class Compilation:
    """A project's graph: all nodes by unique id, upstream first.

    ``deferred`` provides the SQL that depends on queries to the database. ``environment`` is the set of
    environment variables used; ``uses_clock`` is true if the text of a template may differ between runs;
    ``notices`` name what has no effect, ``messages`` were logged by templates.
    """

    project: Project
    nodes: Mapping[str, Node]
    deferred: Deferred
    environment: tuple[str, ...] = ()
    uses_clock: bool = False
    notices: tuple[Notice, ...] = ()
    messages: tuple[str, ...] = ()

    def find(self, name: str) -> Node:
        """Return the model, seed or check of that name; UsageError with a suggestion if there is none."""
        found = [node for node in self.nodes.values() if not isinstance(node, Source | Exposure)]
        by_name = {**{node.label: node for node in found if node.is_check}, **{n.name: n for n in found}}
        for node in found:
            if isinstance(node, Model) and (version := self.project.models[node.unique_id].version):
                by_name[f"{node.name}.{version.tag}"] = node
                by_name[node.name] = node if version.is_latest else by_name[node.name]
        if name not in by_name:
            raise UsageError(f"There is no model, seed or check '{name}'", name=name, choices=by_name)
        return by_name[name]

    def of_type(self, kind: type[Kind]) -> list[Kind]:
        """Return the nodes of this type, upstream first."""
        return [node for node in self.nodes.values() if isinstance(node, kind)]

    @functools.cached_property
    def children(self) -> Mapping[str, tuple[str, ...]]:
        """The unique ids of each node's direct children."""
        children: dict[str, list[str]] = {unique_id: [] for unique_id in self.nodes}
        for node in self.nodes.values():
            for parent in node.depends_on:
                children[parent].append(node.unique_id)
        return {unique_id: tuple(found) for unique_id, found in children.items()}

    @functools.cached_property
    def datasets(self) -> Mapping[str, Dataset]:
        """The sources, seeds and models by unique id."""
        return {node.unique_id: node for node in self.of_type(Dataset)}

    def ephemeral_sql(self, relation: Relation) -> str | None:
        """Return the SQL of the ephemeral model that a relation refers to, or None if it is not one."""
        found = (model.sql for model in self.of_type(Model) if model.relation == relation)
        return next(found, None) if relation.is_cte else None


def compile_files(config: Config, *, is_full_refresh: bool = False) -> Compilation:
    """Read and render the whole project. Raises ProjectErrors with the place of each fault."""
    return compile_project(*read_files(config), is_full_refresh=is_full_refresh)


def compile_project(
    project: Project,
    problems: Problems | None = None,
    *,
    is_full_refresh: bool = False,
    deferred: Mapping[str, Relation] | None = None,
) -> Compilation:
    """Render the whole project. Raises ProjectErrors with the place of each fault and these ``problems``.

    ``deferred`` are relations that are read in place of a node's own, by unique id.
    """
    problems = problems or Problems()
    bench = set_up(project, problems, is_full_refresh=is_full_refresh, deferred=deferred)
    nodes, ephemerals = _nodes(bench)
    graph: Mapping[str, Node] = {}
    with problems.gathered():
        graph = ordered(nodes)
    problems.raise_all()
    used = bench.templates
    return Compilation(
        project,
        graph,
        Deferred(project, bench.names, bench.renderer, ephemerals, is_full_refresh),
        environment=tuple(sorted({*project.environment, *used.environment})),
        uses_clock=used.uses_clock,
        notices=tuple(dict.fromkeys((*project.notices, *used.notices))),
        messages=tuple(used.messages),
    )


def compile_inline(project: Project, text: str, database: Database | None = None) -> str:
    """Render an inline template with the project's names and macros.

    UsageError if it queries a database and there is none.
    """
    problems = Problems()
    bench = set_up(project, problems, is_full_refresh=False)
    # Ephemeral models become part of the text.
    ephemerals = _nodes(bench)[1] if "ref" in text else {}
    problems.raise_all()
    rendered = Deferred(project, bench.names, bench.renderer, ephemerals).inline(text, database)
    if rendered.asks:
        raise UsageError(f"The template calls {rendered.asks}, which needs a database, but there is none yet")
    return rendered.value


def _nodes(bench: Workbench) -> tuple[list[Node], Mapping[str, Model]]:
    """Return the nodes of a project, unordered, and its ephemeral models; faults go to the problems."""
    models = model_nodes(bench)
    ephemerals = {i: model for i, model in models.items() if not model.is_built}
    # The following code would loop forever on a cycle of ephemeral models.
    try:
        prepared(ephemerals, {i: ephemerals.keys() & m.depends_on for i, m in ephemerals.items()})
    except ProjectError as error:
        bench.problems.add(error)
        bench.problems.raise_all()
    datasets = [
        *source_nodes(bench),
        *seed_nodes(bench),
        *(completed(model, ephemerals) for model in models.values()),
    ]
    by_id = {node.unique_id: node for node in datasets}
    checks = check_nodes(bench, ephemerals)
    exposures = exposure_nodes(bench)
    for refusal in access_errors(bench.project, by_id, [*checks, *exposures]):
        bench.problems.add(refusal)
    return [*datasets, *checks, *unit_test_nodes(bench, by_id), *exposures], ephemerals
