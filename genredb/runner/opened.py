"""A project together with its published database, each opened at most once, for commands that read."""

from contextlib import ExitStack
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Self

from genredb.runner.project.config import Config
from genredb.runner.project.discover import Project, read_files

if TYPE_CHECKING:
    from genredb.runner.flow.lineage import Lineage
    from genredb.runner.graph.compiler import Compilation
    from genredb.runner.problems import Problems
    from genredb.runner.templates.relation import Database
    from genredb.warehouse.connection import Connection


class Opened:
    """A project and one state of its published database; each part is read or imported on first use.

    Use it in a ``with`` statement, which closes the database.
    """

    def __init__(self, config: Config) -> None:
        self.config = config
        self._open = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.__exit__(kind, error, trace)

    @cached_property
    def project(self) -> Project:
        """The contents of the project's files; ProjectErrors if they are invalid."""
        project, problems = self._read
        problems.raise_all()
        return project

    @cached_property
    def _read(self) -> "tuple[Project, Problems]":
        return read_files(self.config)

    @cached_property
    def compilation(self) -> "Compilation":
        """The project's graph; ProjectErrors if it is invalid."""
        from genredb.runner.graph.compiler import compile_project  # noqa: PLC0415 - brings Jinja

        return compile_project(*self._read)

    @cached_property
    def connection(self) -> "Connection":
        """A reader of the published database; UsageError if the project has not been built."""
        from genredb.warehouse.database import open_reader  # noqa: PLC0415 - a graph needs no DuckDB

        return self._open.enter_context(open_reader(self.config.database, self.config.engine))

    @property
    def published(self) -> "Connection | None":
        """The same, or None if nothing is published."""
        return self.connection if self.config.database.is_file() else None

    @cached_property
    def templates_database(self) -> "Database | None":
        """The database for templates, or None if nothing is published."""
        from genredb.runner.execution.duckdb_executor import DuckDBExecutor  # noqa: PLC0415
        from genredb.runner.execution.runtime import TemplateDatabase  # noqa: PLC0415

        return TemplateDatabase(DuckDBExecutor(self.published)) if self.published else None

    @cached_property
    def lineage(self) -> "Lineage":
        """Column lineage; the database provides the columns of sources that no file describes."""
        from genredb.runner.flow.lineage import Lineage  # noqa: PLC0415

        return Lineage(self.compilation, self.templates_database)
