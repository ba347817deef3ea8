"""Determines which nodes a build runs, upstream first, and why."""

from collections.abc import Collection

from genredb.runner.graph.materializations import adds_rows
from genredb.runner.graph.nodes import Check, Model, Node, Seed, Source
from genredb.runner.planning.inputs import RawFiles
from genredb.runner.planning.options import Options
from genredb.runner.planning.own_tables import changed_table
from genredb.runner.planning.plan import Plan
from genredb.runner.planning.state import NodeState, State
from genredb.runner.reasons import Cause, Reason


class Planner:
    """Determines which nodes of a plan run, upstream first, and why."""

    def __init__(self, plan: Plan, state: State, options: Options) -> None:
        self._nodes = plan.compilation.nodes
        self._own_tables = plan.own_tables
        self._state = state
        self._own = plan.identities
        self._options = options
        by_relation = {found.source.qualified_name: found for found in plan.files}
        self._files = {
            node.unique_id: by_relation[node.relation.qualified_name]
            for node in plan.compilation.of_type(Source)
            if node.relation.qualified_name in by_relation
        }
        self._fingerprints: dict[str, str] = {}
        self._changed: set[str] = set()  # nodes whose rows may have changed
        self._remade: set[str] = set()  # nodes that are rebuilt unchanged

    @property
    def loaded(self) -> frozenset[str]:
        """The unique ids of the sources that genredb loads."""
        return frozenset(self._files)

    def node_of(self, raw: RawFiles) -> str:
        """Return the unique id of the source of these files."""
        return next(unique_id for unique_id, found in self._files.items() if found is raw)

    def reasons(self, chosen: Collection[str]) -> dict[str, Reason]:
        """Return the reason for each of the chosen nodes that must run; the others count as up to date."""
        result: dict[str, Reason] = {}
        for node in self._nodes.values():
            unique_id = node.unique_id
            if unique_id not in chosen and (node.is_built or node.is_check):
                last = self._state.nodes.get(unique_id)
                self._fingerprints[unique_id] = last.fingerprint if last else ""
                continue
            upstream = [self._fingerprints[i] for i in node.depends_on]
            self._fingerprints[unique_id] = self._own[unique_id].fingerprint(upstream)
            reason = self._reason(node)
            if reason and (node.is_built or node.is_check):
                result[unique_id] = reason
        return result

    def _reason(self, node: Node) -> Reason | None:
        change = self._source_change(node) if isinstance(node, Source) else self._change(node)
        if change:
            self._changed.add(node.unique_id)
            return change
        if node.is_built and not self._state.is_intact(node.unique_id):
            self._remade.add(node.unique_id)
            if adds_rows(node.materialized):  # its accumulated rows are gone
                self._changed.add(node.unique_id)
            is_there = self._state.nodes[node.unique_id].relation in self._state.marks
            return Reason(Cause.OTHER_PROGRAM if is_there else Cause.MISSING)
        return self._check_again(node) if node.is_check else None

    def _check_again(self, node: Node) -> Reason | None:
        """Return why a check runs although its input rows are the same, or None."""
        remade = next((i for i in node.depends_on if i in self._remade), None)
        if remade:
            return Reason(Cause.UPSTREAM, self._nodes[remade].label)
        has_warned = self._state.nodes[node.unique_id].has_warned
        return Reason(Cause.WARNED) if has_warned and self._options.repeats_warned else None

    def _change(self, node: Node) -> Reason | None:
        """Return why a node's rows may have changed since its last run, or None."""
        last = self._state.nodes.get(node.unique_id)
        if last is None or self._options.is_full_refresh:
            return Reason(Cause.FULL_REFRESH if self._options.is_full_refresh else Cause.NEW)
        return self._own_change(node, last) or self._upstream_change(node, last)

    def _own_change(self, node: Node, last: NodeState) -> Reason | None:
        own = self._own[node.unique_id]
        if own.sql_id != last.identity.sql_id:
            return Reason(Cause.SQL)
        if own.rest != last.identity.rest:
            is_seed = isinstance(node, Seed)
            return Reason(Cause.FILE, node.path) if is_seed else Reason(Cause.CONFIGURATION)
        return None

    def _upstream_change(self, node: Node, last: NodeState) -> Reason | None:
        upstream = next((i for i in node.depends_on if i in self._changed), None)
        if upstream is not None:
            found = self._nodes[upstream]
            if isinstance(found, Source):
                return self._source_change(found)
            return Reason(Cause.UPSTREAM, found.label)
        if table := changed_table(last.identity, self._own[node.unique_id]):
            return Reason(Cause.OWN_TABLE, table)
        if self._fingerprints[node.unique_id] != last.fingerprint:
            return Reason(Cause.UPSTREAM_BEFORE)
        if isinstance(node, Model | Check) and node.dynamic:
            return Reason(Cause.CALLS, node.dynamic)
        return last.volatile

    def _source_change(self, node: Source) -> Reason | None:
        """Return why the rows of a source may have changed."""
        relation = node.relation
        if relation.qualified_name.lower() in self._own_tables:
            return None
        if node.depends_on:
            maker = next((i for i in node.depends_on if i in self._changed), None)
            return Reason(Cause.UPSTREAM, self._nodes[maker].label) if maker else None
        if relation.expression:
            return Reason(Cause.READS, relation.expression)
        raw = self._files.get(node.unique_id)
        if raw is None and not relation.is_attached:
            return Reason(Cause.NOT_LOADED, relation.qualified_name)
        last = self._state.nodes.get(node.unique_id)
        if last is not None and last.identity.rest == self._own[node.unique_id].rest:
            return None
        return Reason(Cause.FILE, raw.source.stated_files if raw else str(relation.database))
