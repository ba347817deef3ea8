"""The shell's saved queries, one file each in the project's folder ``queries``.

They belong to the project's tables, so they are stored and shared with it; ``genredb query -f`` runs them,
too.
"""

import re
from pathlib import Path
from typing import TYPE_CHECKING

from genredb.errors import UsageError
from genredb.runner.project.files import read_text

if TYPE_CHECKING:
    from genredb.runner.project.config import Config

FOLDER = "queries"


def saved(config: "Config") -> dict[str, Path]:
    """Return the files of the saved queries by name."""
    return {path.stem: path for path in sorted((config.home / FOLDER).glob("*.sql"))}


def save(config: "Config", name: str, sql: str) -> Path:
    """Save a query under a name; UsageError if the name is invalid or taken by another query."""
    if not re.fullmatch(r"[\w-]+", name):
        raise UsageError(f"'{name}' is not a valid query name", cure="use letters, digits, _ and -")
    path = config.home / FOLDER / f"{name}.sql"
    text = f"{sql.strip()};\n"
    if path.exists() and read_text(path) != text:
        raise UsageError(
            f"{FOLDER}/{name}.sql already holds another query", cure="choose another name or remove the file"
        )
    try:
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"Cannot write {path}: {error.strerror}") from None
    return path


def read_saved(config: "Config", name: str) -> str:
    """Return the SQL of a saved query; UsageError if there is none of that name."""
    found = saved(config)
    if name not in found:
        raise UsageError(f"There is no saved query '{name}'", name=name, choices=found)
    return read_text(found[name])
