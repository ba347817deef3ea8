"""Compiles a project: names every relation, renders every template, builds the nodes of the graph."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from genredb.compile.checks import check_name, check_sql
from genredb.compile.graph import ordered
from genredb.compile.nodes import Node, NodeKind, Relation
from genredb.compile.render import Renderer, Scope
from genredb.errors import ProjectError, UsageError, did_you_mean
from genredb.project import CheckSpec, Model, Project, Seed, Source

MATERIALIZATIONS = ("view", "table")
SEVERITIES = ("error", "warn")
# Where genredb keeps what it writes itself (genredb/warehouse/tables.py).
RESERVED_SCHEMAS = frozenset({"meta", "ml", "information_schema", "pg_catalog"})
QUARANTINE = "raw.quarantine"


@dataclass(frozen=True)
class Compilation:
    """A project's graph: every node by unique id, upstream ones first.

    ``environment`` names the environment variables that its templates asked for.
    """

    project: Project
    nodes: Mapping[str, Node]
    environment: tuple[str, ...] = ()

    def find(self, name: str) -> Node:
        """Return the model, seed or check of that name; UsageError with a suggestion if there is none."""
        by_name = {node.name: node for node in self.nodes.values() if node.kind is not NodeKind.SOURCE}
        if name not in by_name:
            raise UsageError(f"There is no model, seed or check '{name}'.{did_you_mean(name, by_name)}")
        return by_name[name]

    def of_kind(self, *kinds: NodeKind) -> list[Node]:
        """Return the nodes of these kinds, upstream ones first."""
        return [node for node in self.nodes.values() if node.kind in kinds]


def compile_project(project: Project) -> Compilation:
    """Render the whole project. Raises ProjectError with `file:line` for whatever is wrong in it."""
    compiler = _Compiler(project)
    nodes = [*compiler.sources(), *compiler.seeds(), *compiler.models(), *compiler.checks()]
    return Compilation(project, ordered(nodes), compiler.environment())


def compile_inline(project: Project, text: str) -> str:
    """Render a template that is no model of the project, with the project's names and macros."""
    return _Compiler(project).inline(text)


