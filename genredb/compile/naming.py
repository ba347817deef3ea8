"""Settles what each model and seed is called in the database, before any text can refer to it."""

from collections.abc import Mapping
from typing import Any

from genredb.compile.external import external_location
from genredb.compile.locate import TemplateError
from genredb.compile.nodes import NodeKind, Relation
from genredb.compile.render import Renderer
from genredb.compile.scope import Scope
from genredb.errors import Problems, ProjectError, did_you_mean
from genredb.project.discover import Project
from genredb.project.nodes import Model, Seed, Source, refuse_own_place
from genredb.project.stated_values import check_values

MATERIALIZATIONS = ("view", "table", "incremental", "ephemeral")
CTE_PREFIX = "__dbt__cte__"


class Names:
    """The relations of a project's nodes, and the settled configuration of its models and seeds.

    Faults go to ``problems``; a node with one has no name.
    """

    def __init__(self, project: Project, problems: Problems) -> None:
        self.project = project
        self.config: dict[str, Mapping[str, Any]] = {}
        self.relations: dict[str, tuple[str, Relation]] = {}
        self._faulty: set[str] = set()
        self._makers: dict[str, str] = {}
        self._problems = problems
        self.sources = {key: self._name_source(source) for key, source in project.sources.items()}
        self._taken = {source.qualified_name.lower(): source.path for source in project.loaded_sources}

    def settle(self, renderer: Renderer) -> None:
        """Name every seed and model; a model is rendered for its own config(…) first."""
        macros_configure = any("config(" in file.text for file in self.project.macros)
        for seed in self.project.seeds.values():
            self._faulty.add(seed.name)  # until it has its name
            with self._problems.gathered():
                if is_enabled(seed.config):
                    self._name(renderer, NodeKind.SEED, seed, {**seed.config, "materialized": "seed"})
                self._faulty.remove(seed.name)
        for model in self.project.models.values():
            self._faulty.add(model.name)
            with self._problems.gathered():
                config = dict(model.config)
                if macros_configure or "config" in model.text:
                    config = self._configured(renderer, model)
                check_values(config, model.path)
                config["materialized"] = self._materialization(model, config)
                if is_enabled(config):
                    self._name(renderer, NodeKind.MODEL, model, config)
                self._faulty.remove(model.name)

    def resolve_ref(self, *names: str) -> tuple[str, Relation]:
        """Return unique id and relation of a model or seed; TemplateError where there is none."""
        name = names[-1]
        if len(names) == 2 and names[0] != self.project.config.name:
            raise TemplateError(
                f"ref('{names[0]}', '{name}') names the package {names[0]}; genredb supports no packages.",
                names[0],
            )
        if name in self._faulty:  # its own fault is told already
            return self.unique_id(NodeKind.MODEL, name), self.relation("", name)
        if name not in self.relations:
            if name in self.project.models or name in self.project.seeds:
                raise TemplateError(
                    f"ref('{name}') names a node that is switched off by `enabled: false`.", name
                )
            if name in self.project.snapshots:
                raise TemplateError(f"ref('{name}') names a snapshot; genredb builds no snapshots.", name)
            hint = did_you_mean(name, self.relations)
            raise TemplateError(f"ref('{name}') names no model or seed.{hint}", name)
        return self.relations[name]

    def resolve_source(self, source_name: str, name: str) -> tuple[str, Relation]:
        """Return unique id and relation of a source; TemplateError where there is none."""
        if (source_name, name) not in self.sources:
            hint = did_you_mean(f"{source_name}.{name}", [".".join(key) for key in self.sources])
            needle = name if any(key[0] == source_name for key in self.sources) else source_name
            raise TemplateError(f"source('{source_name}', '{name}') is not declared.{hint}", needle)
        return self.sources[source_name, name]

    def maker_of(self, relation: Relation) -> str | None:
        """Return the unique id of the seed or model that makes what a source names, if one does."""
        return self._makers.get(relation.qualified_name.lower())

    def unique_id(self, kind: NodeKind, *parts: str) -> str:
        """Return the id that a node has throughout."""
        return ".".join((kind.value, self.project.config.name, *parts))

    def relation(self, schema: str, identifier: str, type: str | None = None) -> Relation:  # noqa: A002
        """Return a relation in the project's database."""
        return Relation(self.project.config.database_name, schema, identifier, type)

    def schema_of(self, renderer: Renderer, custom: str | None, path: str, node: Mapping[str, Any]) -> str:
        """Return the schema that generate_schema_name makes of a custom schema."""
        schema = renderer.call_named("generate_schema_name", Scope(path, model=node), custom, node)
        return str(schema).strip()

    def _name_source(self, source: Source) -> tuple[str, Relation]:
        unique_id = self.unique_id(NodeKind.SOURCE, source.source_name, source.name)
        relation = self.relation(source.schema, source.identifier or source.name)
        with self._problems.gathered():
            if expression := external_location(source):
                return unique_id, Relation(None, source.schema, source.name, expression=expression)
            if source.database not in (None, relation.database):
                raise ProjectError(
                    f"{source.path}: the source {source.source_name}.{source.name} is in the database "
                    f"'{source.database}'; genredb reads one database, '{relation.database}'."
                )
        return unique_id, relation

    def _configured(self, renderer: Renderer, model: Model) -> dict[str, Any]:
        """Render a model for its own config(…) alone, before every relation has its name."""
        scope = Scope(
            model.path,
            self.relation("", model.name),
            model=describe(model, NodeKind.MODEL, model.config),
            config=dict(model.config),
            is_naming=True,
            execute=False,
        )
        renderer.render(model.text, scope)
        return scope.config

    def _materialization(self, model: Model, config: Mapping[str, Any]) -> str:
        materialized = str(config.get("materialized", "view"))
        if materialized not in MATERIALIZATIONS:
            hint = did_you_mean(materialized, MATERIALIZATIONS)
            raise ProjectError(f"{model.path}: genredb has no materialization '{materialized}'.{hint}")
        return materialized

    def _name(self, renderer: Renderer, kind: NodeKind, node: Model | Seed, config: dict[str, Any]) -> None:
        """Settle the relation of a model or seed, by generate_schema_name and generate_alias_name."""
        own = self.project.config.database_name
        if config.get("database") not in (None, own):
            raise ProjectError(
                f"{node.path}: `database: {config['database']}` is not supported; everything goes to '{own}'."
            )
        seen = describe(node, kind, config)
        schema = self.schema_of(renderer, config.get("schema"), node.path, seen)
        scope = Scope(node.path, model=seen)
        alias = renderer.call_named("generate_alias_name", scope, config.get("alias"), seen).strip()
        relation = self.relation(schema, alias)
        self.config[node.name] = config
        if config["materialized"] == "ephemeral":
            name = f"{CTE_PREFIX}{node.name}"
            relation = Relation(None, None, name, "cte", expression=name)
        else:
            self._take(relation, node.path)
            self._makers[relation.qualified_name.lower()] = self.unique_id(kind, node.name)
        self.relations[node.name] = (self.unique_id(kind, node.name), relation)

    def _take(self, relation: Relation, path: str) -> None:
        self.refuse_taken(relation, path)
        self._taken[relation.qualified_name.lower()] = path

    def refuse_taken(self, relation: Relation, path: str) -> None:
        """Raise ProjectError for a place that a model, seed or source has, or that is genredb's own."""
        place = relation.qualified_name.lower()
        refuse_own_place(str(relation.schema), relation.identifier, path)
        if place in self._taken:
            raise ProjectError(f"{path} and {self._taken[place]} both make {relation.qualified_name}.")


