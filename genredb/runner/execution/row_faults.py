"""Counts the failing rows of several checks in one pass, for ``not_null`` and its like, which mostly pass.

On a view, each check would compute the whole view again. A check runs by itself only if rows fail it.
"""

from collections.abc import Collection

from genredb.errors import SqlError
from genredb.runner.execution.runtime import Runtime
from genredb.runner.graph.generic_checks import GENERIC
from genredb.runner.graph.nodes import Check


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
        checks = self._waiting.pop(node.attached_to, ())
        if len(checks) > 1:
            relation = self._runtime.compilation.datasets[node.attached_to].relation
            faults = [GENERIC[check.check_kind].row_fault.format(check.column) for check in checks]
            counts = ", ".join(f"count(*) filter (where {fault})" for fault in faults)
            try:
                _, rows = self._runtime.executor.query(f"select {counts} from {relation}")
            except SqlError:
                return False  # each check reports its own error
            self._passed |= {c.unique_id for c, failing in zip(checks, rows[0], strict=True) if not failing}
        return node.unique_id in self._passed

    def _is_plain(self, node: Check) -> bool:
        check = GENERIC.get(node.check_kind)
        if check is None or not check.row_fault or self._runtime.store_failures:
            return False
        if any(node.config.get(key) for key in ("store_failures", "store_failures_as", "fail_calc")):
            return False
        relation = self._runtime.compilation.datasets[node.attached_to].relation
        return node.sql == check.sql(str(relation), node.column, {})  # not the project's own of that name
