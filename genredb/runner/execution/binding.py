"""Binds all that a build would run before a row is moved, so that all mistakes in SQL are reported at once.

Each query is bound to empty tables with the columns that its inputs will have. What only rows can tell is
left to the run: the columns of a Python model, SQL with a pivot, and a template that runs a query.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from genredb.errors import GenredbError, Notice, ProjectError, ProjectErrors
from genredb.runner.execution.contracts import refuse_breach
from genredb.runner.execution.hook_effects import HookEffects
from genredb.runner.execution.incremental import columns_after, is_to_be_added_to, refuse_unknown
from genredb.runner.execution.located import located
from genredb.runner.execution.materialize import load_seed
from genredb.runner.execution.planned import Planned
from genredb.runner.execution.runtime import Runtime
from genredb.runner.execution.stated_columns import unknown_columns
from genredb.runner.graph.compiler import Compilation
from genredb.runner.graph.nodes import Check, Dataset, Model, Node, PythonModel, Seed, Snapshot, Source
from genredb.runner.graph.snapshots import settings_of, snapshot_sql
from genredb.runner.planning.options import Options
from genredb.runner.planning.plan import Plan
from genredb.runner.templates.relation import Relation
from genredb.warehouse.binder import Binder, Unbound, UnknownOutcomeError, open_binder
from genredb.warehouse.connection import Connection
from genredb.warehouse.database import own_macros
from genredb.warehouse.load import create_empty
from genredb.warehouse.tables import OwnTable

# The columns of a pivot depend on the rows, and the SQL around it may name them.
_OF_ROWS = re.compile(r"\bpivot(_wider)?\b", re.IGNORECASE)
# The value and type of a variable are those that a hook or another session sets.
_OF_VARIABLES = re.compile(r"\bgetvariable\s*\(", re.IGNORECASE)

Kind = TypeVar("Kind", bound=Node)
Columns = Mapping[tuple[str, str], Mapping[str, str]]


@dataclass(frozen=True)
class Bound:
    """What binding found out.

    ``seed_types`` maps seeds that would be loaded to the types of their columns. ``compared`` are the unique
    ids of the relations whose columns were compared with their descriptions, ``notices`` what differs.
    """

    seed_types: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    compared: frozenset[str] = frozenset()
    notices: tuple[Notice, ...] = ()


def bind_plan(
    plan: Plan, options: Options, published: Connection | None, tables: tuple[OwnTable, ...]
) -> Bound:
    """Raise ProjectErrors with the place of each mistake in the SQL that the plan would run."""
    if not plan.reasons:
        return Bound()
    config = plan.compilation.project.config
    with open_binder(config.database, config.database_name, config.engine) as binder:
        for table in tables:
            table.create(binder.connection)
        binding = _Binding(plan, options, published, binder)
        errors = [*binding.mistakes()]
    if errors:
        raise ProjectErrors(errors)
    return binding.bound


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
        self.bound = Bound()
        self._known: dict[str, bool] = {}  # whether the columns of a node are known, by unique id
        self._hooks = HookEffects(plan.compilation)
        self._may_create = self._hooks.any or _may_create(plan, published)

    def mistakes(self) -> Iterator[ProjectError]:
        """Yield the mistakes, with their places: of models and other datasets, then of their checks."""
        nodes = [self._compilation.nodes[unique_id] for unique_id in self._plan.reasons]
        inlined = _inlined(self._compilation, self._plan.reasons)
        datasets = [
            node
            for unique_id, node in self._compilation.nodes.items()
            if isinstance(node, Seed | Model) and (unique_id in self._plan.reasons or unique_id in inlined)
        ]
        for dataset in datasets:
            yield from self._if_known(dataset, self._of_dataset)
        columns = self._binder.columns()
        self.bound = self._bound(datasets, columns)
        for node in nodes:
            if isinstance(node, Check) and not self._is_sound(node, columns):
                yield from self._if_known(node, self._of_check)

    def _if_known(
        self, node: Kind, mistakes_of: Callable[[Kind], Iterator[ProjectError]]
    ) -> Iterator[ProjectError]:
        """Yield the mistakes of a node if the columns of its inputs are known, as far as can be told."""
        self._known[node.unique_id] = False
        if all(self._is_known(unique_id) for unique_id in node.depends_on):
            try:
                yield from mistakes_of(node)
            except UnknownOutcomeError:
                return
            except ProjectError as error:
                yield error

    def _of_dataset(self, node: Seed | Model) -> Iterator[ProjectError]:
        if isinstance(node, Seed):
            self._load(node)
        elif not node.is_built:
            yield from self._of_inlined(node)
        elif not isinstance(node, PythonModel):
            yield from self._of_model(node)

    def _bound(self, datasets: Iterable[Seed | Model], columns: Columns) -> Bound:
        """Return what is known now of the relations that will be there."""
        config = self._compilation.project.config
        known = [node for node in datasets if node.is_built and self._known[node.unique_id]]
        found = {node.unique_id: columns[_place(node.relation)] for node in known}
        notices = (one for node in known for one in unknown_columns(config, node, found[node.unique_id]))
        seeds = {node.unique_id: found[node.unique_id] for node in known if isinstance(node, Seed)}
        return Bound(seeds, frozenset(found), tuple(notices))

    def _is_sound(self, node: Check, columns: Columns) -> bool:
        """Return True if a check is of the plainest kind, on a column that is there: most are."""
        if node.check_kind not in ("unique", "not_null") or node.dynamic or node.config.get("where"):
            return False
        checked = self._compilation.datasets[node.attached_to]
        is_known = self._known.get(checked.unique_id, False)
        return is_known and node.column in columns.get(_place(checked.relation), {})

    def _is_known(self, unique_id: str) -> bool:
        """Return True if the columns of an input are known, after declaring them."""
        if unique_id not in self._known:
            self._known[unique_id] = self._has_columns(self._compilation.nodes[unique_id])
        return self._known[unique_id]

    def _has_columns(self, node: Node) -> bool:
        if not isinstance(node, Dataset):
            return False
        if node.relation.expression:
            return True
        if isinstance(node, Source) and node.unique_id in self._plan.loaded:
            create_empty(self._binder.connection, self._compilation.project.sources[node.unique_id])
        if isinstance(node, Source) and not all(self._is_known(maker) for maker in node.depends_on):
            return False
        is_built = not isinstance(node, Source)
        if self._hooks.on(node.relation.identifier, is_built=is_built):
            return False
        return self._planned.is_known(node.relation)

    def _load(self, node: Seed) -> None:
        try:
            load_seed(self._runtime, node)
        except GenredbError as error:  # the run reports it
            raise UnknownOutcomeError from error
        self._settle(node, "table")

    def _of_check(self, node: Check) -> Iterator[ProjectError]:
        sql = self._sql(node)
        yield from self._reported(node, self._retried(lambda: self._binder.bind(sql)))

    def _of_inlined(self, node: Model) -> Iterator[ProjectError]:
        """Yield the mistakes of an ephemeral model, which its readers would repeat."""
        sql = self._sql(node)
        unbound = self._retried(lambda: self._binder.bind(sql))
        self._known[node.unique_id] = unbound is None
        yield from self._reported(node, unbound)

    def _of_model(self, node: Model) -> Iterator[ProjectError]:
        if node.materialized == "incremental":
            refuse_unknown(node)
        schema, relation = str(node.relation.schema), str(node.relation)
        before = self._columns_before(node)
        sql = self._sql(node, is_incremental=bool(before) and node.materialized == "incremental")
        query = snapshot_sql(settings_of(node), sql) if isinstance(node, Snapshot) else sql
        unbound = self._retried(lambda: self._binder.create(schema, relation, query))
        yield from self._reported(node, unbound)
        if unbound is not None:
            return
        refuse_breach(self._runtime, node, sql)
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
        self._known[node.unique_id] = not (
            self._hooks.of(node) or self._hooks.on(node.relation.identifier, is_built=True)
        )

    def _sql(self, node: Model | Check, *, is_incremental: bool = False) -> str:
        if node.config.get("sql_header"):
            raise UnknownOutcomeError
        try:
            sql = self._runtime.sql(node, is_incremental=is_incremental)
        except GenredbError as error:  # it asks for rows, or the run reports it
            raise UnknownOutcomeError from error
        if _OF_ROWS.search(sql) or _OF_VARIABLES.search(sql):
            raise UnknownOutcomeError
        return sql

    def _retried(self, bind: Callable[[], Unbound | None]) -> Unbound | None:
        """Bind, and once more with the published relations that SQL names without `ref`."""
        unbound = bind()
        while unbound is not None and unbound.is_relation and self._look_up(unbound.missing):
            unbound = bind()
        return unbound

    def _look_up(self, name: str) -> bool:
        is_changed = self._hooks.on(name.rpartition(".")[2], is_built=False)
        return not is_changed and self._planned.look_up(name)

    def _reported(self, node: Model | Check, unbound: Unbound | None) -> Iterator[ProjectError]:
        if unbound is None or self._hooks.sets or self._hooks.of(node):
            return
        if unbound.missing and (self._may_create or (unbound.is_relation and self._is_made(unbound.missing))):
            return
        yield located(self._runtime, node, unbound.error)

    def _is_made(self, name: str) -> bool:
        """Return True if a node makes a relation of this name, though the SQL has no `ref` to it."""
        schema, _, identifier = name.lower().rpartition(".")
        built = (node.built_relation for node in self._compilation.nodes.values())
        return any(
            relation is not None
            and relation.identifier.lower() == identifier
            and schema in ("", str(relation.schema).lower())
            for relation in built
        )


def _inlined(compilation: Compilation, planned: Collection[str]) -> set[str]:
    """Return the ephemeral models that planned nodes contain."""
    found: set[str] = set()
    for unique_id, node in reversed([*compilation.nodes.items()]):
        is_read = any(child in planned or child in found for child in compilation.children[unique_id])
        if isinstance(node, Model) and not node.is_built and is_read:
            found.add(unique_id)
    return found


def _place(relation: Relation) -> tuple[str, str]:
    return str(relation.schema).lower(), relation.identifier.lower()


def _may_create(plan: Plan, published: Connection | None) -> bool:
    """Return True if relations, functions and types may exist that no node makes: a query's, for instance."""
    if published is not None and own_macros(published):
        return True
    return any(
        isinstance(node, PythonModel)
        or node.config.get("sql_header")
        or (isinstance(node, Model | Check) and node.dynamic in ("run_query", "statement"))
        for node in plan.compilation.nodes.values()
    )
