"""Determines the database names of all models and seeds, before any template can refer to them."""

from collections.abc import Mapping
from typing import Any

from genredb.errors import ProjectError, UsageError
from genredb.runner.graph.described import describe
from genredb.runner.graph.external import external_location
from genredb.runner.graph.materializations import MATERIALIZATIONS
from genredb.runner.graph.nodes import Model, Node, Seed, Source
from genredb.runner.graph.templates import Templates
from genredb.runner.problems import Problems
from genredb.runner.project.discover import Project
from genredb.runner.project.reserved import refuse_own_place
from genredb.runner.project.specs import ModelSpec, SeedSpec
from genredb.runner.project.stated_values import check_values, is_on
from genredb.runner.templates.given import Given
from genredb.runner.templates.located import TemplateError
from genredb.runner.templates.relation import Relation
from genredb.warehouse.declared import SourceSpec

CTE_PREFIX = "__dbt__cte__"


class Names:
    """The relations of a project's nodes, and the final configuration of its models and seeds.

    Faults are added to ``problems``; a node with a fault has no name.
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

    def settle(self, templates: Templates) -> None:
        """Name all seeds and models; each model is first rendered for its own config(…)."""
        macros_configure = any("config(" in file.text for file in self.project.macros)
        for seed in self.project.seeds.values():
            self._faulty.add(seed.name)  # until it has its name
            with self._problems.gathered():
                if is_enabled(seed.config):
                    self._name(templates, Seed, seed, {**seed.config, "materialized": "seed"})
                self._faulty.remove(seed.name)
        for model in self.project.models.values():
            self._faulty.add(model.name)
            with self._problems.gathered():
                config = dict(model.config)
                if macros_configure or "config" in model.text:
                    config = self._configured(templates, model)
                check_values(config, model.path)
                config["materialized"] = self._materialization(model, config)
                if is_enabled(config):
                    self._name(templates, Model, model, config)
                self._faulty.remove(model.name)

    def resolve_ref(self, *names: str) -> tuple[str, Relation]:
        """Return the unique id and relation of a model or seed; TemplateError if it does not exist."""
        name = names[-1]
        if len(names) == 2 and names[0] != self.project.config.name:
            raise TemplateError(
                f"ref('{names[0]}', '{name}') refers to the package {names[0]}; "
                "genredb does not support packages",
                names[0],
            )
        if name in self._faulty:  # its own fault is reported already
            return self.unique_id(Model, name), self.relation("", name)
        if name not in self.relations:
            if name in self.project.models or name in self.project.seeds:
                raise TemplateError(f"ref('{name}') refers to a disabled node (`enabled: false`)", name)
            if name in self.project.snapshots:
                raise TemplateError(f"ref('{name}') is a snapshot; genredb does not support snapshots", name)
            raise TemplateError(
                f"ref('{name}') refers to no model or seed", name, name=name, choices=self.relations
            )
        return self.relations[name]

    def resolve_source(self, source_name: str, name: str) -> tuple[str, Relation]:
        """Return the unique id and relation of a source; TemplateError if it does not exist."""
        if (source_name, name) not in self.sources:
            needle = name if any(key[0] == source_name for key in self.sources) else source_name
            raise TemplateError(
                f"source('{source_name}', '{name}') is not declared",
                needle,
                name=f"{source_name}.{name}",
                choices=[".".join(key) for key in self.sources],
            )
        return self.sources[source_name, name]

    def maker_of(self, relation: Relation) -> str | None:
        """Return the unique id of the seed or model that creates a source's relation, or None."""
        return self._makers.get(relation.qualified_name.lower())

    def unique_id(self, kind: type[Node], *parts: str) -> str:
        """Return the permanent id of a node."""
        return ".".join((kind.resource_type, self.project.config.name, *parts))

    def relation(self, schema: str, identifier: str, type: str | None = None) -> Relation:  # noqa: A002
        """Return a relation in the project's database."""
        return Relation(self.project.config.database_name, schema, identifier, type)

    def schema_of(self, templates: Templates, custom: str | None, path: str, node: Mapping[str, Any]) -> str:
        """Return the result of generate_schema_name for a custom schema.

        Raises UsageError if it is the name of the database.
        """
        schema = self._named(templates, "generate_schema_name", custom, (path, node))
        self._refuse_ambiguous(schema)
        return schema

    def _refuse_ambiguous(self, schema: str) -> None:
        """Raise UsageError if a schema has the database's name: DuckDB cannot tell them apart."""
        config = self.project.config
        if schema.lower() == config.database_name.lower():
            raise UsageError(
                f"The database {config.database.name} has the name of the schema '{schema}', "
                "which is ambiguous in SQL",
                cure="choose another file name in profiles.yml or with --database",
            )

    @staticmethod
    def _named(
        templates: Templates, macro: str, custom: str | None, node: tuple[str, Mapping[str, Any]]
    ) -> str:
        """Return the name that a macro generates for a node, given as its path and description."""
        path, described = node
        rendered = templates.call_named(macro, Given(path, model=described), custom, described)
        if rendered.asks:
            raise ProjectError(
                f"{macro} calls {rendered.asks}, but names are determined without a database", place=path
            )
        return rendered.value.strip()

    def _name_source(self, source: SourceSpec) -> tuple[str, Relation]:
        unique_id = self.unique_id(Source, source.source_name, source.name)
        relation = self.relation(source.schema, source.identifier or source.name)
        with self._problems.gathered():
            if expression := external_location(source):
                return unique_id, Relation(None, source.schema, source.name, expression=expression)
            self._refuse_ambiguous(source.schema)
            if source.database not in (None, relation.database):
                raise ProjectError(
                    f"the source {source.source_name}.{source.name} is in the database '{source.database}'; "
                    f"genredb supports a single database, '{relation.database}'",
                    place=source.path,
                )
        return unique_id, relation

    def _configured(self, templates: Templates, model: ModelSpec) -> dict[str, Any]:
        """Render a model only for its own config(…), since not all relations have names yet."""
        given = Given(
            model.path,
            self.relation("", model.name),
            model=describe(model, Model, model.config),
            config=model.config,
            is_naming=True,
            execute=False,
        )
        return dict(templates.render(model.text, given).config)

    def _materialization(self, model: ModelSpec, config: Mapping[str, Any]) -> str:
        materialized = str(config.get("materialized", "view"))
        if materialized not in MATERIALIZATIONS:
            raise ProjectError(
                f"genredb has no materialization '{materialized}'",
                place=model.path,
                name=materialized,
                choices=MATERIALIZATIONS,
            )
        return materialized

    def _name(
        self, templates: Templates, kind: type[Node], node: ModelSpec | SeedSpec, config: dict[str, Any]
    ) -> None:
        """Determine the relation of a model or seed with generate_schema_name and generate_alias_name."""
        own = self.project.config.database_name
        if config.get("database") not in (None, own):
            raise ProjectError(
                f"`database: {config['database']}` is not supported; everything goes to '{own}'",
                place=node.path,
            )
        seen = describe(node, kind, config)
        schema = self.schema_of(templates, config.get("schema"), node.path, seen)
        alias = self._named(templates, "generate_alias_name", config.get("alias"), (node.path, seen))
        relation = self.relation(schema, alias)
        self.config[node.name] = config
        if kind is Model and not MATERIALIZATIONS[config["materialized"]].function:
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
        """Raise ProjectError if a model, seed or source already has this relation, or if it is reserved."""
        place = relation.qualified_name.lower()
        refuse_own_place(str(relation.schema), relation.identifier, path)
        if place in self._taken:
            raise ProjectError(f"{path} and {self._taken[place]} both create {relation.qualified_name}")


def is_enabled(config: Mapping[str, Any]) -> bool:
    """Return True if a node is enabled."""
    return is_on(config.get("enabled", True))
