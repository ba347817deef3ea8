"""Derives from the SQL of a plan's nodes which of them can run for the changed rows of their inputs alone."""

from dataclasses import dataclass, field
from functools import cached_property

from genredb.runner.flow.hindrance import AnyRow, Hindrance
from genredb.runner.flow.locality import Locality, locality
from genredb.runner.flow.tied_query import Known
from genredb.runner.graph.fingerprint import rest
from genredb.runner.graph.nodes import Check, Dataset, Model, Node, Source
from genredb.runner.planning.inputs import RawFiles
from genredb.runner.planning.own_tables import changed_table
from genredb.runner.planning.plan import Plan
from genredb.runner.planning.state import State
from genredb.runner.planning.updates import Updates, inputs, read_by
from genredb.runner.project.package import HOOK_KEYS
from genredb.runner.reasons import Cause
from genredb.runner.templates.relation import Relation
from genredb.warehouse.connection import Connection
from genredb.warehouse.database import column_types, own_macros

# The configuration with which a node is not a query alone, or a check not a search for failing rows alone.
_MODEL_KEYS = ("contract", "pre-hook", "post-hook", "sql_header")
_CHECK_KEYS = ("limit", "fail_calc", "error_if", "warn_if", "store_failures", "store_failures_as")


def find_updates(plan: Plan, state: State, connection: Connection) -> Updates:
    """Return how the nodes run whose inputs only changed in rows that a build can know."""
    config = plan.compilation.project.config
    if stated := next((key for key in HOOK_KEYS if config.hooks(key)), None):
        found = AnyRow(Hindrance.PROJECT, stated)  # which might change any table
        return Updates(dict.fromkeys(plan.reasons, found))
    return _Derivation(plan, state, connection).updates()


