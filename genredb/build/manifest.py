"""Writes dbt's manifest.json (v12) and the compiled SQL below the target folder, and compares manifests."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genredb.build.artifacts import metadata, read_artifact, write_artifact
from genredb.build.run_results import RUN_RESULTS
from genredb.compile.compiler import Compilation
from genredb.compile.nodes import Node, NodeKind
from genredb.errors import UsageError
from genredb.project.config import Config
from genredb.project.nodes import Column

if TYPE_CHECKING:
    from genredb.compile.select import Before

MANIFEST = "manifest.json"


def write_manifest(compilation: Compilation) -> None:
    """Write manifest.json and the compiled SQL of every node."""
    config = compilation.project.config
    for node in compilation.nodes.values():
        if node.sql:
            path = config.target_dir / "compiled" / config.name / _compiled_path(node)
            if not path.is_file() or path.read_text(encoding="utf-8") != node.sql:
                write_artifact(path, node.sql)
    write_artifact(config.target_dir / MANIFEST, json.dumps(manifest(compilation), default=str))


def read_before(config: Config, state_dir: Path | None) -> "Before":
    """Read what selectors compare with: the manifest in ``state_dir``, the results of the last run."""
    from genredb.compile.select import Before  # noqa: PLC0415

    nodes = None
    if state_dir is not None:
        content = read_artifact(state_dir / MANIFEST)
        if content is None:
            raise UsageError(f"{state_dir} holds no {MANIFEST} that can be read.")
        nodes = {**content.get("nodes", {}), **content.get("sources", {}), **content.get("unit_tests", {})}
    results = read_artifact((state_dir or config.target_dir) / RUN_RESULTS)
    statuses = {found["unique_id"]: found["status"] for found in results["results"]} if results else None
    return Before(nodes, statuses, _is_modified)


def _is_modified(node: Node, before: Mapping[str, Any]) -> bool:
    """Whether a node is another one than the earlier manifest's: text, SQL, configuration or relation."""
    now = json.loads(json.dumps(_entry(node), default=str))
    parts = ("checksum", "compiled_code", "config", "relation_name", "identifier", "given", "expect")
    return any(now.get(part) != before.get(part) for part in parts)


def manifest(compilation: Compilation) -> dict[str, Any]:
    """Return the project's graph as dbt's manifest has it (schema version 12)."""
    project = compilation.project
    nodes: dict[str, Any] = {}
    sources: dict[str, Any] = {}
    unit_tests: dict[str, Any] = {}
    for node in compilation.nodes.values():
        part = {NodeKind.SOURCE: sources, NodeKind.UNIT_TEST: unit_tests}.get(node.kind, nodes)
        part[node.unique_id] = _entry(node)
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
        "exposures": {},
        "metrics": {},
        "groups": {},
        "selectors": {},
        "disabled": {},
        "parent_map": parents,
        "child_map": children,
        "group_map": {},
        "saved_queries": {},
        "semantic_models": {},
        "unit_tests": unit_tests,
        "functions": {},
    }


def _entry(node: Node) -> dict[str, Any]:
    """Return one node as the manifest has it."""
    common = {
        "name": node.name,
        "resource_type": node.kind.value,
        "package_name": node.fqn[0] if node.fqn else "",
        "path": _inner_path(node),
        "original_file_path": node.path,
        "unique_id": node.unique_id,
        "fqn": list(node.fqn),
    }
    if node.kind is NodeKind.UNIT_TEST and node.unit_test:
        return {**common, **_unit_test(node)}
    relation = node.relation
    described = {
        "database": relation.database if relation else None,
        "schema": str(relation.schema) if relation else "",
        "description": node.description,
        "columns": {column.name: _column(column) for column in node.columns},
        "meta": dict(node.config.get("meta") or {}),
        "tags": list(node.tags),
        "relation_name": None if relation is None or relation.is_cte else str(relation),
    }
    if node.kind is NodeKind.SOURCE:
        source = {
            "source_name": node.fqn[1],
            "source_description": "",
            "loader": "genredb",
            "identifier": relation.identifier if relation else node.name,
            "config": {"enabled": True},
        }
        return {**common, **described, **source}
    executed = {
        "alias": relation.identifier if relation and not relation.is_cte else node.name,
        "checksum": {"name": "sha256", "checksum": hashlib.sha256(node.template.encode()).hexdigest()},
        "config": _config(node),
    }
    if node.kind is NodeKind.SEED:
        return {**common, **described, **executed, "raw_code": "", "depends_on": {"macros": []}}
    compiled = {
        "raw_code": node.template,
        "language": "sql",
        "refs": [],
        "sources": [],
        "metrics": [],
        "depends_on": {"macros": [], "nodes": list(node.depends_on)},
        "compiled_path": str(_compiled_path(node)),
        "compiled": True,
        "compiled_code": node.sql,
        "extra_ctes_injected": True,
        "extra_ctes": [],
        "contract": {"enforced": False, "alias_types": True, "checksum": None},
    }
    entry = {**common, **described, **executed, **compiled}
    if node.kind is NodeKind.CHECK and node.check_kind != "singular":
        entry["test_metadata"] = {"name": node.check_kind, "kwargs": dict(node.arguments), "namespace": None}
        entry |= {"column_name": node.column or None, "attached_node": node.attached_to}
    return entry


def _config(node: Node) -> dict[str, Any]:
    """Return a node's configuration under dbt's names, with the kinds of values that dbt's classes want."""
    config = {key: value for key, value in node.config.items() if key not in ("pre-hook", "post-hook")}
    config |= {"enabled": True, "materialized": "test" if node.is_check else node.materialized}
    config["tags"] = list(node.tags)
    if node.is_check:
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
        "constraints": [],
        "quote": None,
        "tags": [],
    }


def _unit_test(node: Node) -> dict[str, Any]:
    test = node.unit_test
    if test is None:
        return {}
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
        "description": node.description,
        "overrides": dict(test.overrides) or None,
        "depends_on": {"macros": [], "nodes": [test.model]},
        "config": {"tags": list(node.tags), "meta": {}, "enabled": True},
        "schema": None,
    }


def _inner_path(node: Node) -> str:
    """Return the path below the model (or seed, or test) folder."""
    return "/".join([*node.fqn[1:-1], node.path.rsplit("/", 1)[-1]])


def _compiled_path(node: Node) -> Path:
    """Return where a node's SQL is written, below ``target/compiled/PROJECT``: a check has its own file."""
    path = Path(node.path.lstrip("/"))
    return path if path.suffix == ".sql" else path / f"{node.label}.sql"
