"""Compiles the sources, seeds and models of a project into nodes of the graph."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime

from genredb.errors import FollowUpError, Notice, Place
from genredb.runner.graph.described import given_of
from genredb.runner.graph.ephemeral import with_ephemerals
from genredb.runner.graph.hooks import rendered_hooks
from genredb.runner.graph.naming import is_enabled
from genredb.runner.graph.nodes import Model, Seed, Snapshot, Source, is_blank
from genredb.runner.graph.python_nodes import python_model
from genredb.runner.graph.snapshots import settings_of
from genredb.runner.graph.stated_contracts import contract_of
from genredb.runner.graph.workbench import Workbench
from genredb.runner.project.merge import merged
from genredb.runner.project.source_freshness import freshness_of
from genredb.runner.project.specs import ModelSpec, SnapshotSpec


def source_nodes(bench: Workbench) -> list[Source]:
    """Return the enabled sources."""
    project, names = bench.project, bench.names
    found = []
    for unique_id, spec in project.sources.items():
        relation = names.sources[unique_id]
        maker = names.maker_of(relation)
        freshness = None
        with bench.problems.gathered():
            freshness = freshness_of(spec.config, spec.path)
        source = Source(
            unique_id=unique_id,
            name=spec.name,
            path=spec.path,
            relation=relation,
            depends_on=(maker,) if maker else (),
            fqn=(spec.package, spec.source_name, spec.name),
            config=spec.config,
            description=spec.description,
            columns=spec.columns,
            freshness=freshness,
        )
        found += [source] if is_enabled(spec.config) else []
    return found


def seed_nodes(bench: Workbench) -> list[Seed]:
    """Return the seeds that have a name."""
    seeds = bench.project.seeds.items()
    return [Seed(**bench.facts(spec)) for unique_id, spec in seeds if unique_id in bench.names.relations]


def model_nodes(bench: Workbench) -> dict[str, Model]:
    """Return the models that have a name, by unique id; CTEs of ephemeral models are not inserted yet."""
    found: dict[str, Model] = {}
    for unique_id, spec in bench.project.models.items():
        if unique_id in bench.names.relations:
            with bench.problems.gathered():
                if spec.python is None:
                    found[unique_id] = _model(bench, spec)
                else:
                    found[unique_id] = python_model(bench, spec, spec.python)
                _notice_deprecated(bench, spec)
    return found


def _notice_deprecated(bench: Workbench, spec: ModelSpec) -> None:
    """Name a model that is past its deprecation date."""
    if spec.deprecation_date and datetime.fromisoformat(spec.deprecation_date) < datetime.now(UTC):
        name = ".".join(spec.unique_id.split(".")[2:])
        what = f"{name} is deprecated since {spec.deprecation_date[:10]}"
        bench.templates.notices[Notice(what, Place(spec.path))] = None


def _model(bench: Workbench, spec: ModelSpec) -> Model:
    kind = Snapshot if isinstance(spec, SnapshotSpec) else Model
    model = kind(template=spec.text, **bench.facts(spec))
    given = given_of(model, bench.project)
    # Rendering runs config(…) again, and hooks and tags add up, so start from the files' configuration.
    rendered = bench.templates.render(spec.text, replace(given, config=spec.config))
    if not rendered.asks and is_blank(rendered.sql):
        raise FollowUpError("the model has no SQL", place=spec.path)
    asks, incremental_sql, references = rendered.asks, "", rendered.references
    if rendered.asks_incremental and model.keeps_rows:
        other = bench.templates.render(spec.text, replace(given, is_incremental=True))
        incremental_sql, asks = other.sql, asks or other.asks
        references = (*references, *other.references)
    config = merged(rendered.config, spec.overrides)
    model = replace(model, config={**config, "materialized": model.materialized})
    if isinstance(model, Snapshot):
        settings_of(model)  # raises an error if they are invalid
    contract = None if isinstance(model, Snapshot) else contract_of(bench, spec, model.config)
    hooks = rendered_hooks(bench, model)
    others = [*references, *(found for hook in hooks for found in hook.references)]
    others += contract.references if contract else ()
    return replace(
        model,
        sql=rendered.sql,
        incremental_sql=incremental_sql,
        dynamic=asks or next((hook.asks for hook in hooks if hook.asks), ""),
        depends_on=tuple(dict.fromkeys(i for i in others if i != model.unique_id or i in references)),
        hooks=tuple(hook.sql for hook in hooks),
        contract=contract,
    )


def completed(model: Model, ephemerals: Mapping[str, Model]) -> Model:
    """Return a model with the CTEs of the ephemeral models that it references."""
    if not ephemerals.keys() & set(model.depends_on):
        return model
    sql, incremental_sql = (
        with_ephemerals(text, model.depends_on, ephemerals) if text else ""
        for text in (model.sql, model.incremental_sql)
    )
    dynamic = model.dynamic or _dynamic_call(model.depends_on, ephemerals)
    return replace(model, sql=sql, incremental_sql=incremental_sql, dynamic=dynamic)


def _dynamic_call(references: Iterable[str], ephemerals: Mapping[str, Model]) -> str:
    """Return the call by which an ephemeral model among these, or upstream of them, queries a database."""
    for unique_id in references:
        model = ephemerals.get(unique_id)
        if model and (asks := model.dynamic or _dynamic_call(model.depends_on, ephemerals)):
            return asks
    return ""
