"""The description of a node that is available in its own templates."""

from collections.abc import Mapping
from typing import Any

from genredb.runner.graph.nodes import Check, Compiled, Model, Node, Seed
from genredb.runner.project.discover import Project
from genredb.runner.project.specs import ModelSpec, SeedSpec
from genredb.runner.templates.given import Given
from genredb.runner.templates.relation import Database, Relation


def given_of(
    node: Compiled | Seed, project: Project, database: Database | None = None, *, is_incremental: bool = False
) -> Given:
    """Return the input for rendering a node's template."""
    model: Mapping[str, Any] = {}
    if isinstance(node, Model):
        model = describe(project.models[node.name], Model, node.config, node.relation)
    elif isinstance(node, Seed):
        model = describe(project.seeds[node.name], Seed, node.config, node.relation)
    return Given(
        node.path,
        node.relation if isinstance(node, Model | Seed | Check) else None,
        model=model,
        config=node.config,
        kind="check" if isinstance(node, Check) else "model",
        database=database,
        is_incremental=is_incremental,
        extra=node.extra if isinstance(node, Check) else {},
    )


def describe(
    spec: ModelSpec | SeedSpec, kind: type[Node], config: Mapping[str, Any], relation: Relation | None = None
) -> dict[str, Any]:
    """Return the value of ``model`` in a node's templates, and of ``node`` in macros."""
    fqn = list(spec.fqn)
    return {
        "name": spec.name,
        "alias": relation.identifier if relation else str(config.get("alias") or spec.name),
        "resource_type": kind.resource_type,
        "unique_id": f"{kind.resource_type}.{fqn[0] if fqn else ''}.{spec.name}",
        "package_name": fqn[0] if fqn else "",
        "fqn": fqn,
        "path": "/".join([*fqn[1:-1], spec.path.rsplit("/", 1)[-1]]),
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
