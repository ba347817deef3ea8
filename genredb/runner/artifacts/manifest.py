"""Writes dbt's manifest.json (v12) and the compiled SQL to the target folder, and compares manifests."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genredb.errors import UsageError
from genredb.runner.artifacts.files import metadata, read_artifact, write_artifact
from genredb.runner.artifacts.run_results import RUN_RESULTS
from genredb.runner.artifacts.sources import SOURCES, fresher_sources
from genredb.runner.graph.access import access_of, group_of
from genredb.runner.graph.compiler import Compilation
from genredb.runner.graph.nodes import Check, Compiled, Dataset, Exposure, Model, Node, Seed, Source, UnitTest
from genredb.runner.project.config import Config
from genredb.runner.project.specs import Group, ModelSpec
from genredb.warehouse.declared import Column

if TYPE_CHECKING:
    from genredb.runner.graph.select import Before

MANIFEST = "manifest.json"


def write_manifest(compilation: Compilation) -> None:
    """Write manifest.json and the compiled SQL of all nodes."""
    config = compilation.project.config
    for node in compilation.nodes.values():
        if isinstance(node, Compiled) and node.sql:
            inside = _compiled_path(node, config.path_in_package(node.package, node.path))
            path = config.target_dir / "compiled" / node.package / inside
            if not path.is_file() or path.read_text(encoding="utf-8") != node.sql:
                write_artifact(path, node.sql)
    write_artifact(config.target_dir / MANIFEST, json.dumps(manifest(compilation), default=str))


def read_before(config: Config, state_dir: Path | None) -> "Before":
    """Read what selectors compare with: the artifacts in ``state_dir``, the results of the last run."""
    from genredb.runner.graph.select import Before  # noqa: PLC0415

    nodes = None
    if state_dir is not None:
        content = read_artifact(state_dir / MANIFEST)
        if content is None:
            raise UsageError(f"{state_dir} holds no {MANIFEST} that can be read")
        nodes = {**content.get("nodes", {}), **content.get("sources", {}), **content.get("unit_tests", {})}
    results = read_artifact((state_dir or config.target_dir) / RUN_RESULTS)
    statuses = {found["unique_id"]: found["status"] for found in results["results"]} if results else None
    ages = read_artifact(config.target_dir / SOURCES)
    ages_before = read_artifact(state_dir / SOURCES) if state_dir else None
    fresher = fresher_sources(ages, ages_before) if ages and ages_before else None
    return Before(nodes, statuses, _is_modified, fresher)


def _is_modified(node: Node, before: Mapping[str, Any]) -> bool:
    """Return True if a node's text, SQL, configuration or relation differs from the earlier manifest."""
    now = json.loads(json.dumps(_entry(node, node.path), default=str))
    parts = ("checksum", "compiled_code", "config", "relation_name", "identifier", "given", "expect")
    return any(now.get(part) != before.get(part) for part in parts)


def manifest(compilation: Compilation) -> dict[str, Any]:
    """Return the project's graph in the format of dbt's manifest (schema version 12)."""
    project = compilation.project
    nodes: dict[str, Any] = {}
    sources: dict[str, Any] = {}
    unit_tests: dict[str, Any] = {}
    exposures: dict[str, Any] = {}
    parts = {"source": sources, "unit_test": unit_tests, "exposure": exposures}
    for node in compilation.nodes.values():
        part = parts.get(node.resource_type, nodes)
        part[node.unique_id] = _entry(node, project.config.path_in_package(node.package, node.path))
        if isinstance(node, Model):
            part[node.unique_id] |= _stated(node, project.models[node.unique_id])
    parents = {unique_id: list(node.depends_on) for unique_id, node in compilation.nodes.items()}
    children = {unique_id: list(found) for unique_id, found in compilation.children.items()}
    return {
        "metadata": {
            **metadata("manifest/v12"),
            "project_name": project.config.name,
            "project_id": hashlib.md5(project.config.name.encode(), usedforsecurity=False).hexdigest(),
            "adapter_type": "duckdb",
        },
        "nodes": nodes,
        "sources": sources,
        "macros": {},
        "docs": {},
        "exposures": exposures,
        "metrics": {},
        "groups": {
            group.unique_id: _group(group, project.config.path_in_package(group.package, group.path))
            for group in project.groups
        },
        "selectors": {},
        "disabled": {},
        "parent_map": parents,
        "child_map": children,
        "group_map": {
            group.name: [i for i, node in compilation.nodes.items() if group_of(node) == group.name]
            for group in project.groups
        },
        "saved_queries": {},
        "semantic_models": {},
        "unit_tests": unit_tests,
        "functions": {},
    }


def _entry(node: Node, path: str) -> dict[str, Any]:
    """Return one node in the manifest's format; ``path`` is that of its file in its package."""
    common = {
        "name": node.name,
        "resource_type": node.resource_type,
        "package_name": node.package,
        "path": _inner_path(node),
        "original_file_path": path,
        "unique_id": node.unique_id,
        "fqn": list(node.fqn),
    }
    if isinstance(node, UnitTest):
        return {**common, **_unit_test(node)}
    if isinstance(node, Exposure):
        return {**common, **_exposure(node)}
    if isinstance(node, Source):
        return {**common, **_described(node), **_source(node)}
    if isinstance(node, Seed):
        text = {"raw_code": "", "depends_on": {"macros": []}}
        return {**common, **_described(node), **_executed(node, ""), **text}
    if isinstance(node, Model | Check):
        return {**common, **_described(node), **_executed(node, node.template), **_compiled(node, path)}
    return common


