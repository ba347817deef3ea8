"""dbt's artifact run_results.json (v6): how each node of a build ended."""

import json
from collections.abc import Mapping
from typing import Any

from genredb.build.artifacts import metadata, write_artifact
from genredb.build.results import BuildResult, NodeResult, Status
from genredb.project.config import Config

RUN_RESULTS = "run_results.json"
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
