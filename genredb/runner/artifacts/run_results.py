"""dbt's artifact run_results.json (v6): the result of each node of a build."""

import json
from collections.abc import Mapping
from typing import Any

from genredb.runner.artifacts.files import metadata, write_artifact
from genredb.runner.project.config import Config
from genredb.runner.results import BuildResult, NodeResult, Status

RUN_RESULTS = "run_results.json"
_STATUSES: Mapping[Status, tuple[str, str]] = {
    Status.SUCCESS: ("success", "pass"),
    Status.WARN: ("warn", "warn"),
    Status.FAIL: ("fail", "fail"),
    Status.ERROR: ("error", "error"),
    Status.SKIPPED: ("skipped", "skipped"),
}


def write_run_results(config: Config, command: str, result: BuildResult) -> None:
    """Write run_results.json with the result of each node, in dbt's terms."""
    content = {
        "metadata": metadata("run-results/v6"),
        "results": [_run_result(found) for found in result.results],
        "elapsed_time": result.seconds,
        "args": {"which": command, "project_dir": str(config.root)},
    }
    write_artifact(config.target_dir / RUN_RESULTS, json.dumps(content, default=str))


def _run_result(result: NodeResult) -> dict[str, Any]:
    from genredb.runner.graph.nodes import Compiled  # noqa: PLC0415 - a build with nothing to do has no nodes

    node = result.node
    failures = result.failing.measure if result.failing else (0 if node.is_check else None)
    return {
        "status": _STATUSES[result.status][node.is_check],
        "timing": [],
        "thread_id": "Thread-1",
        "execution_time": result.seconds,
        "adapter_response": {} if result.rows is None else {"rows_affected": result.rows},
        "message": result.message or str(result.reason) or None,
        "failures": failures,
        "unique_id": node.unique_id,
        "compiled": True,
        "compiled_code": (node.sql if isinstance(node, Compiled) else "") or None,
        "relation_name": str(node.built_relation) if node.built_relation else None,
        "batch_results": None,
    }
