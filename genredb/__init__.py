"""genredb: a song-genre warehouse in one DuckDB file.

>>> import genredb
>>> db = genredb.open("genre.duckdb")
>>> db.sql("select title, year from songs where id = 1 and source = 'train'").df().shape
(1, 2)
"""

from __future__ import annotations

from genredb.version import __version__

TYPE_CHECKING = False  # importing typing takes a while, during which Ctrl-C would print a traceback
if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import Any

    from genredb.api import Database

__all__ = ["__version__", "open"]


def open(  # noqa: A001 - read as genredb.open
    database: str | Path | None = None,
    *,
    project_dir: str | Path | None = None,
    raw_dir: str | Path | None = None,
    variables: Mapping[str, Any] | None = None,
) -> Database:
    """Return a built database, to read with SQL, by table or with its classifier.

    ``database`` is the DuckDB file (default: the one in the project's profile). ``project_dir`` is the
    folder of dbt_project.yml (default: searched upward from the working directory). ``raw_dir`` and
    ``variables`` are ``--raw-dir`` and ``--vars`` of the command line. UsageError if there is no such file.
    """
    from pathlib import Path  # noqa: PLC0415

    from genredb.api import Database  # noqa: PLC0415
    from genredb.runner.project.config import Settings, read_config  # noqa: PLC0415 - keeps the command line's start fast
    from genredb.warehouse.database import open_reader  # noqa: PLC0415

    config = read_config(
        Settings(
            project_dir=None if project_dir is None else Path(project_dir),
            database=None if database is None else Path(database),
            raw_dir=None if raw_dir is None else Path(raw_dir),
            vars=variables or {},
        )
    )
    with open_reader(config.database, config.engine):
        return Database(config)
