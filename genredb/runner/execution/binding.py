"""Binds all that a build would run before a row is moved, so that all mistakes in SQL are reported at once.

Each query is bound to empty tables with the columns that its inputs will have. What only rows can tell is
left to the run: the columns of a Python model, of a pivot, or of a template that runs a query.
"""

import re
from collections.abc import Callable, Iterator

from genredb.errors import GenredbError, ProjectError, ProjectErrors
from genredb.runner.execution.incremental import columns_after, is_to_be_added_to
from genredb.runner.execution.located import located
from genredb.runner.execution.materialize import load_seed
from genredb.runner.execution.planned import Planned
from genredb.runner.execution.runtime import Runtime
from genredb.runner.execution.stated_columns import unknown_columns
from genredb.runner.graph.hooks import hook_text
from genredb.runner.graph.nodes import Check, Dataset, Model, Node, PythonModel, Seed, Snapshot, Source
from genredb.runner.graph.snapshots import settings_of, snapshot_sql
from genredb.runner.planning.options import Options
from genredb.runner.planning.plan import Plan
from genredb.runner.project.package import HOOK_KEYS
from genredb.warehouse.binder import Binder, Unbound, UnknownOutcomeError, open_binder
from genredb.warehouse.connection import Connection
from genredb.warehouse.database import own_macros
from genredb.warehouse.load import create_empty
from genredb.warehouse.tables import OwnTable, create_tables

# The columns of a pivot depend on the rows; those of what a hook alters depend on the hook.
_OF_ROWS = re.compile(r"\bpivot(_wider)?\b", re.IGNORECASE)
_CHANGES = re.compile(
    r"\b(create|alter|drop|attach|load|import|copy|export|use|set|pragma|call)\b|\{[{%]", re.IGNORECASE
)


def refuse_unbound(
    plan: Plan, options: Options, published: Connection | None, tables: tuple[OwnTable, ...]
) -> None:
    """Raise ProjectErrors with the place of each mistake in the SQL that the plan would run."""
    if not plan.reasons:
        return
    config = plan.compilation.project.config
    with open_binder(config.database, config.database_name, config.engine) as binder:
        create_tables(binder.connection, *tables)
        errors = [*_Binding(plan, options, published, binder).mistakes()]
    if errors:
        raise ProjectErrors(errors)


