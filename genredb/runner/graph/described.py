"""The description of a node that is available in its own templates."""

from collections.abc import Mapping
from typing import Any

from genredb.runner.graph.nodes import Check, Compiled, Model, Node, Seed, Snapshot
from genredb.runner.project.discover import Project
from genredb.runner.project.specs import ModelSpec, SeedSpec
from genredb.runner.templates.given import Given
from genredb.runner.templates.relation import Database, Relation

# The kinds of configuration that ``config(…)`` states in templates, if not a model's.
_KINDS: Mapping[type[Node], str] = {Check: "check", Snapshot: "snapshot"}


def given_of(
    node: Compiled | Seed, project: Project, database: Database | None = None, *, is_incremental: bool = False
) -> Given:
    """Return the input for rendering a node's template."""
    model: Mapping[str, Any] = {}
    if isinstance(node, Model):
        model = describe(project.models[node.unique_id], node.config, node.relation)
    elif isinstance(node, Seed):
        model = describe(project.seeds[node.unique_id], node.config, node.relation)
    return Given(
        node.path,
        node.package,
        node.relation if isinstance(node, Model | Seed | Check) else None,
        model=model,
        config=node.config,
        kind=_KINDS.get(type(node), "model"),
        database=database,
        is_incremental=is_incremental,
        extra=node.extra if isinstance(node, Check) else {},
    )


def describe(
    spec: ModelSpec | SeedSpec, config: Mapping[str, Any], relation: Relation | None = None
) -> dict[str, Any]:
    """Return the value of ``model`` in a node's templates, and of ``node`` in macros."""
    return {
        "name": spec.name,
        "alias": relation.identifier if relation else str(config.get("alias") or spec.name),
        "resource_type": spec.resource_type,
        "unique_id": spec.unique_id,
        "package_name": spec.package,
        "version": spec.version.number if spec.version else None,
        "latest_version": spec.version.latest if spec.version else None,
        "fqn": list(spec.fqn),
        "path": "/".join([*spec.fqn[1:-1], spec.path.rsplit("/", 1)[-1]]),
        "original_file_path": spec.path,
        "config": dict(config),
        "tags": list(config.get("tags") or ()),
        "meta": dict(config.get("meta") or {}),
        "description": spec.description,
        "columns": {column.name: {"name": column.name} for column in spec.columns},
        "schema": relation.schema if relation else None,
        "database": relation.database if relation else None,
        "raw_code": spec.text if isinstance(spec, ModelSpec) else "",
        "language": "sql",
    }
