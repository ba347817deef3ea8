"""What DuckDB and Python exchange: the results of Python models, and functions of Python for SQL."""

import contextlib
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import duckdb

from genredb.errors import ProjectError
from genredb.warehouse.connection import Connection
from genredb.warehouse.duckdb_errors import read_mistake

# The packages whose objects DuckDB reads as rows.
_WITH_ROWS = frozenset(("_duckdb", "duckdb", "pandas", "polars", "pyarrow"))


@contextlib.contextmanager
def names_of_python(connection: Connection) -> Iterator[None]:
    """Let SQL name variables of Python inside the block, as ``from frame``.

    The block must hold whole transactions: in one that is aborted, the setting could not be taken back.
    """
    connection.execute("set python_enable_replacements = true")
    try:
        yield
    finally:
        connection.execute("set python_enable_replacements = false")


def keep_result(connection: Connection, name: str, run: Callable[[Any], Any]) -> None:
    """Create a temporary table of the rows that ``run`` returns, given the DuckDB connection.

    ProjectError for what DuckDB cannot read as rows.
    """
    frame: Any = None
    try:
        frame = run(connection.engine)
        if hasattr(frame, "read_all"):  # an Arrow reader, which may be an unfinished result of the connection
            frame = frame.read_all()
        if frame is not None:
            connection.engine.execute(f"create or replace temp table {name} as select * from frame")
    except Exception as error:
        traceback.clear_frames(error.__traceback__)  # an unfinished result in them would block the rollback
        if not isinstance(error, duckdb.Error):
            raise
        has_rows = type(frame).__module__.partition(".")[0] in _WITH_ROWS
        if isinstance(error, duckdb.InvalidInputException) and frame is not None and not has_rows:
            raise _unreadable(frame) from None
        mistake = ProjectError(**read_mistake(error, "").parts())  # in SQL that the code states
        raise mistake.with_traceback(error.__traceback__) from None
    if frame is None:
        raise _unreadable(frame)


def _unreadable(frame: Any) -> ProjectError:
    return ProjectError(
        f"model() returns a {type(frame).__name__}",
        cure="return a DuckDB relation, a pandas or polars frame, or an Arrow table",
    )


def register_function(
    connection: Connection, name: str, function: Callable[..., Any], parameter: str, result: str
) -> None:
    """Register a function of an Arrow array, nulls included, for SQL, with its SQL types."""
    from duckdb.func import FunctionNullHandling, PythonUDFType  # noqa: PLC0415 - few connections need it

    connection.engine.create_function(
        name,
        function,
        [connection.engine.sqltype(parameter)],
        connection.engine.sqltype(result),
        type=PythonUDFType.ARROW,
        null_handling=FunctionNullHandling.SPECIAL,
    )
