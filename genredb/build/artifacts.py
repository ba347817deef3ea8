"""How a file of dbt's artifacts is written and read.

A file is written beside its place and moved there, so that nobody reads half of one.
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
        content = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def write_artifact(path: Path, text: str) -> None:
    """Write an artifact in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as draft:
        draft.write_text(text, encoding="utf-8")