class _Binding:
    """One pass over what would run, upstream first."""

    def __init__(self, plan: Plan, options: Options, published: Connection | None, binder: Binder) -> None:
        self._plan = plan
        self._compilation = plan.compilation
        self._binder = binder
        self._planned = Planned(binder, published)
        self._runtime = Runtime(
            self._planned, plan.compilation, is_full_refresh=options.is_full_refresh, may_write=False
        )
        self._known: dict[str, bool] = {}  # whether the columns of a node are known, by unique id
        self._misspelt: set[tuple[str, str]] = set()  # columns that only a yml file has, by unique id
        self._may_create = _may_create(plan, published)

    def mistakes(self) -> Iterator[ProjectError]:
        """Yield the mistakes, with their places."""
        for node in self._compilation.nodes.values():
            if node.unique_id in self._plan.reasons:
                yield from self._mistakes_of(node)

    def _mistakes_of(self, node: Node) -> Iterator[ProjectError]:
        self._known[node.unique_id] = False
        if not all(self._is_known(unique_id) for unique_id in node.depends_on):
            return
        try:
            if isinstance(node, Check):
                yield from self._of_check(node)
            elif isinstance(node, Seed):
                self._load(node)
            elif isinstance(node, Model) and not isinstance(node, PythonModel):
                yield from self._of_model(node)
        except UnknownOutcomeError:
            return
        if isinstance(node, Seed | Model) and self._known[node.unique_id]:
            for column, error in unknown_columns(self._planned, self._compilation.project.config, node):
                self._misspelt.add((node.unique_id, column.name.lower()))
                yield error

    def _is_known(self, unique_id: str) -> bool:
        """Return True if the columns of an input are known, after declaring them."""
        if unique_id not in self._known:
            self._known[unique_id] = self._has_columns(self._compilation.nodes[unique_id])
        return self._known[unique_id]

    def _has_columns(self, node: Node) -> bool:
        if not isinstance(node, Dataset):
            return False
        if isinstance(node, Model) and not node.is_built:  # its readers contain its query
            return all(self._is_known(unique_id) for unique_id in node.depends_on)
        if node.relation.expression:
            return True
        if isinstance(node, Source) and node.unique_id in self._plan.loaded:
            create_empty(self._binder.connection, self._compilation.project.sources[node.unique_id])
        if isinstance(node, Source) and not all(self._is_known(maker) for maker in node.depends_on):
            return False
        return self._planned.is_known(node.relation)

    def _load(self, node: Seed) -> None:
        try:
            load_seed(self._runtime, node)
        except GenredbError as error:  # the run reports it
            raise UnknownOutcomeError from error
        self._settle(node, "table")

    def _of_check(self, node: Check) -> Iterator[ProjectError]:
        if (node.attached_to, node.column.lower()) in self._misspelt:
            return
        sql = self._sql(node)
        yield from self._reported(node, self._retried(lambda: self._binder.bind(sql)))

    def _of_model(self, node: Model) -> Iterator[ProjectError]:
        schema, relation = str(node.relation.schema), str(node.relation)
        before = self._columns_before(node)
        sql = self._sql(node, is_incremental=bool(before) and node.materialized == "incremental")
        query = snapshot_sql(settings_of(node), sql) if isinstance(node, Snapshot) else sql
        unbound = self._retried(lambda: self._binder.create(schema, relation, query))
        yield from self._reported(node, unbound)
        if unbound is None and not _OF_ROWS.search(sql):
            if before:
                now = self._planned.columns(relation)
                self._binder.declare(schema, node.relation.identifier, columns_after(node, before, now))
            self._settle(node, "view" if node.materialized == "view" else "table")

    def _columns_before(self, node: Model) -> dict[str, str]:
        """Return the columns of the table that rows are added to; empty if it is made anew."""
        if not node.keeps_rows:
            return {}
        is_kept = isinstance(node, Snapshot) or is_to_be_added_to(self._runtime, node)
        is_there = is_kept and self._planned.kind(node.relation) == "table"
        return self._planned.columns(str(node.relation)) if is_there else {}

    def _settle(self, node: Seed | Model, kind: str) -> None:
        """State that a relation is known now, unless a hook may change its columns."""
        self._planned.will_be(node.relation, kind)
        self._known[node.unique_id] = not any(map(_CHANGES.search, _hooks(node)))

    def _sql(self, node: Model | Check, *, is_incremental: bool = False) -> str:
        if node.config.get("sql_header"):
            raise UnknownOutcomeError
        try:
            return self._runtime.sql(node, is_incremental=is_incremental)
        except GenredbError as error:  # it asks for rows, or the run reports it
            raise UnknownOutcomeError from error

    def _retried(self, bind: Callable[[], Unbound | None]) -> Unbound | None:
        """Bind, and once more with the published relations that SQL names without `ref`."""
        unbound = bind()
        while unbound is not None and unbound.is_relation and self._planned.look_up(unbound.missing):
            unbound = bind()
        return unbound

    def _reported(self, node: Model | Check, unbound: Unbound | None) -> Iterator[ProjectError]:
        if unbound is None:
            return
        if unbound.missing and (self._may_create or (unbound.is_relation and self._is_made(unbound.missing))):
            return
        yield located(self._runtime, node, unbound.error)

    def _is_made(self, name: str) -> bool:
        """Return True if a node makes a relation of this name, though the SQL has no `ref` to it."""
        identifier = name.rpartition(".")[2].lower()
        built = (node.built_relation for node in self._compilation.nodes.values())
        return any(relation is not None and relation.identifier.lower() == identifier for relation in built)


def _may_create(plan: Plan, published: Connection | None) -> bool:
    """Return True if relations, functions and types may exist that no node makes: a hook's, for instance."""
    if published is not None and own_macros(published):
        return True
    config = plan.compilation.project.config
    texts = [hook.text for key in HOOK_KEYS for hook in config.hooks(key)]
    for node in plan.compilation.nodes.values():
        if isinstance(node, PythonModel) or node.config.get("sql_header"):
            return True
        if isinstance(node, Model | Check) and node.dynamic in ("run_query", "statement"):
            return True
        texts += _hooks(node)
    return any(_CHANGES.search(text) for text in texts)


def _hooks(node: Node) -> list[str]:
    """Return the hooks of a node, as far as they are known."""
    if isinstance(node, Model):
        return list(node.hooks)
    return [hook_text(hook) for key in ("pre-hook", "post-hook") for hook in node.config.get(key) or ()]
