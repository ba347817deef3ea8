"""What a build needs to know of an engine besides its executors; DuckDB's is the default."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from genredb.runner.execution.executor import Executor
    from genredb.runner.graph.compiler import Compilation
    from genredb.warehouse.connection import Connection
    from genredb.warehouse.tables import OwnTable


class Engine:
    """An engine that builds a project. This default is DuckDB: the relations are in the ledger itself.

    ``resumes`` means that a failed build is kept for ``retry``, ``has_receipt`` that the ledger's file alone
    identifies what is published, ``binds`` that DuckDB binds the SQL before the build.
    """

    name = "duckdb"
    resumes = True
    has_receipt = True
    binds = True

    def refuse(self, compilation: "Compilation", own: "Iterable[OwnTable]") -> None:
        """Raise ProjectErrors for all that this engine cannot run as DuckDB does.

        ``own`` are the tables of the application that models may read.
        """

    def marks(self) -> Mapping[str, str] | None:
        """Return the marks of the published relations; None if they are in the ledger."""
        return None

    def executor(self, ledger: "Connection", *, is_new: bool = False) -> "Executor":
        """Return an executor of the published relations, whose changes ``publish()`` publishes.

        ``is_new`` means that there are none yet.
        """
        from genredb.runner.execution.duckdb_executor import DuckDBExecutor  # noqa: PLC0415 - brings DuckDB

        return DuckDBExecutor(ledger, is_new=is_new)

    def forget_stale(self) -> Mapping[str, int]:
        """Empty tables that were not built, but computed from relations that changed; return their rows."""
        return {}

    def publish(self) -> None:
        """Publish what executors changed; the ledger has just been published."""

    def close(self) -> None:
        """End what the engine started; what is not published is discarded."""


DUCKDB = Engine()
