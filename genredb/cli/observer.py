"""Prints build progress: a line for each node, and the failing rows of each check."""

import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from genredb.cli.brief_loads import brief
from genredb.cli.console import Console
from genredb.cli.log import logger
from genredb.runner.results import NodeResult, Proof, Status

if TYPE_CHECKING:
    from genredb.errors import Notice
    from genredb.runner.graph.nodes import Node
    from genredb.runner.project.config import Config
    from genredb.warehouse.load import Load


class BuildObserver:
    """Prints a line for each node when it finishes, and a progress bar on a terminal."""

    def __init__(self, console: Console, progress: Callable[[str, int, int], None]) -> None:
        self._console = console
        self._progress = progress
        self._total = 0
        self._done = 0

    def settled(self, config: "Config") -> None:
        """Say which project and raw files are used, unless they are the usual ones."""
        self._console.introduce(config)

    def begin(self, nodes: "Sequence[Node]") -> None:
        """Receive the nodes that will run."""
        self._total = len(nodes)
        logger.info("plan: %s", ", ".join(node.label for node in nodes) or "nothing to run")

    def note(self, notice: "Notice") -> None:
        """Print a notice as a warning."""
        self._console.warn(str(notice))

    def start(self, what: str) -> None:
        """Show the running node in the progress bar."""
        self._progress(what, self._done, self._total)

    def dropped(self, relation: str) -> None:
        """Print a line for a relation that is no longer in the project."""
        logger.info("drop: %s", relation)
        self._line("drop", relation.removeprefix("main."), "", "no longer in the project")

    def loaded(self, loads: "Sequence[Load]") -> None:
        """Print a line for each file of a raw table, or one for many files."""
        for load in loads:
            logger.info("load: %s, %s rows of %s", load.source, load.loaded, load.file)
        for load in brief(loads):
            note = f"new in {load.name}" if load.is_rest else load.name
            self._line("load", load.source, f"{load.loaded:,} rows", note)

    def finish(self, result: NodeResult) -> None:
        """Print a line for a node; for a check only if it has failing rows, or if verbose."""
        self._done += 1
        node = result.node
        _log(result)
        if result.status is Status.ERROR:
            self._console.line(("ERROR ", "red bold"), (result.message, ""))
        elif result.failing:
            self._failing(result)
        elif result.status is Status.SKIPPED:
            if not node.is_check or self._console.is_verbose:
                self._line("skip", node.label, "", f"{result.culprit} failed")
        elif not node.is_check:
            rows = "" if result.rows is None else f"{result.rows:,} rows"
            self._line(node.materialized, node.label, rows, f"{result.reason}{_changed(result)}")
        elif self._console.is_verbose:
            self._line("pass", node.label, "", str(result.reason))

    def proved(self, proof: Proof) -> None:
        """Print a line for the leak guard."""
        views = f"{len(proof.views)} feature view{'' if len(proof.views) == 1 else 's'}"
        features = sum(len(view.features) for view in proof.views)
        self._line("guard", views, f"{features:,} features", "no label leaks")

    def _failing(self, result: NodeResult) -> None:
        """Print a check with its first failing rows."""
        if result.failing is None:
            return
        word, style = ("WARN", "yellow") if result.status is Status.WARN else ("FAIL", "red")
        total = result.failing.total
        rows = "1 row" if total == 1 else f"{total} rows"
        name = result.node.description or result.node.name
        self._console.line(
            (f"{word} ", f"{style} bold"), (f"{name}: {rows} ", ""), (f"({result.node.path})", "dim")
        )
        self._console.table(result.failing.columns, result.failing.rows)
        if total > len(result.failing.rows):
            self._console.line((f"  … and {total - len(result.failing.rows)} more", "dim"))

    def _line(self, kind: str, name: str, rows: str, note: str) -> None:
        self._console.say(f"  {kind:<6} {name:<28} {rows:>14}  {note}".rstrip())


def _changed(result: NodeResult) -> str:
    """Return how many rows were added and removed, if that is known."""
    changed = result.changed
    if changed is None:
        return ""
    parts = [f"{changed.added:,} rows added"] if changed.added else []
    parts += [f"{changed.removed:,} removed"] if changed.removed else []
    return f": {', '.join(parts) or 'no row changed'}"


def _log(result: NodeResult) -> None:
    """Log a node's result: status, seconds, reason and error."""
    found = f"{result.failing.total} failing rows" if result.failing else ""
    because = f"{result.culprit} failed" if result.culprit else ""
    parts = (
        result.status.value,
        f"{result.seconds:.3f} s",
        str(result.reason),
        found,
        because,
        result.message,
    )
    level = logging.ERROR if result.status in (Status.ERROR, Status.FAIL) else logging.INFO
    logger.log(
        level, "%s %s: %s", result.node.resource_type, result.node.label, ", ".join(filter(None, parts))
    )
