"""One SQL query on the published database, over a connection that can neither write nor reach files."""

from dataclasses import dataclass
from typing import Any

from genredb.errors import UsageError
from genredb.project.config import Config
from genredb.warehouse.database import open_reader, query_errors


@dataclass(frozen=True)
class Answer:
    """The rows of a query; ``is_cut`` says that there were more than ``limit``."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    is_cut: bool = False


def ask(config: Config, sql: str, limit: int | None = None) -> Answer:
    """Run one statement and return its rows, at most ``limit`` of them.

    Raises UsageError with DuckDB's message where the SQL is wrong, tries to write or reaches outside.
    """
    if not sql.strip():
        raise UsageError("There is no SQL to run; give it as an argument, by -f FILE or on stdin.")
    with open_reader(config.database, locked=True) as connection, query_errors():
        statements = len(connection.extract_statements(sql))
        if statements != 1:
            raise UsageError(f"One statement at a time can be asked; there are {statements}.")
        cursor = connection.execute(sql)
        columns = tuple(column[0] for column in cursor.description or ())
        rows = cursor.fetchall() if limit is None else cursor.fetchmany(limit + 1)
    shown = tuple(rows if limit is None else rows[:limit])
    return Answer(columns, shown, is_cut=len(shown) < len(rows))
