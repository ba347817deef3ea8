"""Compiles a project: names every relation, renders every template, builds the nodes of the graph."""

import functools
import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from genredb.compile.check_nodes import CheckCompiler
from genredb.compile.context import NeedsDatabaseError
from genredb.compile.ephemeral import with_ephemerals
from genredb.compile.graph import ordered, prepared
from genredb.compile.naming import Names, describe, is_enabled
from genredb.compile.nodes import Database, Node, NodeKind, Relation, is_blank
from genredb.compile.render import Renderer
from genredb.compile.scope import Scope
from genredb.compile.trace import Place, template_place, unmarked
from genredb.errors import Problems, ProjectError, UsageError, did_you_mean
from genredb.project.discover import Project
from genredb.project.nodes import Model, Seed, Source


@dataclass(frozen=True)
class Compilation:
    """A project's graph: every node by unique id, upstream ones first.

    ``environment`` names the environment variables that its files asked for; ``uses_clock`` says that a
    template's text may differ from run to run; ``notices`` name what has no effect here.
    """

    project: Project
    nodes: Mapping[str, Node]
    compiler: "Compiler"
    environment: tuple[str, ...] = ()
    uses_clock: bool = False
    notices: tuple[str, ...] = ()

    def find(self, name: str) -> Node:
        """Return the model, seed or check of that name; UsageError with a suggestion if there is none."""
        found = [node for node in self.nodes.values() if node.kind is not NodeKind.SOURCE]
        by_name = {**{node.label: node for node in found if node.is_check}, **{n.name: n for n in found}}
        if name not in by_name:
            raise UsageError(f"There is no model, seed or check '{name}'.{did_you_mean(name, by_name)}")
        return by_name[name]

    def of_kind(self, *kinds: NodeKind) -> list[Node]:
        """Return the nodes of these kinds, upstream ones first."""
        return [node for node in self.nodes.values() if node.kind in kinds]

    @functools.cached_property
    def children(self) -> Mapping[str, tuple[str, ...]]:
        """The unique ids of the nodes that depend on each node directly."""
        children: dict[str, list[str]] = {unique_id: [] for unique_id in self.nodes}
        for node in self.nodes.values():
            for parent in node.depends_on:
                children[parent].append(node.unique_id)
        return {unique_id: tuple(found) for unique_id, found in children.items()}

    def ephemeral_sql(self, relation: Relation) -> str | None:
        """Return the SQL of an ephemeral model by the relation that refers to it, if it is one."""
        found = (node.sql for node in self.nodes.values() if node.relation == relation and relation.is_cte)
        return next(found, None)

    @property
    def messages(self) -> list[str]:
        """What templates have logged so far."""
        return self.compiler.renderer.messages


def compile_project(project: Project, *, is_full_refresh: bool = False) -> Compilation:
    """Render the whole project. Raises ProjectError with the place of whatever is wrong in it."""
    problems = Problems()
    compiler = Compiler(project, problems, is_full_refresh=is_full_refresh)
    nodes = compiler.nodes()
    problems.raise_all()
    return Compilation(
        project,
        ordered(nodes),
        compiler,
        tuple(sorted({*project.environment, *compiler.renderer.environment_names})),
        compiler.renderer.uses_clock,
        tuple(dict.fromkeys((*project.notices, *compiler.renderer.notices))),
    )


