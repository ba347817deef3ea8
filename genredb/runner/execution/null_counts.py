"""Counts the nulls of several columns in one pass, for ``not_null`` checks, which mostly pass.

On a view, each check would compute the whole view again. A column's own check runs only if it has nulls.
"""

from collections.abc import Collection

from genredb.errors import SqlError
from genredb.runner.execution.runtime import Runtime
from genredb.runner.graph.generic_checks import GENERIC
from genredb.runner.graph.nodes import Check

_NOT_NULL = GENERIC["not_null"].sql


class NullCounts:
    """The ``not_null`` checks among the nodes to run (``planned``, unique ids), by checked relation."""

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
            counts = ", ".join(f"count(*) filter (where {check.column} is null)" for check in checks)
            try:
                _, rows = self._runtime.executor.query(f"select {counts} from {relation}")
            except SqlError:
                return False  # each check reports its own error
            self._passed |= {c.unique_id for c, nulls in zip(checks, rows[0], strict=True) if not nulls}
        return node.unique_id in self._passed

    def _is_plain(self, node: Check) -> bool:
        if node.check_kind != "not_null" or self._runtime.store_failures:
            return False
        if any(node.config.get(key) for key in ("store_failures", "store_failures_as", "fail_calc")):
            return False
        relation = self._runtime.compilation.datasets[node.attached_to].relation
        return node.sql == _NOT_NULL(str(relation), node.column, {})
