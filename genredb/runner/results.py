"""The results of a build: one per node, and the overall result."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

from genredb.runner.project.source_freshness import Freshness

if TYPE_CHECKING:
    from genredb.errors import GenredbError, Notice
    from genredb.runner.graph.nodes import Node
    from genredb.runner.project.config import Config
    from genredb.runner.reasons import Reason
    from genredb.warehouse.load import Load


class Status(StrEnum):
    """The final status of a node."""

    SUCCESS = "success"
    WARN = "warn"
    FAIL = "fail"
    ERROR = "error"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class FailingRows:
    """The first failing rows of a check, and how many there are in total.

    ``measure`` is the result of the check's ``fail_calc``, by default the number of rows.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    total: int
    measure: int


@dataclass(frozen=True)
class ChangedRows:
    """How many rows a build added to a table and removed from it; a row that changed counts as both."""

    added: int
    removed: int


@dataclass(frozen=True)
class NodeResult:
    """The result of one node: ``reason`` says why it ran, ``error`` what went wrong.

    ``culprit`` names the upstream failure that caused a node to be skipped. ``is_incremental`` means that it
    ran for the changed rows of its inputs alone; ``changed`` are the changed rows of its table, if they are
    known.
    """

    node: "Node"
    status: Status
    reason: "Reason"
    rows: int | None = None
    seconds: float = 0.0
    error: "GenredbError | None" = None
    culprit: str = ""
    failing: FailingRows | None = None
    is_incremental: bool = False
    changed: ChangedRows | None = None

    @property
    def message(self) -> str:
        """The error message, empty if there is none."""
        return str(self.error) if self.error else ""


@dataclass(frozen=True)
class BuildResult:
    """The result of a build. ``is_published`` is False if nothing changed or something failed.

    ``standing_warnings`` counts the checks that still warn when nothing changed, ``forgotten`` the rows
    removed, by table, because they no longer match the data; ``messages`` are those logged by templates.
    """

    results: tuple[NodeResult, ...]
    loads: "tuple[Load, ...]" = ()
    is_published: bool = False
    seconds: float = 0.0
    standing_warnings: int = 0
    forgotten: Mapping[str, int] = field(default_factory=dict)
    messages: tuple[str, ...] = ()

    def count(self, *statuses: Status) -> int:
        """Return the number of nodes with one of these statuses."""
        return len(self.of_status(*statuses))

    def of_status(self, *statuses: Status) -> list[NodeResult]:
        """Return the results with one of these statuses, in order."""
        return [result for result in self.results if result.status in statuses]

    @property
    def exit_code(self) -> int:
        """0 for success, 1 if a check failed, 3 if the SQL of a node failed."""
        if self.count(Status.ERROR):
            return 3
        return 1 if self.count(Status.FAIL) else 0


class AgeStatus(StrEnum):
    """Whether the newest row of a source is young enough."""

    PASS = "pass"
    WARN = "warn"
    ERROR = "error"
    RUNTIME_ERROR = "runtime error"


@dataclass(frozen=True)
class SourceAge:
    """How old the newest row of a source is, in seconds, and the limits that its files state.

    ``max_loaded_at`` is when it was loaded, `0001-01-01` if there is no row. These are unknown after a
    ``runtime error``, of which ``message`` tells.
    """

    unique_id: str
    name: str
    status: AgeStatus
    limits: Freshness
    seconds: float
    max_loaded_at: datetime | None = None
    snapshotted_at: datetime | None = None
    age: float | None = None
    message: str = ""


@dataclass(frozen=True)
class ProvedView:
    """A feature view whose features depend on no label.

    ``rows`` is how many were compared: those that it has with permuted labels, too. ``is_filtered_by_label``
    means that its rows may depend on one, as its model declares.
    """

    name: str
    features: tuple[str, ...]
    rows: int
    is_filtered_by_label: bool


@dataclass(frozen=True)
class Proof:
    """What the leak guard proved: no feature of these views depends on a label.

    ``labels`` are the columns that it permuted, ``run_id`` is the build that proved it.
    """

    views: tuple[ProvedView, ...]
    labels: tuple[str, ...]
    run_id: str = ""


class Observer(Protocol):
    """Receives build progress."""

    def settled(self, config: "Config") -> None:
        """Report the build's configuration: which project, which raw folder."""

    def note(self, notice: "Notice") -> None:
        """Report a notice: something in the project has no effect or is worth knowing."""

    def begin(self, nodes: "Sequence[Node]") -> None:
        """Report the nodes that will run."""

    def start(self, what: str) -> None:
        """Report what runs next."""

    def dropped(self, relation: str) -> None:
        """Report that the relation of a node removed from the project was dropped."""

    def loaded(self, loads: "Sequence[Load]") -> None:
        """Report that the files of a raw table were loaded."""

    def finish(self, result: NodeResult) -> None:
        """Report the result of a node."""

    def proved(self, proof: Proof) -> None:
        """Report that no feature depends on a label."""


class SilentObserver:
    """Ignores all progress."""

    def settled(self, config: "Config") -> None:
        """Ignore."""

    def note(self, notice: "Notice") -> None:
        """Ignore."""

    def begin(self, nodes: "Sequence[Node]") -> None:
        """Ignore."""

    def start(self, what: str) -> None:
        """Ignore."""

    def dropped(self, relation: str) -> None:
        """Ignore."""

    def loaded(self, loads: "Sequence[Load]") -> None:
        """Ignore."""

    def finish(self, result: NodeResult) -> None:
        """Ignore."""

    def proved(self, proof: Proof) -> None:
        """Ignore."""