class Compiler:
    """Holds what all nodes share while a project is compiled, and renders what must wait for a database."""

    def __init__(self, project: Project, problems: Problems, *, is_full_refresh: bool) -> None:
        self.project = project
        self.names = Names(project, problems)
        self._is_full_refresh = is_full_refresh
        self.renderer = self._make_renderer()
        for file in project.macros:
            with problems.gathered():
                self.renderer.add_macros(file)
        problems.raise_all()  # without its macros nothing can be rendered
        self.names.settle(self.renderer)
        self._problems = problems
        self.ephemerals: dict[str, Node] = {}

    def nodes(self) -> list[Node]:
        """Return the nodes of the project, in no order; faults go to the problems."""
        nodes = [
            self._source(source) for source in self.project.sources.values() if is_enabled(source.config)
        ]
        nodes += [self._seed(s) for s in self.project.seeds.values() if s.name in self.names.relations]
        models = {
            self.names.relations[model.name][0]: model
            for model in self.project.models.values()
            if model.name in self.names.relations
        }
        rendered: dict[str, Node] = {}
        for unique_id, model in models.items():
            with self._problems.gathered():
                rendered[unique_id] = self._model(model)
        self.ephemerals = {i: node for i, node in rendered.items() if node.materialized == "ephemeral"}
        # What follows would follow a circle of them for ever.
        prepared(
            self.ephemerals, {i: self.ephemerals.keys() & n.depends_on for i, n in self.ephemerals.items()}
        )
        nodes += [self._completed(node) for node in rendered.values()]
        by_id = {node.unique_id: node for node in nodes}
        return [*nodes, *CheckCompiler(self, by_id, self._problems).nodes()]

    def inline(self, text: str, database: Database | None) -> str:
        """Render a template that is no model of the project."""
        scope = Scope("inline", database=database)
        sql = self.renderer.render(text, scope).strip()
        return with_ephemerals(sql, scope.references, self.ephemerals)

    def sql(self, node: Node, database: Database, *, is_incremental: bool = False) -> str:
        """Return a node's SQL as it is to run now, where it must ask the database or depends on its state."""
        if node.dynamic:
            scope = self.scope(node, database=database, is_incremental=is_incremental)
            sql = self.renderer.render(node.template, scope).strip().rstrip(";")
            return self.with_ephemerals(sql, scope.references, database)
        return node.incremental_sql if is_incremental and node.incremental_sql else node.sql

    def hooks(self, node: Node, key: str, database: Database | None) -> list[tuple[str, bool]]:
        """Return the SQL of a node's hooks (``pre-hook``, ``post-hook``), and whether it is transactional."""
        scope = replace(self.scope(node, database=database), path=f"{node.path} (hook)")
        stated = [
            hook if isinstance(hook, Mapping) else {"sql": str(hook)} for hook in node.config.get(key) or ()
        ]
        return [
            (self.renderer.render(hook["sql"], scope).strip(), bool(hook.get("transaction", True)))
            for hook in stated
        ]

    def run_hook(self, key: str, number: int, text: str) -> Node:
        """Return one of the project's hooks, ``on-run-start`` or ``on-run-end``, as a node."""
        name = f"{self.project.config.name}-{key}-{number}"
        unique_id = self.names.unique_id(NodeKind.HOOK, name)
        return Node(unique_id, NodeKind.HOOK, name, f"dbt_project.yml ({key})", template=text)

    def hook_sql(self, node: Node, database: Database, extra: Mapping[str, Any]) -> str:
        """Return the SQL of one of the project's hooks."""
        return self.renderer.render(node.template, Scope(node.path, database=database, extra=extra)).strip()

    def render(self, template: str, scope: Scope) -> tuple[str, str]:
        """Return a template's SQL, and by which name it asks a database if it does."""
        try:
            return self.renderer.render(template, scope).strip().rstrip(";").rstrip(), ""
        except NeedsDatabaseError as error:
            scope.execute = False
            return self.renderer.render(template, scope).strip().rstrip(";").rstrip(), error.what

    def with_ephemerals(self, sql: str, references: Iterable[str], database: Database | None = None) -> str:
        """Put the CTEs of the ephemeral models that a text refers to ahead of it."""
        ephemerals = self.ephemerals
        if database is not None:
            ephemerals = {
                unique_id: replace(
                    node, sql=self.renderer.render(node.template, self.scope(node, database=database))
                )
                if node.dynamic
                else node
                for unique_id, node in ephemerals.items()
            }
        return with_ephemerals(sql, references, ephemerals)

    def _dynamic_ephemeral(self, references: Iterable[str]) -> str:
        """Return what an ephemeral model among these, or above them, asks a database."""
        for unique_id in references:
            node = self.ephemerals.get(unique_id)
            if node and (asks := node.dynamic or self._dynamic_ephemeral(node.depends_on)):
                return asks
        return ""

    def place(self, node: Node, sql: str, offset: int, database: Database | None = None) -> Place | None:
        """Return where in the project's files ``sql[offset]`` comes from, if it is of a template.

        ``sql`` is what ran for the node; what ephemeral models put into it has no place.
        """
        for is_incremental in (False, True):
            scope = self.scope(node, database=database, is_incremental=is_incremental)
            own = self.renderer.render(node.template, scope).strip().rstrip(";").rstrip()
            added = len(sql) - len(own)  # by ephemeral models, ahead of what is the node's own
            if offset < added + len(own) - len(_shared_end(sql, own)):
                continue
            scope = self.scope(node, database=database, is_incremental=is_incremental)
            place = template_place(
                self._make_renderer(), self.project.macros, node.template, scope, (own, offset - added)
            )
            if place is not None:
                return place
        return None

    def _make_renderer(self) -> Renderer:
        names = self.names
        return Renderer(
            self.project.config,
            lambda *stated: names.resolve_ref(*map(unmarked, stated)),
            lambda *stated: names.resolve_source(*map(unmarked, stated)),
            is_full_refresh=self._is_full_refresh,
        )

    def _source(self, source: Source) -> Node:
        unique_id, relation = self.names.sources[source.source_name, source.name]
        maker = self.names.maker_of(relation)
        return Node(
            unique_id,
            NodeKind.SOURCE,
            source.name,
            source.path,
            relation=relation,
            materialized="table",
            depends_on=(maker,) if maker else (),
            fqn=(self.project.config.name, source.source_name, source.name),
            config=source.config,
            description=source.description,
            columns=source.columns,
        )

    def _seed(self, seed: Seed) -> Node:
        unique_id, relation = self.names.relations[seed.name]
        return Node(
            unique_id,
            NodeKind.SEED,
            seed.name,
            seed.path,
            relation=relation,
            materialized="seed",
            config=self.names.config[seed.name],
            fqn=seed.fqn,
            description=seed.description,
            columns=seed.columns,
        )

    def _model(self, model: Model) -> Node:
        """Render a model by itself; the CTEs of ephemeral models are not in its text yet."""
        unique_id, relation = self.names.relations[model.name]
        config = self.names.config[model.name]
        node = Node(
            unique_id,
            NodeKind.MODEL,
            model.name,
            model.path,
            template=model.text,
            relation=relation,
            materialized=config["materialized"],
            config=config,
            fqn=model.fqn,
            description=model.description,
            columns=model.columns,
        )
        # The text states its config(…) once more, and hooks and tags add up: it starts from the files'.
        scope = replace(self.scope(node), config=dict(model.config))
        sql, dynamic = self.render(model.text, scope)
        if not dynamic and is_blank(sql):
            raise ProjectError(f"{model.path}: the model has no SQL.")
        incremental_sql, references = "", scope.references
        if scope.asks_incremental and node.materialized == "incremental":
            other = self.scope(node, is_incremental=True)
            incremental_sql, asks = self.render(model.text, other)
            dynamic, references = dynamic or asks, [*references, *other.references]
        node = replace(node, config={**scope.config, "materialized": node.materialized})
        hooks, hook_references, hook_asks = self._hook_texts(node)
        return replace(
            node,
            sql=sql,
            incremental_sql=incremental_sql,
            dynamic=dynamic or hook_asks,
            depends_on=tuple(dict.fromkeys([*references, *hook_references])),
            hooks=hooks,
        )

    def _hook_texts(self, node: Node) -> tuple[tuple[str, ...], list[str], str]:
        """Return the text of a node's hooks as far as it is known, what they refer to, what they ask."""
        texts: list[str] = []
        references: list[str] = []
        asks = ""
        for key in ("pre-hook", "post-hook"):
            for hook in node.config.get(key) or ():
                scope = replace(self.scope(node), path=f"{node.path} (hook)")
                text, what = self.render(hook["sql"] if isinstance(hook, Mapping) else str(hook), scope)
                texts.append(text)
                references += [found for found in scope.references if found != node.unique_id]
                asks = asks or what
        return tuple(texts), references, asks

    def scope(self, node: Node, *, database: Database | None = None, is_incremental: bool = False) -> Scope:
        """Return what a node's template sees of itself."""
        source: Model | Seed | None = self.project.models.get(node.name) or self.project.seeds.get(node.name)
        model: dict[str, Any] = {}
        if source is not None and not node.is_check:
            model = describe(source, node.kind, node.config, node.relation)
        return Scope(
            node.path,
            node.relation,
            model=model,
            config=dict(node.config),
            database=database,
            is_incremental=is_incremental,
        )

    def _completed(self, node: Node) -> Node:
        if not self.ephemerals.keys() & set(node.depends_on):
            return node
        return replace(
            node,
            sql=self.with_ephemerals(node.sql, node.depends_on),
            incremental_sql=self.with_ephemerals(node.incremental_sql, node.depends_on)
            if node.incremental_sql
            else "",
            dynamic=node.dynamic or self._dynamic_ephemeral(node.depends_on),
        )


def compile_inline(project: Project, text: str, database: Database | None = None) -> str:
    """Render a template that is no model of the project, with the project's names and macros."""
    problems = Problems()
    compiler = Compiler(project, problems, is_full_refresh=False)
    if "ref" in text:
        compiler.nodes()  # ephemeral models become part of the text
    problems.raise_all()
    return compiler.inline(text, database)


def _shared_end(one: str, other: str) -> str:
    """Return the longest text that both end with."""
    pairs = zip(reversed(one), reversed(other), strict=False)
    return "".join(a for a, _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))
