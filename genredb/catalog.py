"""The read API: a project and its published database, as frozen values.

Commands, the Python API and the MCP server read them here. Each part is read, and its imports are done, on
first use.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from genredb.runner.graph.nodes import Assertion
from genredb.runner.opened import Opened

if TYPE_CHECKING:
    from genredb.ask.relations import Relation
    from genredb.runner.artifacts.history import (
        CheckCounts,
        CheckResult,
        FileLoad,
        NodeRun,
        QuarantinedRow,
        Run,
    )
    from genredb.songs.classifiers import Kept
    from genredb.songs.explain import Weight
    from genredb.songs.learn.leaderboard import Evaluation, PastAccuracy


@dataclass(frozen=True)
class CheckState:
    """A check or unit test of the project with its last result; None if it has not run."""

    node: Assertion
    last: "CheckResult | None"


class Catalog(Opened):
    """A project, compiled at most once, and one state of its database.

    >>> with Catalog(config) as catalog:
    ...     [relation.asked_as for relation in catalog.relations]
    ['artists', 'correlations', 'genres', …]
    """

    @cached_property
    def relations(self) -> "tuple[Relation, ...]":
        """Every table and view, those of ``main`` first, with its columns in order and descriptions."""
        from genredb.ask.relations import read_relations  # noqa: PLC0415

        return read_relations(self)

    @cached_property
    def checks(self) -> tuple[CheckState, ...]:
        """Every check and unit test of the project with its last result."""
        from genredb.runner.artifacts.history import read_last_checks  # noqa: PLC0415

        last = {one.unique_id: one for one in read_last_checks(self.connection)}
        found = self.compilation.of_type(Assertion)
        return tuple(CheckState(node, last.get(node.unique_id)) for node in found)

    @cached_property
    def runs(self) -> "tuple[Run, ...]":
        """Every command that wrote to the database, newest first."""
        from genredb.runner.artifacts.history import read_runs  # noqa: PLC0415

        return read_runs(self.connection)

    @cached_property
    def node_runs(self) -> "tuple[NodeRun, ...]":
        """Every seed and model that a run built, newest run first."""
        from genredb.runner.artifacts.history import read_node_runs  # noqa: PLC0415

        return read_node_runs(self.connection)

    @cached_property
    def check_counts(self) -> "tuple[CheckCounts, ...]":
        """How the checks of each run ended, counted, newest run first."""
        from genredb.runner.artifacts.history import read_check_counts  # noqa: PLC0415

        return read_check_counts(self.connection)

    @cached_property
    def loads(self) -> "tuple[FileLoad, ...]":
        """The files that the raw tables were loaded from."""
        from genredb.runner.artifacts.history import read_loads  # noqa: PLC0415

        return read_loads(self.connection)

    @cached_property
    def quarantined(self) -> Mapping[str, int]:
        """The number of quarantined rows by raw table; tables without any are left out."""
        found: dict[str, int] = {}
        for load in self.loads:
            if load.quarantined:
                found[load.source] = found.get(load.source, 0) + load.quarantined
        return found

    @cached_property
    def quarantine_reasons(self) -> Mapping[tuple[str, str], int]:
        """The number of quarantined rows by raw table and reason, most frequent first."""
        from genredb.runner.artifacts.history import read_quarantine_reasons  # noqa: PLC0415

        return read_quarantine_reasons(self.connection)

    def quarantined_rows(self, most: int) -> "tuple[QuarantinedRow, ...]":
        """Return the first quarantined rows, at most so many, by file and line."""
        from genredb.runner.artifacts.history import read_quarantined_rows  # noqa: PLC0415

        return read_quarantined_rows(self.connection, most)

    @cached_property
    def classifiers(self) -> "list[Kept]":
        """The fitted classifiers, newest first; UsageError if the database has no songs to predict."""
        from genredb.songs.classifiers import list_classifiers  # noqa: PLC0415

        return list_classifiers(self)

    def evaluations(self, protocol: str = "cv", label: str = "genre") -> "list[Evaluation]":
        """Return the evaluations of the current songs under a protocol and a label, most accurate first.

        Each difference from the default classifier is marked if it may be noise. UsageError with the choices
        for an unknown protocol or label.
        """
        from genredb.songs.learn.leaderboard import read_leaderboard  # noqa: PLC0415

        if (protocol, label) not in self._evaluations:
            self._evaluations[protocol, label] = read_leaderboard(self.connection, protocol, label)
        return [*self._evaluations[protocol, label]]

    @cached_property
    def _evaluations(self) -> "dict[tuple[str, str], list[Evaluation]]":
        return {}

    def past_accuracies(self, protocol: str = "cv", label: str = "genre") -> "tuple[PastAccuracy, ...]":
        """Return the accuracy of each classifier in each run that is kept, newest run first."""
        from genredb.songs.learn.leaderboard import read_past_accuracies  # noqa: PLC0415

        return read_past_accuracies(self.connection, protocol, label)

    @cached_property
    def features(self) -> tuple[str, ...]:
        """The columns that classifiers read, in the order of the properties."""
        from genredb.songs.learn.dataset import feature_view  # noqa: PLC0415 - brings NumPy
        from genredb.songs.views import TRAIN_VIEW  # noqa: PLC0415

        return feature_view(self.connection, TRAIN_VIEW).features

    def weights(self, most: int) -> "dict[str, tuple[Weight, ...]]":
        """Return the columns that weighed in the predictions that the audio decided, by song, of ``most``."""
        from genredb.songs.explain import weigh_columns  # noqa: PLC0415 - brings scikit-learn

        return weigh_columns(self.connection, self.config.home, most)
