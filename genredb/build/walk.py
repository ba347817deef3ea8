"""Runs the planned nodes, upstream first, between the project's hooks; what follows a failure is skipped."""

import functools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import SimpleNamespace

from genredb.build.checks import run_check
from genredb.build.locate import located
from genredb.build.materialize import materialize
from genredb.build.null_counts import NullCounts
from genredb.build.results import FailingRows, NodeResult, Observer, Status
from genredb.build.runtime import Runtime
from genredb.build.stated_columns import refuse_unknown_columns
from genredb.build.unit_tests import run_unit_test
from genredb.compile.nodes import Node, NodeKind
from genredb.errors import GenredbError, ResourceError, SqlError
from genredb.warehouse.database import transaction

_BAD = (Status.ERROR, Status.FAIL, Status.SKIPPED)
Outcome = tuple[Status, int | None, FailingRows | None]


class Walk:
    """One pass over the nodes of ``plan``, which says why each of them runs."""

    def __init__(self, runtime: Runtime, plan: Mapping[str, str], observer: Observer) -> None:
        self._runtime = runtime
        self._nodes = [node for node in runtime.compilation.nodes.values() if node.unique_id in plan]
        self._plan = plan
        self._observer = observer
        self._broken: dict[str, str] = {}
        self._null_counts = NullCounts(runtime, plan)

    def run(self) -> Iterator[NodeResult]:
        """Run the nodes one by one."""
        for node in self._nodes:
            self._observer.start(f"{node.kind.value} {node.label}")
            result = self._run_node(node)
            if result.status in _BAD:
                self._mark_broken(node, result.culprit or node.label)
            self._observer.finish(result)
            yield result

    def run_with_hooks(self, start: Sequence[str], end: Sequence[str]) -> Iterator[NodeResult]:
        """Run the nodes between the project's ``on-run-start`` and ``on-run-end``."""
        results: list[NodeResult] = []
        for result in self._run_hooks("on-run-start", start, results):
            yield result
            if result.status in _BAD:
                for node in self._nodes:
                    self._mark_broken(node, result.node.label)
        for result in self.run():
            results.append(result)
            yield result
        yield from self._run_hooks("on-run-end", end, results)

    def _run_hooks(
        self, key: str, texts: Sequence[str], results: Sequence[NodeResult]
    ) -> Iterator[NodeResult]:
        for number, text in enumerate(texts):
            node = self._runtime.compilation.compiler.run_hook(key, number, text)
            extra = {
                "results": [SimpleNamespace(node=r.node, status=r.status.value) for r in results],
                "schemas": sorted({str(n.relation.schema) for n in self._nodes if n.relation and n.is_built}),
            }
            result = self._timed(node, key, functools.partial(self._hook, node, extra))
            if result.status is Status.ERROR:
                self._observer.finish(result)
                yield result

    def _hook(self, node: Node, extra: Mapping[str, object]) -> Outcome:
        sql = self._runtime.compilation.compiler.hook_sql(node, self._runtime.database, extra)
        with transaction(self._runtime.connection):
            if sql:
                self._runtime.execute(sql)
        return Status.SUCCESS, None, None

    def _run_node(self, node: Node) -> NodeResult:
        reason = self._plan[node.unique_id]
        needed = (node.unique_id, *node.depends_on)  # itself: a unit test of it may have failed
        culprit = next((self._broken[name] for name in needed if name in self._broken), None)
        if culprit:
            return NodeResult(node, Status.SKIPPED, reason, culprit=culprit)
        result = self._timed(node, reason, lambda: self._outcome(node))
        if self._runtime.warn_error and result.status is Status.WARN:
            return replace(result, status=Status.FAIL)
        return result

    def _outcome(self, node: Node) -> Outcome:
        if node.is_built:
            rows = materialize(self._runtime, node)
            config = self._runtime.compilation.project.config
            refuse_unknown_columns(self._runtime.connection, config, [node])
            return Status.SUCCESS, rows, None
        if self._null_counts.has_none(node):
            return Status.SUCCESS, None, None
        run = run_unit_test if node.kind is NodeKind.UNIT_TEST else run_check
        status, failing = run(self._runtime, node)
        return status, None, failing

    def _timed(self, node: Node, reason: str, run: Callable[[], Outcome]) -> NodeResult:
        started = time.perf_counter()
        try:
            status, rows, failing = run()
        except ResourceError as error:  # whatever runs next would meet it as well
            raise ResourceError(f"{node.label}: {error}") from None
        except GenredbError as error:
            message = located(self._runtime, node, error) if isinstance(error, SqlError) else str(error)
            return NodeResult(node, Status.ERROR, reason, None, time.perf_counter() - started, message)
        return NodeResult(node, status, reason, rows, time.perf_counter() - started, failing=failing)

    def _mark_broken(self, node: Node, culprit: str) -> None:
        """Keep what depends on this node, or on what this check checks, from running."""
        broken = [node.unique_id]
        if node.kind is NodeKind.CHECK:
            broken += node.depends_on
        if node.unit_test:
            broken.append(node.unit_test.model)
        for unique_id in broken:
            self._broken.setdefault(unique_id, culprit)
