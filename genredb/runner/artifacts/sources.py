"""dbt's artifact sources.json (v3): the age of each source."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from genredb.runner.artifacts.files import metadata, write_artifact
from genredb.runner.project.config import Config
from genredb.runner.results import AgeStatus, SourceAge

SOURCES = "sources.json"


def write_sources(config: Config, found: Sequence[SourceAge], seconds: float) -> None:
    """Write sources.json with the age of each source, in dbt's terms."""
    content = {
        "metadata": metadata("sources/v3"),
        "results": [_result(one) for one in found],
        "elapsed_time": seconds,
    }
    write_artifact(config.target_dir / SOURCES, json.dumps(content))


def fresher_sources(now: Mapping[str, Any], before: Mapping[str, Any]) -> frozenset[str]:
    """Return the unique ids of the sources that have newer rows in one sources.json than in another."""
    newest, last = (
        {one["unique_id"]: one["max_loaded_at"] for one in content["results"] if "max_loaded_at" in one}
        for content in (now, before)
    )
    return frozenset(
        unique_id
        for unique_id, at in newest.items()
        if unique_id not in last or datetime.fromisoformat(at) > datetime.fromisoformat(last[unique_id])
    )


def _result(found: SourceAge) -> dict[str, Any]:
    if found.status is AgeStatus.RUNTIME_ERROR or found.max_loaded_at is None or found.snapshotted_at is None:
        return {"unique_id": found.unique_id, "error": found.message, "status": found.status.value}
    limits = asdict(found.limits)
    return {
        "unique_id": found.unique_id,
        "max_loaded_at": found.max_loaded_at.isoformat(),
        "snapshotted_at": found.snapshotted_at.isoformat(),
        "max_loaded_at_time_ago_in_s": found.age,
        "status": found.status.value,
        "criteria": {
            "warn_after": limits["warn_after"] or {"count": None, "period": None},
            "error_after": limits["error_after"] or {"count": None, "period": None},
            "filter": found.limits.filter or None,
        },
        "adapter_response": {},
        "timing": [],
        "thread_id": "Thread-1",
        "execution_time": found.seconds,
    }
