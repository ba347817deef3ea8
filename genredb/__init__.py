"""genredb: a song-genre warehouse in one DuckDB file.

>>> import genredb
>>> db = genredb.open("genre.duckdb")
>>> db.sql("select title, year from songs where id = 1 and source = 'train'").df().shape
(1, 2)
"""

from __future__ import annotations

from genredb.version import __version__

TYPE_CHECKING = False  # typing itself takes a while, during which Ctrl-C would print a traceback
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
    """Return a built database, to ask in SQL, by its tables or by its classifier.

    ``database`` is the DuckDB file, else the one of the project's profile; ``project_dir`` the folder of
    dbt_project.yml, searched upward from the working directory unless given; ``raw_dir`` and ``variables``
    are what the command line calls ``--raw-dir`` and ``--vars``. UsageError where there is no such file.
    """
    from pathlib import Path  # noqa: PLC0415

    from genredb.api import Database  # noqa: PLC0415
    from genredb.project.config import Settings, read_config  # noqa: PLC0415 - the command line wants little
    from genredb.warehouse.database import open_reader  # noqa: PLC0415

    config = read_config(
        Settings(
            project_dir=None if project_dir is None else Path(project_dir),
            database=None if database is None else Path(database),
            raw_dir=None if raw_dir is None else Path(raw_dir),
            vars=variables or {},
        )
    )
    with open_reader(config.database):
        return Database(config)
