"""Determines the database names of all models and seeds, before any template can refer to them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from genredb.errors import FollowUpError, Place, ProjectError, UsageError
from genredb.runner.graph.described import describe
from genredb.runner.graph.external import external_location
from genredb.runner.graph.materializations import MATERIALIZATIONS, stated_materializations
from genredb.runner.graph.nodes import Source
from genredb.runner.graph.templates import Templates
from genredb.runner.problems import Problems
from genredb.runner.project.discover import Project
from genredb.runner.project.key_faults import fault_of
from genredb.runner.project.keys import CONFIG
from genredb.runner.project.merge import config_key, merged
from genredb.runner.project.reserved import refuse_own_place
from genredb.runner.project.specs import ModelSpec, SeedSpec, SnapshotSpec
from genredb.runner.project.stated_values import check_values, is_on
from genredb.runner.project.versions import is_meant
from genredb.runner.templates.given import Given
from genredb.runner.templates.located import DisabledReferenceError, UnknownInTemplateError
from genredb.runner.templates.relation import Relation
from genredb.warehouse.declared import SourceSpec

CTE_PREFIX = "__dbt__cte__"


class Names:
    """The relations of a project's nodes, and the final configuration of its models and seeds, by unique id.

    Faults are added to ``problems``; a node with a fault has no name. ``deferred`` are relations that are
    read in place of a node's own.
    """

    def __init__(
        self, project: Project, problems: Problems, deferred: Mapping[str, Relation] | None = None
    ) -> None:
        self.project = project
        self._deferred = deferred or {}
        self.config: dict[str, Mapping[str, Any]] = {}
        self.relations: dict[str, Relation] = {}
        self._faulty: set[str] = set()
        self._makers: dict[str, str] = {}
        self._problems = problems
        self.sources = {i: self._name_source(source) for i, source in project.sources.items()}
        self._stated: dict[str, list[ModelSpec | SeedSpec]] = {}  # by name, those of the project first
        specs: list[ModelSpec | SeedSpec] = [*project.models.values(), *project.seeds.values()]
        for spec in specs:
            self._stated.setdefault(spec.name, []).append(spec)
        self._taken = {source.qualified_name.lower(): source.path for source in project.loaded_sources}

    def settle(self, templates: Templates) -> None:
        """Name all seeds and models; each model is first rendered for its own config(…)."""
        macros_configure = any("config(" in file.text for file in self.project.macros)
        for seed in self.project.seeds.values():
            self._faulty.add(seed.unique_id)  # until it has its name
            with self._problems.gathered():
                config = merged(seed.config, seed.overrides)
                if is_enabled(config):
                    self._name(templates, seed, {**config, "materialized": "seed"})
                self._faulty.remove(seed.unique_id)
        for model in self.project.models.values():
            self._faulty.add(model.unique_id)
            with self._problems.gathered():
                config = dict(model.config)
                if model.python is not None:
                    config = self._stated_in_python(templates, model, model.python.config)
                elif macros_configure or "config" in model.text:
                    config = self._configured(templates, model)
                config = merged(config, model.overrides)
                check_values(config, model.path)
                config["materialized"] = self._materialization(model, config)
                if is_enabled(config):
                    self._name(templates, model, config)
                self._faulty.remove(model.unique_id)

    def resolve_ref(self, package: str, *names: str, version: str | None = None) -> tuple[str, Relation]:
        """Return the unique id and relation of a model or seed that a template of a package names.

        As in dbt it is one of the project, else of that package, else of any other; without a ``version`` the
        latest. Raises UnknownInTemplateError if it does not exist.
        """
        *stated, name = names
        call = f"ref({', '.join([*map(repr, names), *([] if version is None else [f'v={version}'])])})"
        known = [spec for spec in self._stated.get(name, ()) if not stated or spec.package == stated[0]]
        found = [spec for spec in known if is_meant(spec.version, version)]
        order = self._search_order(package)
        found.sort(key=lambda spec: order.index(spec.package))
        named = [spec.unique_id for spec in found if spec.unique_id in self.relations]
        if named:
            return named[0], self.read_relation(named[0])
        faulty = [spec.unique_id for spec in found if spec.unique_id in self._faulty]
        if faulty:  # its own fault is reported already
            return faulty[0], self.relation("", name)
        if found:
            raise DisabledReferenceError(f"{call} refers to a disabled node (`enabled: false`)", name)
        if stated:
            self._refuse_unknown_package(call, stated[0])
        if known:
            tags = [spec.version.tag for spec in known if spec.version]
            what = (
                f"{call} refers to no version of the model" if tags else f"{call}: '{name}' has no versions"
            )
            raise UnknownInTemplateError(what, name, name=f"v{version}" if tags else "", choices=tags)
        raise UnknownInTemplateError(
            f"{call} refers to no model or seed", name, name=name, choices=self._stated
        )

    def read_relation(self, unique_id: str) -> Relation:
        """Return the relation that readers of a model, seed or source read."""
        return self._deferred.get(unique_id) or self.relations.get(unique_id) or self.sources[unique_id]

    def _search_order(self, package: str) -> list[str]:
        """Return where a reference in a template of a package is looked for, first to last."""
        project = self.project.config.package
        flags = project.content.get("flags") or {}
        own = (project.name, package) if package else (project.name,)
        if is_on(flags.get("require_ref_searches_node_package_before_root", False)):
            own = own[::-1]
        return list(dict.fromkeys((*own, *(one.name for one in self.project.config.installed))))

    def _refuse_unknown_package(self, call: str, package: str) -> None:
        config = self.project.config
        known = [one.name for one in config.packages]
        if package in config.missing:
            cure = "run `genredb deps`"
            raise UnknownInTemplateError(f"{call} refers to a package that is not installed; {cure}", package)
        if package not in known:
            raise UnknownInTemplateError(f"{call} refers to no package", package, name=package, choices=known)

    def resolve_source(self, package: str, source_name: str, name: str) -> tuple[str, Relation]:
        """Return the unique id and relation of a source, as for ``resolve_ref``."""
        for own in self._search_order(package):
            unique_id = f"{Source.resource_type}.{own}.{source_name}.{name}"
            if unique_id in self.sources:
                return unique_id, self.sources[unique_id]
        stated = [(spec.source_name, spec.name) for spec in self.project.sources.values()]
        needle = name if any(source == source_name for source, _ in stated) else source_name
        raise UnknownInTemplateError(
            f"source('{source_name}', '{name}') is not declared",
            needle,
            name=f"{source_name}.{name}",
            choices=[".".join(key) for key in stated],
        )

    def maker_of(self, relation: Relation) -> str | None:
        """Return the unique id of the seed or model that creates a source's relation, or None."""
        return self._makers.get(relation.qualified_name.lower())

    def relation(self, schema: str, identifier: str, type: str | None = None) -> Relation:  # noqa: A002
        """Return a relation in the project's database."""
        return Relation(self.project.config.database_name, schema, identifier, type)

    def schema_of(self, templates: Templates, custom: str | None, path: str, node: Mapping[str, Any]) -> str:
        """Return the result of generate_schema_name for a custom schema; ``node`` is its description.

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
        given = Given(path, described["package_name"], model=described)
        rendered = templates.call_named(macro, given, custom, described)
        if rendered.asks:
            raise ProjectError(
                f"{macro} calls {rendered.asks}, but names are determined without a database", place=path
            )
        return rendered.value.strip()

    def _name_source(self, source: SourceSpec) -> Relation:
        relation = self.relation(source.schema, source.identifier or source.name)
        with self._problems.gathered():
            if expression := external_location(source):
                return Relation(None, source.schema, source.name, expression=expression)
            self._refuse_ambiguous(source.schema)
            if source.database and source.database.lower() != str(relation.database).lower():
                return self._attached(source, relation)
        return relation

    def _attached(self, source: SourceSpec, relation: Relation) -> Relation:
        """Return the relation of a source in an attached database."""
        label, attached = f"{source.source_name}.{source.name}", self.project.config.attached
        found = attached.get(str(source.database).lower())
        if found is None:
            raise ProjectError(
                f"the source {label} is in the database '{source.database}', which is not attached",
                place=source.path,
                name=str(source.database),
                choices=[str(relation.database), *(one.name for one in attached.values())],
                cure="" if attached else "state it in profiles.yml under `attach:`",
            )
        if source.files is not None:
            what = f"the source {label} is loaded from files, so it cannot be in '{found.name}'"
            raise ProjectError(what, place=source.path, cure="leave out `database:`")
        return replace(relation, database=found.name, is_attached=True)

    def _configured(self, templates: Templates, model: ModelSpec) -> dict[str, Any]:
        """Render a model only for its own config(…), since not all relations have names yet."""
        given = Given(
            model.path,
            model.package,
            self.relation("", model.name),
            model=describe(model, model.config),
            config=model.config,
            kind=model.resource_type,
            is_naming=True,
            execute=False,
        )
        return dict(templates.render(model.text, given).config)

    @staticmethod
    def _stated_in_python(
        templates: Templates, model: ModelSpec, stated: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Return the configuration of a Python model, a table unless it says otherwise."""
        for key, value in stated.items():
            fault = fault_of(config_key(key), value, CONFIG["model"])
            if fault is not None and fault.is_error:
                raise fault.notice(Place(model.path)).as_error()
            if fault is not None:
                templates.notices[fault.notice(Place(model.path))] = None
        return merged({"materialized": "table", **model.config}, stated)

    def _materialization(self, model: ModelSpec, config: Mapping[str, Any]) -> str:
        if isinstance(model, SnapshotSpec):
            return "snapshot"
        materialized = str(config.get("materialized", "view"))
        if materialized not in stated_materializations():
            raise ProjectError(
                f"genredb has no materialization '{materialized}'",
                place=model.path,
                name=materialized,
                choices=stated_materializations(),
            )
        return materialized

    def _name(self, templates: Templates, node: ModelSpec | SeedSpec, config: dict[str, Any]) -> None:
        """Determine the relation of a model or seed with generate_schema_name and generate_alias_name."""
        own = self.project.config.database_name
        database = config.get("database") or config.get("target_database") or own
        if str(database).lower() != own.lower():
            raise ProjectError(
                f"`database: {database}` is not supported; everything goes to '{own}'",
                place=node.path,
                cure="attached databases are only read",
            )
        seen = describe(node, config)
        # A snapshot may name its schema as it is, without generate_schema_name.
        schema = str(config.get("target_schema") or "") if isinstance(node, SnapshotSpec) else ""
        schema = schema or self.schema_of(templates, config.get("schema"), node.path, seen)
        alias = self._named(templates, "generate_alias_name", config.get("alias"), (node.path, seen))
        relation = self.relation(schema, alias)
        self.config[node.unique_id] = config
        if isinstance(node, ModelSpec) and not MATERIALIZATIONS[config["materialized"]].function:
            name = f"{CTE_PREFIX}{node.name}"
            relation = Relation(None, None, name, "cte", expression=name)
        else:
            self._take(relation, node.path)
            self._makers[relation.qualified_name.lower()] = node.unique_id
        self.relations[node.unique_id] = relation

    def _take(self, relation: Relation, path: str) -> None:
        self.refuse_taken(relation, path)
        self._taken[relation.qualified_name.lower()] = path

    def refuse_taken(self, relation: Relation, path: str) -> None:
        """Raise ProjectError if a model, seed or source already has this relation, or if it is reserved."""
        place = relation.qualified_name.lower()
        refuse_own_place(str(relation.schema), relation.identifier, path)
        if place in self._taken:
            raise FollowUpError(f"{path} and {self._taken[place]} both create {relation.qualified_name}")


def is_enabled(config: Mapping[str, Any]) -> bool:
    """Return True if a node is enabled."""
    return is_on(config.get("enabled", True))
