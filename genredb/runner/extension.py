"""The interface through which an application on top of the runner takes part in a build."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from genredb.errors import ProjectError
    from genredb.runner.graph.compiler import Compilation
    from genredb.runner.project.config import Config
    from genredb.runner.project.discover import Project
    from genredb.warehouse.connection import Connection
    from genredb.warehouse.tables import OwnTable


class Extension:
    """The application's steps in a build. This default has none: it is for projects of plain SQL."""

    def tables(self, project: "Project") -> "tuple[OwnTable, ...]":
        """Return the application's own tables in a database of this project."""
        return ()

    def refuse_features(self, compilation: "Compilation") -> None:
        """Raise ProjectErrors if its classifiers cannot use the feature views."""

    def unreadable_features(
        self,
        compilation: "Compilation",
        connection: "Connection",
    ) -> "Iterator[ProjectError]":
        """Yield an error for each feature whose type its classifiers cannot read."""
        yield from ()

    def forget_stale(self, connection: "Connection", config: "Config") -> Mapping[str, int]:
        """Remove rows that no longer match the data before publishing; return the counts by table."""
        return {}


PLAIN = Extension()
