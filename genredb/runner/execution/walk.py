"""Runs the planned nodes, upstream first, between the project's hooks; skips nodes below a failure, as dbt.

What reads genredb's own tables runs last, when it is known whether the predictions are stale.
"""

import functools
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from types import SimpleNamespace

from genredb.errors import GenredbError, ProjectErrors, ResourceError, SqlError
from genredb.runner.execution.checks import run_check
from genredb.runner.execution.located import located
from genredb.runner.execution.materialize import materialize
from genredb.runner.execution.row_faults import RowFaults
from genredb.runner.execution.runtime import Runtime
from genredb.runner.execution.stated_columns import missing_columns
from genredb.runner.execution.unit_tests import run_unit_test
from genredb.runner.graph.nodes import Built, Check, Hook, Node, UnitTest
from genredb.runner.planning.planner import ancestors
from genredb.runner.project.package import RunHook
from genredb.runner.reasons import Cause, Reason
from genredb.runner.results import ChangedRows, FailingRows, NodeResult, Observer, Status

_BAD = (Status.ERROR, Status.FAIL, Status.SKIPPED)
Outcome = tuple[Status, int | None, FailingRows | None]


class Walk:
    """One pass over the nodes of ``plan``, which gives the reason for each.

    The nodes ``late`` run after the others and after ``settle``, which returns the plan by then.
    """

    def __init__(
        self,
        runtime: Runtime,
        plan: Mapping[str, Reason],
        observer: Observer,
        late: Collection[str] = (),
        settle: Callable[[], Mapping[str, Reason]] | None = None,
    ) -> None:
        self._runtime = runtime
        self._plan = plan
        self._observer = observer
        self._late = late
        self._settle = settle
        self._broken: dict[str, str] = {}  # nodes that failed or were skipped, and what failed first
        self._failed_checks: list[tuple[frozenset[str], str]] = []  # what they look at, and their labels
        self._row_faults = RowFaults(runtime, plan)

    def run(self) -> Iterator[NodeResult]:
        """Run the nodes one by one."""
        yield from self._run_nodes([node for node in self._nodes if node.unique_id not in self._late])
        if self._settle and not (self._broken or self._failed_checks):
            self._plan = self._settle()
        yield from self._run_nodes([node for node in self._nodes if node.unique_id in self._late])

    @property
    def _nodes(self) -> list[Node]:
        return [node for node in self._runtime.compilation.nodes.values() if node.unique_id in self._plan]

    def _run_nodes(self, nodes: Sequence[Node]) -> Iterator[NodeResult]:
        for node in nodes:
            self._observer.start(f"{node.resource_type} {node.label}")
            result = self._run_node(node)
            if result.status in _BAD:
                self._mark_broken(node, result.culprit or node.label)
            self._observer.finish(result)
            yield result

    def run_with_hooks(self, start: Sequence[RunHook], end: Sequence[RunHook]) -> Iterator[NodeResult]:
        """Run the nodes between the hooks ``on-run-start`` and ``on-run-end``."""
        results: list[NodeResult] = []
        for result in self._run_hooks("on-run-start", start, results):
            yield result
            if result.status in _BAD:
                self._broken.update((node.unique_id, result.node.label) for node in self._nodes)
        for result in self.run():
            results.append(result)
            yield result
        yield from self._run_hooks("on-run-end", end, results)

    def _run_hooks(
        self, key: str, hooks: Sequence[RunHook], results: Sequence[NodeResult]
    ) -> Iterator[NodeResult]:
        for hook in hooks:
            node = self._runtime.compilation.deferred.run_hook(hook)
            extra = {
                "results": [SimpleNamespace(node=r.node, status=r.status.value) for r in results],
                "schemas": sorted({str(made.schema) for n in self._nodes if (made := n.built_relation)}),
            }
            result = self._timed(node, Reason(Cause.HOOK, key), functools.partial(self._hook, node, extra))
            if result.status is Status.ERROR:
                self._observer.finish(result)
                yield result

    def _hook(self, node: Hook, extra: Mapping[str, object]) -> Outcome:
        deferred = self._runtime.compilation.deferred
        sql = self._runtime.said(deferred.hook_sql(node, self._runtime.database, extra)).strip()
        with self._runtime.executor.transaction():
            if sql:
                self._runtime.executor.run(sql)
        return Status.SUCCESS, None, None

    def _run_node(self, node: Node) -> NodeResult:
        reason = self._plan[node.unique_id]
        culprit = self._culprit(node)
        if culprit:
            return NodeResult(node, Status.SKIPPED, reason, culprit=culprit)
        result = self._timed(node, reason, lambda: self._outcome(node))
        if self._runtime.warn_error and result.status is Status.WARN:
            return replace(result, status=Status.FAIL)
        return result

    def _culprit(self, node: Node) -> str | None:
        """Return what failed so that a node is skipped, or None.

        A check that failed stops what is downstream of all that it looks at, but no other check of the same.
        """
        needed = (node.unique_id, *node.depends_on)  # itself: its own unit test may have failed
        culprit = next((self._broken[name] for name in needed if name in self._broken), None)
        if culprit or node.is_check or not self._failed_checks:
            return culprit
        upstream = ancestors(self._runtime.compilation, {node.unique_id})
        return next((label for seen, label in self._failed_checks if seen <= upstream), None)

    def _compare_columns(self, node: Node) -> None:
        """Tell which described columns a relation lacks, if that could not be told before."""
        if node.unique_id not in self._runtime.compared:
            config = self._runtime.compilation.project.config
            notices = [*missing_columns(self._runtime.executor, config, [node])]
            if notices and self._runtime.warn_error:
                raise ProjectErrors(notice.as_error() for notice in notices)
            for notice in notices:
                self._observer.note(notice)

    def _outcome(self, node: Node) -> Outcome:
        if isinstance(node, Built):
            rows = materialize(self._runtime, node)
            self._compare_columns(node)
            return Status.SUCCESS, rows, None
        if isinstance(node, UnitTest):
            status, failing = run_unit_test(self._runtime, node)
        elif isinstance(node, Check) and not self._row_faults.has_none(node):
            status, failing = run_check(self._runtime, node)
        else:
            status, failing = Status.SUCCESS, None
        return status, None, failing

    def _timed(self, node: Node, reason: Reason, run: Callable[[], Outcome]) -> NodeResult:
        started = time.perf_counter()
        try:
            status, rows, failing = run()
        except ResourceError as error:  # the following nodes would fail in the same way
            raise error.during(node.label) from None
        except GenredbError as error:
            found = located(self._runtime, node, error) if isinstance(error, SqlError) else error
            return NodeResult(node, Status.ERROR, reason, None, time.perf_counter() - started, found)
        result = NodeResult(node, status, reason, rows, time.perf_counter() - started, failing=failing)
        return self._with_changes(result)

    def _with_changes(self, result: NodeResult) -> NodeResult:
        """Return the result with what is known of the rows that changed."""
        node = result.node
        relation = node.built_relation if node.materialized == "table" else None
        change = self._runtime.changes.of(relation) if relation else None
        return replace(
            result,
            is_incremental=node.unique_id in self._runtime.incremental,
            changed=ChangedRows(change.added_rows, change.removed_rows) if change else None,
        )

    def _mark_broken(self, node: Node, culprit: str) -> None:
        """Remember that a node failed or was skipped; with ``fail_fast`` all others are to be."""
        if self._runtime.fail_fast and not self._broken:
            self._broken.update((other.unique_id, culprit) for other in self._nodes)
        if not isinstance(node, Check):
            failed = node.model if isinstance(node, UnitTest) else node.unique_id
            self._broken.setdefault(failed, culprit)
        elif node.depends_on:  # one that looks at nothing stops nothing
            self._failed_checks.append((frozenset(node.depends_on), culprit))
