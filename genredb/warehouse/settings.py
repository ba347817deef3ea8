"""What every connection to DuckDB is given; does not import DuckDB, which is slow."""

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from genredb.errors import Place

# The settings of every connection: no external extensions, no access to Python's variables.
CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "python_enable_replacements": "false",
    "errors_as_json": "true",  # as JSON, errors include the position in the SQL
}
# Reserved for genredb.
OWN = CONFIG.keys() | {
    "access_mode",  # readers never write, builds do
    "allowed_directories",
    "allowed_paths",
    "default_order",  # genredb reads rows in ascending order
    "enable_external_access",
    "enable_profiling",  # profiles go to stdout, among the results
    "enable_progress_bar",
    "enable_view_dependencies",  # views outlive the tables they read, which builds replace
    "lock_configuration",
    "log_query_path",  # reading a database writes no other file
    "max_expression_depth",  # genredb's own SQL needs DuckDB's default
    "profile_output",
    "profiling_output",
    "schema",
    "search_path",
    "temp_directory",  # spill files are next to the database, where they are cleaned up
}
# These affect resources, not results. Each has two names.
MEMORY, _THREADS = ("memory_limit", "max_memory"), ("threads", "worker_threads")
RESOURCES = frozenset((*MEMORY, *_THREADS, "max_temp_directory_size"))

MOST_THREADS = 1024
_MOST = 1_000_000  # times the unit, or in percent: more is a typing mistake
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(i?)B", re.IGNORECASE)
_SHARE = re.compile(r"(\d+(?:\.\d+)?)\s*%")


@dataclass(frozen=True)
class Setting:
    """A DuckDB setting, its value, and where it was set."""

    name: str
    value: object
    place: Place = field(default=Place(""))

    @property
    def label(self) -> str:
        """What messages call it."""
        return f"DuckDB's setting {self.name}"


@dataclass(frozen=True)
class Extension:
    """An installed extension of DuckDB that is loaded."""

    name: str
    place: Place = field(default=Place(""))

    @property
    def label(self) -> str:
        """What messages call it."""
        return f"DuckDB's extension {self.name}"


@dataclass(frozen=True)
class Attachment:
    """A further database file, read as ``name``; ``extension`` reads its format if it is not DuckDB's."""

    name: str
    path: Path
    extension: str = ""
    place: Place = field(default=Place(""))

    @property
    def label(self) -> str:
        """What messages call it."""
        return f"the attached database {self.name}"


# They are applied in this order.
SetUp = Setting | Extension | Attachment


def is_memory_limit(text: str) -> bool:
    """Return whether a text is a memory limit: a size such as 512MB or 1.5GiB, or a share such as 80%."""
    size = _SIZE.fullmatch(text) or _SHARE.fullmatch(text)
    return size is not None and 0 < float(size[1]) <= _MOST


def stated_memory(engine: Iterable[SetUp]) -> int | None:
    """Return DuckDB's memory limit in bytes; None if none is set as a size or share."""
    settings = [one for one in engine if isinstance(one, Setting)]
    stated = [str(setting.value) for setting in settings if setting.name.lower() in MEMORY]
    text = stated[-1].strip() if stated else ""
    if size := _SIZE.fullmatch(text):
        power = " KMGT".index(size[2].upper() or " ")
        return int(float(size[1]) * (1024 if size[3] else 1000) ** power)
    if share := _SHARE.fullmatch(text):
        return int(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") * float(share[1]) / 100)
    return None
