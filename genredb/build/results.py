"""What a build reports: one result per node, and the whole."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from genredb.compile.nodes import Node
    from genredb.project.config import Config
    from genredb.warehouse.load import Load


class Status(StrEnum):
    """How a node ended."""

    SUCCESS = "success"
    WARN = "warn"
    FAIL = "fail"
    ERROR = "error"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class FailingRows:
    """The first rows that a check found, and how many there are in all.

    ``measure`` is what the check's ``fail_calc`` made of them, the number of rows if it has none.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    total: int
    measure: int


@dataclass(frozen=True)
class NodeResult:
    """How one node ended: ``reason`` says why it ran, ``message`` what went wrong.

    ``culprit`` names what failed upstream of a node that was skipped.
    """

    node: "Node"
    status: Status
    reason: str = ""
    rows: int | None = None
    seconds: float = 0.0
    message: str = ""
    culprit: str = ""
    failing: FailingRows | None = None


@dataclass(frozen=True)
class BuildResult:
    """How a build ended. ``is_published`` is False where nothing had changed, and where something failed.

    ``standing_warnings`` counts the checks that still warn where nothing had changed,
    ``forgotten_predictions`` those that no longer fitted the data and were removed; ``messages`` are what
    templates logged.
    """

    results: tuple[NodeResult, ...]
    loads: "tuple[Load, ...]" = ()
    is_published: bool = False
    seconds: float = 0.0
    standing_warnings: int = 0
    forgotten_predictions: int = 0
    messages: tuple[str, ...] = ()

    def count(self, *statuses: Status) -> int:
        """Return how many nodes ended so."""
        return len(self.of_status(*statuses))

    def of_status(self, *statuses: Status) -> list[NodeResult]:
        """Return the results that ended so, in order."""
        return [result for result in self.results if result.status in statuses]

    @property
    def exit_code(self) -> int:
        """0, 1 where a check failed, 3 where the SQL of a node is wrong."""
        if self.count(Status.ERROR):
            return 3
        return 1 if self.count(Status.FAIL) else 0


@dataclass(frozen=True)
class Proof:
    """What the leak guard proved: that so many features of so many views depend on no label."""

    views: int
    features: int


class Observer(Protocol):
    """Is told how a build goes on while it goes on."""

    def settled(self, config: "Config") -> None:
        """Hear from which configuration a build goes: which project, which raw folder."""

    def note(self, notice: str) -> None:
        """Hear of something in the project that has no effect, or that is otherwise worth knowing."""

    def begin(self, nodes: "Sequence[Node]") -> None:
        """Hear which nodes will run."""

    def start(self, what: str) -> None:
        """Hear what runs next."""

    def dropped(self, relation: str) -> None:
        """Hear that a relation was dropped whose node left the project."""

    def loaded(self, load: "Load") -> None:
        """Hear that a raw table was loaded."""

    def finish(self, result: NodeResult) -> None:
        """Hear how a node ended."""

    def proved(self, proof: Proof) -> None:
        """Hear that no feature depends on a label."""


class SilentObserver:
    """Listens to nothing."""

    def settled(self, config: "Config") -> None:
        """Ignore."""

    def note(self, notice: str) -> None:
        """Ignore."""

    def begin(self, nodes: "Sequence[Node]") -> None:
        """Ignore."""

    def start(self, what: str) -> None:
        """Ignore."""

    def dropped(self, relation: str) -> None:
        """Ignore."""

    def loaded(self, load: "Load") -> None:
        """Ignore."""

    def finish(self, result: NodeResult) -> None:
        """Ignore."""

    def proved(self, proof: Proof) -> None:
        """Ignore."""