def _exposure(node: Exposure) -> dict[str, Any]:
    meta = dict(node.config.get("meta") or {})
    return {
        **node.facts,
        "description": node.description,
        "depends_on": {"macros": [], "nodes": list(node.depends_on)},
        "meta": meta,
        "tags": list(node.tags),
        "config": {"enabled": True, "meta": meta, "tags": list(node.tags)},
    }


def _stated(node: Model, spec: ModelSpec) -> dict[str, Any]:
    """Return what files state of a model for those who read it."""
    version = spec.version
    return {
        "access": access_of(node),
        "group": group_of(node) or None,
        "version": version.number if version else None,
        "latest_version": version.latest if version else None,
        "deprecation_date": spec.deprecation_date or None,
        "constraints": [dict(constraint) for constraint in spec.constraints],
    }


def _group(group: Group, path: str) -> dict[str, Any]:
    return {
        "name": group.name,
        "resource_type": "group",
        "package_name": group.package,
        "path": path,
        "original_file_path": path,
        "unique_id": group.unique_id,
        "owner": dict(group.owner),
        "description": group.description,
    }


def _described(node: Dataset | Check) -> dict[str, Any]:
    relation = node.relation
    columns = node.columns if isinstance(node, Dataset) else ()
    return {
        "database": relation.database,
        "schema": str(relation.schema),
        "description": node.description,
        "columns": {column.name: _column(column) for column in columns},
        "meta": dict(node.config.get("meta") or {}),
        "tags": list(node.tags),
        "relation_name": None if relation.is_cte else str(relation),
    }


def _executed(node: Dataset | Check, text: str) -> dict[str, Any]:
    return {
        "alias": node.name if node.relation.is_cte else node.relation.identifier,
        "checksum": {"name": "sha256", "checksum": hashlib.sha256(text.encode()).hexdigest()},
        "config": _config(node),
    }


def _source(node: Source) -> dict[str, Any]:
    return {
        "source_name": node.fqn[1],
        "source_description": "",
        "loader": "genredb",
        "identifier": node.relation.identifier,
        "config": {"enabled": True},
        "freshness": node.config.get("freshness"),
        "loaded_at_field": node.config.get("loaded_at_field"),
        "loaded_at_query": node.config.get("loaded_at_query"),
    }


def _compiled(node: Model | Check, path: str) -> dict[str, Any]:
    entry = {
        "raw_code": node.template,
        "language": node.language if isinstance(node, Model) else "sql",
        "refs": [],
        "sources": [],
        "metrics": [],
        "depends_on": {"macros": [], "nodes": list(node.depends_on)},
        "compiled_path": str(_compiled_path(node, path)),
        "compiled": True,
        "compiled_code": node.sql,
        "extra_ctes_injected": True,
        "extra_ctes": [],
        "contract": {
            "enforced": isinstance(node, Model) and node.contract is not None,
            "alias_types": bool((node.config.get("contract") or {}).get("alias_types", True)),
            "checksum": None,
        },
    }
    if isinstance(node, Check) and node.check_kind != "singular":
        entry["test_metadata"] = {"name": node.check_kind, "kwargs": dict(node.arguments), "namespace": None}
        entry |= {"column_name": node.column or None, "attached_node": node.attached_to}
    return entry


def _config(node: Node) -> dict[str, Any]:
    """Return a node's configuration with dbt's names and the value types that dbt's classes expect."""
    config = {key: value for key, value in node.config.items() if key not in ("pre-hook", "post-hook")}
    config |= {"enabled": True, "materialized": "test" if isinstance(node, Check) else node.materialized}
    config["tags"] = list(node.tags)
    if isinstance(node, Check):
        return config | {"severity": node.severity.upper()}
    hooks = {key: [_hook(hook) for hook in node.config.get(key) or ()] for key in ("pre-hook", "post-hook")}
    return config | hooks


def _hook(hook: Any) -> dict[str, Any]:
    stated = dict(hook) if isinstance(hook, Mapping) else {"sql": str(hook)}
    return {"sql": stated["sql"], "transaction": bool(stated.get("transaction", True)), "index": None}


def _column(column: Column) -> dict[str, Any]:
    return {
        "name": column.name,
        "description": column.description,
        "meta": dict(column.meta),
        "data_type": column.data_type or None,
        "constraints": [dict(constraint) for constraint in column.constraints],
        "quote": column.is_quoted or None,
        "tags": [],
    }


def _unit_test(test: UnitTest) -> dict[str, Any]:
    given = [
        {
            "input": unique_id,
            "rows": fixture.sql or list(fixture.rows),
            "format": "sql" if fixture.sql else "dict",
        }
        for unique_id, (_, fixture) in test.given.items()
    ]
    expect = test.expect
    return {
        "model": test.model.split(".")[-1],
        "given": given,
        "expect": {"rows": expect.sql or list(expect.rows), "format": "sql" if expect.sql else "dict"},
        "description": test.description,
        "overrides": dict(test.overrides) or None,
        "depends_on": {"macros": [], "nodes": [test.model]},
        "config": {"tags": list(test.tags), "meta": {}, "enabled": True},
        "schema": None,
    }


def _inner_path(node: Node) -> str:
    """Return the path relative to the model (or seed, or test) folder."""
    return "/".join([*node.fqn[1:-1], node.path.rsplit("/", 1)[-1]])


def _compiled_path(node: Node, path: str) -> Path:
    """Return where a node's SQL is written, below ``target/compiled/PACKAGE``: a check has its own file."""
    file = Path(path)
    return file if file.suffix == ".sql" else file / f"{node.label}.sql"
