"""What the page of a node shows besides the graph: its columns, SQL, checks, runs and first rows."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from genredb.errors import GenredbError
from genredb.look.site.column_flow import ColumnFlow, Contribution, NodeColumn
from genredb.runner.graph.nodes import Check, Dataset, Model, Seed, Source, UnitTest
from genredb.runner.results import Status
from genredb.values import json_text
from genredb.warehouse.database import quote, run_query
from genredb.warehouse.user_sql import fetch_sample

if TYPE_CHECKING:
    from genredb.catalog import Catalog, CheckState
    from genredb.look.site.dag import PageNode
    from genredb.runner.artifacts.history import FileLoad, NodeRun

_FAILED = (Status.WARN, Status.FAIL, Status.ERROR)
_ROWS, _FAILING_ROWS, _RUNS = 10, 20, 20
_LONGEST = 200  # characters of a value


@dataclass(frozen=True)
class Rows:
    """The first rows of a query as texts (None for NULL), and how many there are; or why there are none."""

    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str | None, ...], ...] = ()
    total: int = 0
    error: str = ""


@dataclass(frozen=True)
class CheckFacts:
    """A check of a node: what it claims, and how its last run ended.

    ``failing`` are the rows that fail it now, if it failed.
    """

    kind: str
    description: str
    column: str
    severity: str
    status: str
    failing_rows: int
    ran_at: datetime | None
    failing: Rows | None = None

    @property
    def has_failed(self) -> bool:
        """Whether its last run found failing rows, or could not be done."""
        return self.status in _FAILED


@dataclass(frozen=True)
class ColumnFacts:
    """A column of a node; ``values`` are where its value comes from, ``influences`` what else decides it.

    ``targets`` are the columns that a raw file's column is loaded into.
    """

    name: str
    data_type: str
    description: str
    role: str
    checks: tuple[CheckFacts, ...]
    values: tuple[Contribution, ...]
    influences: tuple[Contribution, ...]
    targets: tuple[NodeColumn, ...]


@dataclass(frozen=True)
class RunFacts:
    """How a run built the node."""

    started_at: datetime | None
    run: "NodeRun"


class Facts:
    """Reads the facts of nodes; what concerns all of them is read once."""

    def __init__(self, catalog: "Catalog", flow: ColumnFlow) -> None:
        self._catalog = catalog
        self._flow = flow

    @cached_property
    def failed(self) -> set[str]:
        """The unique ids of nodes with a failing check."""
        return {
            unique_id
            for unique_id, states in self._checks.items()
            if any(state.last and state.last.status in _FAILED for state in states)
        }

    def checks(self, node: "PageNode") -> tuple[CheckFacts, ...]:
        """Return the node's checks and unit tests, failing ones first."""
        found = [self._check(state) for state in self._checks.get(node.unique_id, ())]
        return tuple(sorted(found, key=lambda one: (not one.has_failed, one.column, one.description)))

    def columns(self, node: "PageNode", checks: tuple[CheckFacts, ...]) -> tuple[ColumnFacts, ...]:
        """Return the node's columns in the order of the database, else of its SQL."""
        traced = {one.name.lower(): one for one in self._flow.columns[node.unique_id] if one.name}
        stated = {one.name.lower(): one for one in node.dataset.columns} if node.dataset else {}
        built = self._relation_columns.get(_key(node.dataset), ()) if node.dataset else ()
        names = {name.lower(): (name, data_type) for name, data_type in built}
        for key, spelt in [(key, one.name) for part in (traced, stated) for key, one in part.items()]:
            names.setdefault(key, (spelt, ""))
        found = []
        for key, (name, data_type) in names.items():
            column = stated.get(key)
            ways = self._flow.sources.get(traced.get(key, NodeColumn("", "")), ())
            own = tuple(one for one in checks if one.column.lower() == key)
            values = tuple(one for one in ways if one.how in ("value", "classifier"))
            others = tuple(one for one in ways if one not in values)
            meaning = (column.description, column.role or "") if column else ("", "")
            kind = data_type or (column.data_type if column else "")
            targets = self._loaded_into.get(traced[key], ()) if node.kind == "file" else ()
            found.append(ColumnFacts(name, kind, *meaning, own, values, others, tuple(targets)))
        return tuple(found)

    def runs(self, node: "PageNode") -> tuple[RunFacts, ...]:
        """Return the last runs that built the node, newest first."""
        found = self._node_runs.get(node.unique_id, ())[:_RUNS]
        return tuple(RunFacts(self._started.get(run.run_id), run) for run in found)

    def loads(self, node: "PageNode") -> tuple["FileLoad", ...]:
        """Return the files that a source, or the sources of a raw file's node, were loaded from."""
        if node.dataset:
            names = {node.dataset.relation.qualified_name.lower()}
        else:
            project = self._catalog.compilation.project
            names = {s.qualified_name.lower() for s in project.loaded_sources if s.stated_files == node.path}
        return tuple(load for load in self._catalog.loads if load.source.lower() in names)

    def rows(self, node: "PageNode") -> Rows | None:
        """Return the node's first rows, or None if the database has no relation for it."""
        if node.dataset is None or _key(node.dataset) not in self._relation_columns:
            return None
        relation = node.dataset.relation
        name = f"{quote(relation.schema or 'main')}.{quote(relation.identifier)}"
        # Only a loaded table has an order of its own: that of its file. Threads may decide that of a model.
        is_loaded = _key(node.dataset) in self._tables and isinstance(node.dataset, Source | Seed)
        order = "rowid" if is_loaded else "all"
        connection = self._catalog.connection
        try:
            columns, rows = run_query(connection, f"select * from {name} order by {order} limit {_ROWS}")
            _, [(total,)] = run_query(connection, f"select count(*) from {name}")
        except GenredbError as error:
            return Rows(error=error.what)
        return Rows(columns, _shown(rows), int(total))

    def sql(self, node: "PageNode") -> tuple[tuple[str, str], ...]:
        """Return a model's source and compiled SQL, each with its name."""
        model = node.dataset
        if not isinstance(model, Model):
            return ()
        found = [("Source", model.template), ("Compiled", self._compiled(model))]
        if model.incremental_sql and model.incremental_sql != model.sql:
            found.append(("Compiled for later runs", model.incremental_sql))
        return tuple(found)

    def _compiled(self, node: Model | Check) -> str:
        database = self._catalog.templates_database
        if not node.dynamic or database is None:
            return node.sql
        try:
            return self._catalog.compilation.deferred.sql(node, database).value
        except GenredbError:  # it is shown as far as it is known
            return node.sql

    def _check(self, state: "CheckState") -> CheckFacts:
        node, last = state.node, state.last
        column = node.column if isinstance(node, Check) else ""
        found = CheckFacts(
            node.check_kind if isinstance(node, Check) else "unit test",
            node.description or node.name,
            column,
            last.severity if last else node.severity,
            last.status if last else "",
            last.failing_rows if last else 0,
            self._started.get(last.run_id) if last else None,
        )
        if isinstance(node, Check) and found.has_failed:
            return replace(found, failing=self._failing(node))
        return found

    def _failing(self, node: Check) -> Rows:
        try:
            sql = self._compiled(node)
            columns, rows, total = fetch_sample(self._catalog.connection, sql, _FAILING_ROWS)
        except GenredbError as error:
            return Rows(error=error.what)
        return Rows(columns, _shown(rows), total)

    @cached_property
    def _loaded_into(self) -> Mapping[NodeColumn, list[NodeColumn]]:
        found: dict[NodeColumn, list[NodeColumn]] = {}
        for one in self._flow.contributions:
            found.setdefault(one.source, []).append(one.target)
        return found

    @cached_property
    def _checks(self) -> Mapping[str, "list[CheckState]"]:
        """The checks of each node; those that name no node of their own belong to all that they read."""
        found: dict[str, list[CheckState]] = {}
        for state in self._catalog.checks:
            node = state.node
            own = [node.attached_to] if isinstance(node, Check) and node.attached_to else node.depends_on
            for unique_id in [node.model] if isinstance(node, UnitTest) else own:
                found.setdefault(unique_id, []).append(state)
        return found

    @cached_property
    def _started(self) -> Mapping[str, datetime]:
        return {run.run_id: run.started_at for run in self._catalog.runs}

    @cached_property
    def _node_runs(self) -> "Mapping[str, list[NodeRun]]":
        found: dict[str, list[NodeRun]] = {}
        for run in self._catalog.node_runs:
            found.setdefault(run.unique_id, []).append(run)
        return found

    @cached_property
    def _relation_columns(self) -> Mapping[tuple[str, str], list[tuple[str, str]]]:
        return {
            (one.schema.lower(), one.name.lower()): [(c.name, c.data_type) for c in one.columns]
            for one in self._catalog.relations
        }

    @cached_property
    def _tables(self) -> set[tuple[str, str]]:
        found = self._catalog.relations
        return {(one.schema.lower(), one.name.lower()) for one in found if one.kind == "table"}


def _key(node: Dataset) -> tuple[str, str]:
    return (node.relation.schema or "").lower(), node.relation.identifier.lower()


def _shown(rows: Any) -> tuple[tuple[str | None, ...], ...]:
    return tuple(tuple(_text(value) for value in row) for row in rows)


def _text(value: Any) -> str | None:
    """Return a value as text, clipped: numbers to six digits, times in UTC, lists and structs as JSON."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, bytes):
        return f"{len(value):,} bytes"
    if isinstance(value, datetime):
        at = value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
        return at.isoformat(" ", "seconds")
    found = json_text(value) if isinstance(value, list | dict | tuple) else str(value)
    return found if len(found) <= _LONGEST else f"{found[:_LONGEST]}…"