@dataclass
class _Derivation:
    plan: Plan
    state: State
    connection: Connection
    _known: set[str] = field(default_factory=set)  # the nodes whose changed rows will be known
    _localities: dict[str, Locality] = field(default_factory=dict)
    _compared: set[str] = field(default_factory=set)
    _columns: dict[str, dict[str, str]] = field(default_factory=dict)
    _views: set[str] = field(default_factory=set)  # those that count as a part of what reads them

    def updates(self) -> Updates:
        """Go through the nodes, upstream first."""
        nodes = self.plan.compilation.nodes
        grown = {i for i, raw in self._stale.items() if raw.held is not None}
        self._known |= {i for i in grown if not self._was_loaded_since(nodes[i])}
        for unique_id, reason in self.plan.reasons.items():
            node = self.plan.compilation.nodes[unique_id]
            if isinstance(node, Model | Check) and reason.cause in (Cause.UPSTREAM, Cause.FILE):
                self._derive(node)
        return Updates(self._localities, frozenset(self._compared), frozenset(self._views))

    @cached_property
    def _stale(self) -> dict[str, RawFiles]:
        """The sources whose files are loaded, by unique id."""
        files = {raw.source.qualified_name: raw for raw in self.plan.stale_files}
        sources = self.plan.compilation.of_type(Source)
        named = {source.unique_id: source.relation.qualified_name for source in sources}
        return {unique_id: files[name] for unique_id, name in named.items() if name in files}

    def _was_loaded_since(self, node: Node) -> bool:
        """Return True if a raw table is not what the last build saw, but was loaded since."""
        loaded = self.state.loads.get(node.relation.qualified_name) if isinstance(node, Source) else None
        if loaded is None:
            return False
        last = self.state.nodes.get(node.unique_id)
        return last is None or last.identity.rest != rest(node, loaded.digest, self.plan.compilation)

    @cached_property
    def _collated(self) -> set[str]:
        """The tables with a column that has a collation, which its type does not tell."""
        rows = self.connection.rows(
            "select schema_name || '.' || table_name from duckdb_tables() where contains(sql, ' COLLATE ')"
        )
        return {str(name) for (name,) in rows}

    @cached_property
    def _macros(self) -> set[str]:
        return own_macros(self.connection)

    def _derive(self, node: Model | Check) -> None:
        changed = [i for i in inputs(self.plan.compilation, node, self._views) if self._may_change(i)]
        unknown = next((i for i in changed if i not in self._known), None)
        if unknown is not None:
            label = self.plan.compilation.nodes[unknown].label
            self._localities[node.unique_id] = AnyRow(Hindrance.UPSTREAM, label)
            return
        hindrance = self._hindrance(node)
        if node.materialized == "view" and not hindrance:
            self._views.add(node.unique_id)
            return
        found = hindrance or self._locality(node, changed)
        self._localities[node.unique_id] = found
        if isinstance(node, Model) and node.materialized == "table":
            if not isinstance(found, AnyRow):
                self._known.add(node.unique_id)
            elif not node.dynamic and not any(node.hooks):
                self._compared.add(node.unique_id)
                self._known.add(node.unique_id)

    def _may_change(self, unique_id: str) -> bool:
        """Return True if a build changes rows of an input, or may not know that they changed."""
        node = self.plan.compilation.nodes[unique_id]
        if unique_id in self.plan.reasons or unique_id in self._stale or self._was_loaded_since(node):
            return True
        if node.materialized in ("view", "ephemeral"):  # not one of those built, but what it reads may be
            return any(self._may_change(i) for i in node.depends_on)
        made = isinstance(node, Source) and any(i in self.plan.reasons for i in node.depends_on)
        return made or (isinstance(node, Source) and self.plan.volatile(node) is not None)

    def _hindrance(self, node: Model | Check) -> AnyRow | None:
        keys = _MODEL_KEYS if isinstance(node, Model) else _CHECK_KEYS
        stated = next((key for key in keys if node.config.get(key)), None)
        if stated:
            return AnyRow(Hindrance.CONFIGURATION, stated)
        if isinstance(node, Model) and node.materialized not in ("table", "view"):
            return AnyRow(Hindrance.CONFIGURATION, f"materialized: {node.materialized}")
        last = self.state.nodes.get(node.unique_id)
        if last and (table := changed_table(last.identity, self.plan.identities[node.unique_id])):
            return AnyRow(Hindrance.UPSTREAM, table)
        if node.dynamic:
            return AnyRow(Hindrance.CALLS, node.dynamic)
        if last is None or last.volatile or last.has_warned or not self._was_up_to_date(node):
            return AnyRow(Hindrance.BEHIND)
        return None

    def _was_up_to_date(self, node: Node) -> bool:
        """Return True if the node was built from what its inputs still are."""
        before = self.state.nodes
        if not self.state.is_intact(node.unique_id) or any(i not in before for i in node.depends_on):
            return False
        upstream = [before[i].fingerprint for i in node.depends_on]
        last = before[node.unique_id]
        return last.fingerprint == last.identity.fingerprint(upstream)

    def _locality(self, node: Model | Check, changed: list[str]) -> Locality:
        compilation = self.plan.compilation
        nodes = [compilation.nodes[i] for i in read_by(compilation, node, self._views)]
        read = {one.relation.qualified_name.lower(): one for one in nodes if isinstance(one, Dataset)}
        known = Known(
            {name: str(one.relation) for name, one in read.items()},
            {name: self._columns_of(one.relation) for name, one in read.items()},
            {
                name: one.sql
                for name, one in read.items()
                if isinstance(one, Model) and one.unique_id in self._views
            },
            self._macros,
        )
        names = {name for name, one in read.items() if one.unique_id in changed}
        return locality(node.sql, names, known, is_check=isinstance(node, Check))

    def _columns_of(self, relation: Relation) -> dict[str, str]:
        name = relation.qualified_name
        if name not in self._columns:
            types = column_types(self.connection, str(relation.schema), relation.identifier)
            kind = f" of {name}" if name in self._collated else ""  # equal are texts that differ
            self._columns[name] = {column.lower(): type_ + kind for column, type_ in types.items()}
        return self._columns[name]