class _Compiler:
    """Holds what all nodes share while a project is compiled."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._relations: dict[str, tuple[str, Relation]] = {}
        self._source_relations = {
            key: (self._id(NodeKind.SOURCE, *key), self._relation(source.schema, source.name))
            for key, source in project.sources.items()
        }
        self._taken = {source.qualified_name.lower(): source.path for source in project.sources.values()}
        config = project.config
        self._renderer = Renderer(
            project.macros,
            config.vars,
            {"name": "genredb", "schema": config.schema, "database": config.database_name, "type": "duckdb"},
            self._resolve_ref,
            self._resolve_source,
        )
        self._seeds = [seed for seed in project.seeds.values() if _is_enabled(seed.config)]
        for seed in self._seeds:
            self._name(NodeKind.SEED, seed, seed.config)
        configured = {model.name: self._configure(model) for model in project.models.values()}
        self._model_config = {name: config for name, config in configured.items() if _is_enabled(config)}
        self._models = [model for model in project.models.values() if model.name in self._model_config]
        for model in self._models:
            self._name(NodeKind.MODEL, model, self._model_config[model.name])

    def sources(self) -> list[Node]:
        return [self._source(source) for source in self._project.sources.values()]

    def seeds(self) -> list[Node]:
        return [self._seed(seed) for seed in self._seeds]

    def models(self) -> list[Node]:
        return [self._model(model) for model in self._models]

    def checks(self) -> list[Node]:
        off = {f"ref('{name}')" for name in (*self._project.models, *self._project.seeds)} - {
            f"ref('{name}')" for name in self._relations
        }
        stated = [spec for spec in self._project.checks if spec.attached_to not in off]
        return [
            node
            for spec in stated
            if _is_enabled(spec.config) and _is_enabled((node := self._check(spec)).config)
        ]

    def inline(self, text: str) -> str:
        return self._renderer.render(text, Scope("inline.sql")).strip()

    def environment(self) -> tuple[str, ...]:
        return tuple(sorted(self._renderer.environment_names))

    def _id(self, kind: NodeKind, *parts: str) -> str:
        return ".".join((kind.value, self._project.config.name, *parts))

    def _relation(self, schema: str, identifier: str) -> Relation:
        return Relation(self._project.config.database_name, schema, identifier)

    def _name(self, kind: NodeKind, node: Model | Seed, config: Mapping[str, Any]) -> None:
        """Settle the relation of a model or seed, its schema by generate_schema_name as in dbt."""
        default, custom = self._project.config.schema, config.get("schema")
        if "generate_schema_name" in self._renderer.macros:
            schema = self._renderer.call_macro(
                "generate_schema_name", Scope(node.path), custom_schema_name=custom, node=node
            )
        else:
            schema = f"{default}_{custom}" if custom else default
        relation = self._relation(schema, str(config.get("alias", node.name)))
        if schema.lower() in RESERVED_SCHEMAS or relation.qualified_name.lower() == QUARANTINE:
            raise ProjectError(
                f"{node.path}: {relation.qualified_name} is a place of genredb's own; choose another."
            )
        place = relation.qualified_name.lower()
        if place in self._taken:
            raise ProjectError(f"{node.path} and {self._taken[place]} both make {relation.qualified_name}.")
        self._taken[place] = node.path
        self._relations[node.name] = (self._id(kind, node.name), relation)

    def _configure(self, model: Model) -> dict[str, Any]:
        """Render a model for its own config(…) alone, before every relation has its name."""
        scope = Scope(model.path, self._relation("", model.name), config=dict(model.config), is_parsing=True)
        self._renderer.render(model.text, scope)
        materialized = scope.config.setdefault("materialized", "view")
        if materialized not in MATERIALIZATIONS:
            hint = did_you_mean(str(materialized), MATERIALIZATIONS)
            raise ProjectError(f"{model.path}: genredb has no materialization '{materialized}'.{hint}")
        return scope.config

    def _resolve_ref(self, name: str) -> tuple[str, Relation]:
        if name not in self._relations:
            if name in self._project.models or name in self._project.seeds:
                raise ProjectError(f"ref('{name}') names a node that is switched off by `enabled: false`.")
            hint = did_you_mean(name, self._relations)
            raise ProjectError(f"ref('{name}') names no model or seed.{hint}")
        return self._relations[name]

    def _resolve_source(self, source_name: str, name: str) -> tuple[str, Relation]:
        if (source_name, name) not in self._source_relations:
            known = [".".join(key) for key in self._source_relations]
            hint = did_you_mean(f"{source_name}.{name}", known)
            raise ProjectError(f"source('{source_name}', '{name}') is not declared.{hint}")
        return self._source_relations[source_name, name]

    def _source(self, source: Source) -> Node:
        unique_id, relation = self._source_relations[source.source_name, source.name]
        return Node(
            unique_id,
            NodeKind.SOURCE,
            source.name,
            source.path,
            relation=relation,
            materialized="table",
            description=source.description,
            columns=source.columns,
        )

    def _seed(self, seed: Seed) -> Node:
        unique_id, relation = self._relations[seed.name]
        return Node(
            unique_id,
            NodeKind.SEED,
            seed.name,
            seed.path,
            relation=relation,
            materialized="seed",
            config=seed.config,
            description=seed.description,
            columns=seed.columns,
        )

    def _model(self, model: Model) -> Node:
        unique_id, relation = self._relations[model.name]
        config = self._model_config[model.name]
        scope = Scope(model.path, relation, config=dict(config))
        sql = self._renderer.render(model.text, scope).strip()
        return Node(
            unique_id,
            NodeKind.MODEL,
            model.name,
            model.path,
            sql=sql,
            relation=relation,
            materialized=config["materialized"],
            depends_on=tuple(dict.fromkeys(scope.references)),
            config=config,
            description=model.description,
            columns=model.columns,
        )

    def _check(self, spec: CheckSpec) -> Node:
        scope = Scope(spec.path, config=dict(spec.config))
        if spec.kind == "singular":
            sql, name = self._renderer.render(spec.text, scope).strip(), spec.name
        else:
            relation = self._expression(spec.attached_to, scope)
            arguments = {
                key: self._expression(value, scope) if key == "to" else value
                for key, value in spec.arguments.items()
            }
            sql = check_sql(spec, relation, arguments)
            name = check_name(spec, scope.references[0].split(".", 2)[2].replace(".", "_"))
        if not re.sub(r"--[^\n]*|/\*.*?\*/|;", "", sql, flags=re.DOTALL).strip():
            raise ProjectError(f"{spec.path}: the check {name} has no SQL.")
        node = Node(
            self._id(NodeKind.CHECK, name),
            NodeKind.CHECK,
            name,
            spec.path,
            sql=sql.rstrip().rstrip(";"),
            materialized="check",
            depends_on=tuple(dict.fromkeys(scope.references)),
            config=scope.config,
            description=spec.description or _describe(spec),
        )
        if node.severity not in SEVERITIES:
            raise ProjectError(
                f"{spec.path}: severity is error or warn, not '{node.severity}' (check {name})."
            )
        return node

    def _expression(self, text: str, scope: Scope) -> str:
        """Evaluate the jinja expression of a properties file, such as ``ref('songs')``."""
        return self._renderer.render("{{ " + text + " }}", scope)


def _is_enabled(config: Mapping[str, Any]) -> bool:
    return bool(config.get("enabled", True))


def _describe(spec: CheckSpec) -> str:
    """Say what a check checks, for people: ``unique of songs.song_key``."""
    if spec.kind == "singular":
        return spec.name
    target = re.sub(r"^\w+\(|[')]", "", spec.attached_to).replace(", ", ".")
    return f"{spec.kind} of {target}.{spec.column}" if spec.column else f"{spec.kind} of {target}"