def is_enabled(config: Mapping[str, Any]) -> bool:
    """Whether a node takes part; the text of a yml expression counts as its value."""
    return str(config.get("enabled", True)).strip().lower() not in ("false", "0", "none", "")


def describe(
    node: Model | Seed, kind: NodeKind, config: Mapping[str, Any], relation: Relation | None = None
) -> dict[str, Any]:
    """Return what templates see of a node as ``model`` and macros as ``node``."""
    fqn = list(node.fqn)
    return {
        "name": node.name,
        "alias": relation.identifier if relation else str(config.get("alias") or node.name),
        "resource_type": kind.value,
        "unique_id": f"{kind.value}.{fqn[0] if fqn else ''}.{node.name}",
        "package_name": fqn[0] if fqn else "",
        "fqn": fqn,
        "path": "/".join([*fqn[1:-1], node.path.rsplit("/", 1)[-1]]),
        "original_file_path": node.path,
        "config": dict(config),
        "tags": list(config.get("tags") or ()),
        "meta": dict(config.get("meta") or {}),
        "description": node.description,
        "columns": {column.name: {"name": column.name} for column in node.columns},
        "schema": relation.schema if relation else None,
        "database": relation.database if relation else None,
        "raw_code": getattr(node, "text", ""),
        "language": "sql",
    }
