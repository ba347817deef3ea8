"""Counts the failing rows of several checks in one pass, for ``not_null`` and its like, which mostly pass.

On a view, each check would compute the whole view again. A check runs by itself only if rows fail it.
"""

from collections.abc import Collection, Sequence

from genredb.errors import SqlError
from genredb.runner.execution.runtime import Runtime
from genredb.runner.execution.update import known_locality, partial_inputs
from genredb.runner.graph.generic_checks import GENERIC
from genredb.runner.graph.nodes import Check
from genredb.runner.templates.relation import Relation


class RowFaults:
    """The checks of single rows among the nodes to run (``planned``, unique ids), by checked relation."""

    def __init__(self, runtime: Runtime, planned: Collection[str]) -> None:
        self._runtime = runtime
        self._waiting: dict[str, list[Check]] = {}
        self._passed: set[str] = set()
        for node in runtime.compilation.of_type(Check):
            if node.unique_id in planned and self._is_plain(node):
                self._waiting.setdefault(node.attached_to, []).append(node)

    def has_none(self, node: Check) -> bool:
        """Return True if the check is known to pass; the first call counts for all of a relation."""
        if waiting := self._waiting.pop(node.attached_to, ()):
            self._count_all(waiting, self._runtime.compilation.datasets[node.attached_to].relation)
        return node.unique_id in self._passed

    def _count_all(self, waiting: Sequence[Check], relation: Relation) -> None:
        """Count the failing rows of a relation's checks: in the rows that changed where that is enough."""
        runtime = self._runtime
        localities = [known_locality(runtime, check) for check in waiting]
        for number, locality in enumerate(localities):
            if locality in localities[:number]:
                continue
            alike = [check for check, found in zip(waiting, localities, strict=True) if found == locality]
            if locality is not None:
                parts = partial_inputs(runtime, alike[0], locality, runtime.changes.added)
                self._count(alike, parts.get(relation, relation))
                runtime.incremental.update(check.unique_id for check in alike)
            elif len(waiting) > 1:
                self._count(alike, relation)

    def _count(self, checks: Sequence[Check], relation: Relation) -> None:
        """Count the failing rows of checks in one pass over a relation."""
        if not checks:
            return
        faults = [GENERIC[check.check_kind].row_fault.format(check.column) for check in checks]
        counts = ", ".join(f"count(*) filter (where {fault})" for fault in faults)
        try:
            _, rows = self._runtime.executor.query(f"select {counts} from {relation}")
        except SqlError:
            return  # each check reports its own error
        self._passed |= {c.unique_id for c, failing in zip(checks, rows[0], strict=True) if not failing}

    def _is_plain(self, node: Check) -> bool:
        check = GENERIC.get(node.check_kind)
        if check is None or not check.row_fault or self._runtime.store_failures:
            return False
        if any(node.config.get(key) for key in ("store_failures", "store_failures_as", "fail_calc")):
            return False
        relation = self._runtime.compilation.datasets[node.attached_to].relation
        return node.sql == check.sql(str(relation), node.column, {})  # not the project's own of that name
