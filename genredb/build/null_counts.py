"""Counts the nulls of several columns in one pass, for the checks that find them most often absent.

On a view each check would compute the whole view again. Only where a column has nulls does its own check run.
"""

from collections.abc import Collection

from genredb.build.runtime import Runtime
from genredb.compile.checks import GENERIC
from genredb.compile.nodes import Node, NodeKind
from genredb.errors import SqlError
from genredb.warehouse.database import run_query

_NOT_NULL = GENERIC["not_null"].sql


class NullCounts:
    """The ``not_null`` checks among the nodes that run (``planned``, unique ids), by what they check."""

    def __init__(self, runtime: Runtime, planned: Collection[str]) -> None:
        self._runtime = runtime
        self._waiting: dict[str, list[Node]] = {}
        self._passed: set[str] = set()
        for node in runtime.compilation.nodes.values():
            if node.unique_id in planned and self._is_plain(node):
                self._waiting.setdefault(node.attached_to, []).append(node)

    def has_none(self, node: Node) -> bool:
        """Whether the check is known to pass; the first one asked for a relation counts for all of them."""
        checks = self._waiting.pop(node.attached_to, ())
        if len(checks) > 1:
            relation = self._runtime.compilation.nodes[node.attached_to].relation
            counts = ", ".join(f"count(*) filter (where {check.column} is null)" for check in checks)
            try:
                _, rows = run_query(self._runtime.connection, f"select {counts} from {relation}")
            except SqlError:
                return False  # each check tells by itself what is wrong
            self._passed |= {c.unique_id for c, nulls in zip(checks, rows[0], strict=True) if not nulls}
        return node.unique_id in self._passed

    def _is_plain(self, node: Node) -> bool:
        if node.kind is not NodeKind.CHECK or node.check_kind != "not_null" or self._runtime.store_failures:
            return False
        if any(node.config.get(key) for key in ("store_failures", "store_failures_as", "fail_calc")):
            return False
        relation = self._runtime.compilation.nodes[node.attached_to].relation
        return node.sql == _NOT_NULL(str(relation), node.column, {})
