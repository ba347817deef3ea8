"""Reads and writes the files of dbt's artifacts.

A file is written under a temporary name and then moved, so that nobody reads a partial one.
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from genredb.drafts import whole_file
from genredb.version import DBT_VERSION, __version__

_SCHEMAS = "https://schemas.getdbt.com/dbt"


def metadata(schema: str) -> dict[str, Any]:
    """Return the metadata that every artifact starts with; ``schema`` is, for example, ``manifest/v12``."""
    return {
        "dbt_schema_version": f"{_SCHEMAS}/{schema}.json",
        "dbt_version": DBT_VERSION,
        "generated_at": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
        "invocation_id": str(uuid4()),
        "env": {},
        "generator": f"genredb {__version__}",
    }


def read_artifact(path: Path) -> dict[str, Any] | None:
    """Return the contents of an artifact, or None if it is missing or invalid."""
    try:
        content = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def write_artifact(path: Path, text: str) -> None:
    """Write an artifact atomically."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as draft:
        draft.write_text(text, encoding="utf-8")
