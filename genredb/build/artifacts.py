"""The files of dbt's artifacts: run_results.json (v6), and how any of them is written and read.

A file is written beside its place and moved there, so that nobody reads half of one.
"""

import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from genredb.build.results import BuildResult, NodeResult, Status
from genredb.project.config import Config
from genredb.version import DBT_VERSION, __version__

RUN_RESULTS = "run_results.json"
_SCHEMAS = "https://schemas.getdbt.com/dbt"
_STATUSES: Mapping[Status, tuple[str, str]] = {
    Status.SUCCESS: ("success", "pass"),
    Status.WARN: ("warn", "warn"),
    Status.FAIL: ("fail", "fail"),
    Status.ERROR: ("error", "error"),
    Status.SKIPPED: ("skipped", "skipped"),
}


def write_run_results(config: Config, command: str, result: BuildResult) -> None:
    """Write run_results.json: how each node ended, in dbt's words."""
    content = {
        "metadata": metadata("run-results/v6"),
        "results": [_run_result(found) for found in result.results],
        "elapsed_time": result.seconds,
        "args": {"which": command, "project_dir": str(config.root)},
    }
    write_artifact(config.target_dir / RUN_RESULTS, json.dumps(content, default=str))


def _run_result(result: NodeResult) -> dict[str, Any]:
    node = result.node
    failures = result.failing.measure if result.failing else (0 if node.is_check else None)
    return {
        "status": _STATUSES[result.status][node.is_check],
        "timing": [],
        "thread_id": "Thread-1",
        "execution_time": result.seconds,
        "adapter_response": {} if result.rows is None else {"rows_affected": result.rows},
        "message": result.message or result.reason or None,
        "failures": failures,
        "unique_id": node.unique_id,
        "compiled": True,
        "compiled_code": node.sql or None,
        "relation_name": str(node.relation) if node.relation and node.is_built else None,
        "batch_results": None,
    }


def metadata(schema: str) -> dict[str, Any]:
    """Return what every artifact begins with; ``schema`` is such as ``manifest/v12``."""
    return {
        "dbt_schema_version": f"{_SCHEMAS}/{schema}.json",
        "dbt_version": DBT_VERSION,
        "generated_at": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
        "invocation_id": str(uuid4()),
        "env": {},
        "generator": f"genredb {__version__}",
    }


def read_artifact(path: Path) -> dict[str, Any] | None:
    """Return what an artifact holds, or None where it is missing or none."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def write_artifact(path: Path, text: str) -> None:
    """Write an artifact in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)
