"""What songs add to a build: their tables, checks that features are readable, removal of stale predictions.

Imports are lazy: a build with nothing to do uses none of them.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from genredb.runner.extension import Extension

if TYPE_CHECKING:
    from genredb.errors import ProjectError
    from genredb.runner.graph.compiler import Compilation
    from genredb.runner.project.config import Config
    from genredb.runner.project.discover import Project
    from genredb.warehouse.connection import Connection
    from genredb.warehouse.tables import OwnTable


class Songs(Extension):
    """The songs' steps in a build."""

    def tables(self, project: "Project") -> "tuple[OwnTable, ...]":
        """Return the tables of classifiers and predictions if a project predicts songs or reads them."""
        from genredb.songs.tables import ML_TABLES
        from genredb.songs.views import VIEWS

        read = {source.qualified_name for source in project.sources.values()}
        own = {model.name for model in project.models.values()}
        has_songs = own >= {*VIEWS} or not read.isdisjoint(one.name for one in ML_TABLES)
        return ML_TABLES if has_songs else ()

    def refuse_features(self, compilation: "Compilation") -> None:
        """Raise ProjectErrors if a feature is missing in one of the views that classifiers read."""
        from genredb.songs.feature_columns import refuse_differing_features, refuse_predictions

        refuse_differing_features(compilation)
        refuse_predictions(compilation)

    def unreadable_features(
        self, compilation: "Compilation", connection: "Connection"
    ) -> "Iterator[ProjectError]":
        """Yield an error for each feature that is neither a number nor a boolean."""
        from genredb.songs.feature_columns import unreadable_features

        yield from unreadable_features(compilation, connection)

    def forget_stale(self, connection: "Connection", config: "Config") -> Mapping[str, int]:
        """Empty ml.predictions if they no longer match the data."""
        from genredb.songs.staleness import forget_stale_predictions

        return forget_stale_predictions(connection, config.home)


SONGS = Songs()
