"""What a build has to do, and why: the project as it is now, held against what the file was built from."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from genredb.build.built_with import settings_of
from genredb.build.drops import large_drop
from genredb.build.inputs import RawFiles, contents, raw_files
from genredb.build.options import Options
from genredb.build.state import NodeState, State
from genredb.compile.compiler import Compilation
from genredb.compile.features import proof_digest
from genredb.compile.fingerprint import identities
from genredb.compile.identity import Identity
from genredb.compile.nodes import Node, NodeKind
from genredb.warehouse.database import Connection
from genredb.warehouse.sql_text import canonical

OWN_SCHEMAS = ("ml", "meta")  # written by genredb itself, outside the graph
_NO_OPTIONS = Options()


@dataclass(frozen=True)
class Touched:
    """The columns of a relation whose values may change, and whether other rows may be there."""

    columns: tuple[str, ...]
    has_other_rows: bool
    is_everything: bool


@dataclass(frozen=True)
class Plan:
    """What a build has to do: why which node runs, which files are loaded, which relations dropped.

    ``identities`` maps every node to its own part as the project is now, ``reasons`` the nodes that run,
    in order, to why. ``files`` are the raw files, ``stale_files`` those to load. ``is_whole`` says that
    nothing which should run was left out by a selection.
    ``loaded`` are the unique ids of the sources that genredb loads. ``proof`` digests what the leak guard
    has to prove, and ``is_proved`` says that it did so before. ``touched`` says by unique id which columns
    a build would touch, where that was asked for. ``large_drop`` says what would go that nobody may have
    meant to drop, if anything. ``is_confirmed`` says that the file remembers to be whole, with these settings
    and hooks; where it is not, a build has that to record although no node runs.
    """

    compilation: Compilation
    identities: Mapping[str, Identity]
    reasons: Mapping[str, str]
    files: tuple[RawFiles, ...] = ()
    stale_files: tuple[RawFiles, ...] = ()
    removed: tuple[str, ...] = ()
    is_whole: bool = True
    loaded: frozenset[str] = frozenset()
    proof: str = ""
    is_proved: bool = True
    touched: Mapping[str, Touched] = field(default_factory=dict)
    large_drop: str = ""
    is_confirmed: bool = False

    def restless(self, node: Node) -> str:
        """Return why a node may change although nothing in the project does, or nothing."""
        relation = node.relation
        if node.kind is not NodeKind.SOURCE:
            return f"calls {node.dynamic}" if node.dynamic else ""
        if relation is None or relation.schema in OWN_SCHEMAS:
            return ""
        if node.depends_on or node.unique_id in self.loaded:
            return ""
        return f"reads {relation.expression}" if relation.expression else "is not loaded by genredb"

    @property
    def made(self) -> list[str]:
        """The relations (``schema.name``) that are made or loaded anew."""
        nodes = (self.compilation.nodes[unique_id] for unique_id in self.reasons)
        built = [node.relation.qualified_name for node in nodes if node.relation and node.is_built]
        return built + [raw.source.qualified_name for raw in self.stale_files]

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do."""
        return not (self.reasons or self.stale_files or self.removed)


def make_plan(
    compilation: Compilation,
    state: State,
    connection: Connection | None,
    chosen: Collection[str] | None = None,
    options: Options = _NO_OPTIONS,
) -> Plan:
    """Hold a compiled project against ``state``; ``chosen`` are the unique ids to look at, else all.

    ``connection`` reads the published file, where there is one. UsageError where the plan would replace
    what genredb did not make.
    """
    files = raw_files(compilation.project)
    own = find_identities(compilation, files, state, connection)
    everything = _Planner(compilation, state, own, files, options)
    reasons = everything.reasons(compilation.nodes)
    stale = tuple(raw for raw in files if not is_loaded(raw, state))
    left = dict(_left(compilation, state))
    proof = proof_digest(compilation, own)
    found = Plan(
        compilation,
        own,
        reasons,
        files,
        stale,
        tuple(left.values()),
        loaded=everything.loaded,
        proof=proof,
        is_proved=proof in ("", state.proof),
        is_confirmed=state.is_whole and state.built_with == settings_of(compilation),
    )
    if chosen is not None:
        needed = ancestors(compilation, chosen)
        found = replace(
            found,
            reasons=_Planner(compilation, state, own, files, options).reasons(chosen),
            stale_files=tuple(raw for raw in stale if everything.node_of(raw) in needed),
            removed=tuple(relation for unique_id, relation in left.items() if unique_id in chosen),
            is_whole=reasons.keys() <= set(chosen) and left.keys() <= set(chosen),
        )
    state.refuse_foreign(found.made)
    return replace(found, large_drop=large_drop(compilation, state, found.removed, found.reasons))


def find_identities(
    compilation: Compilation, files: Sequence[RawFiles], state: State, connection: Connection | None
) -> dict[str, Identity]:
    """Return each node's own part of its fingerprint as the project and these files are now."""

    def parsed(sql: str) -> str | None:
        return canonical(connection, sql) if connection else None

    return identities(compilation, contents(compilation, files), state.identities, parsed)


class _Planner:
    """Finds out which nodes run, upstream first, and why."""

    def __init__(
        self,
        compilation: Compilation,
        state: State,
        own: Mapping[str, Identity],
        files: Sequence[RawFiles],
        options: Options,
    ) -> None:
        self._nodes = compilation.nodes
        self._state = state
        self._own = own
        self._options = options
        by_relation = {found.source.qualified_name: found for found in files}
        self._files = {
            node.unique_id: by_relation[node.relation.qualified_name]
            for node in compilation.of_kind(NodeKind.SOURCE)
            if node.relation and node.relation.qualified_name in by_relation
        }
        self._fingerprints: dict[str, str] = {}
        self._changed: set[str] = set()  # nodes whose rows may be others than before
        self._remade: set[str] = set()  # nodes that are made again as they were

    @property
    def loaded(self) -> frozenset[str]:
        """The unique ids of the sources that genredb loads."""
        return frozenset(self._files)

    def node_of(self, raw: RawFiles) -> str:
        """Return the unique id of the source of these files."""
        return next(unique_id for unique_id, found in self._files.items() if found is raw)

    def reasons(self, chosen: Collection[str]) -> dict[str, str]:
        """Return why each of the chosen nodes that must run does; the others count as they were built."""
        result: dict[str, str] = {}
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

    def _reason(self, node: Node) -> str:
        change = self._source_change(node) if node.kind is NodeKind.SOURCE else self._change(node)
        if change:
            self._changed.add(node.unique_id)
            return change
        if node.is_built and not self._state.is_intact(node.unique_id):
            self._remade.add(node.unique_id)
            if node.materialized == "incremental":  # what it had gathered is gone
                self._changed.add(node.unique_id)
            is_there = self._state.nodes[node.unique_id].relation in self._state.marks
            return "rebuilt by another program" if is_there else "missing"
        return self._check_again(node) if node.is_check else ""

    def _check_again(self, node: Node) -> str:
        """Return why a check runs although it would look at the same rows, or nothing."""
        remade = next((i for i in node.depends_on if i in self._remade), None)
        if remade:
            return f"upstream {self._nodes[remade].label}"
        has_warned = self._state.nodes[node.unique_id].has_warned
        return "warned before" if has_warned and self._options.repeats_warned else ""

    def _change(self, node: Node) -> str:
        """Return why a node's rows may be others than at its last run, or nothing."""
        last = self._state.nodes.get(node.unique_id)
        if last is None or self._options.is_full_refresh:
            return "full refresh" if self._options.is_full_refresh else "new"
        own = self._own[node.unique_id]
        if own.sql_id != last.identity.sql_id:
            return "sql changed"
        if own.rest != last.identity.rest:
            return f"{node.path} changed" if node.kind is NodeKind.SEED else "configuration changed"
        upstream = next((i for i in node.depends_on if i in self._changed), None)
        if upstream is not None:
            found = self._nodes[upstream]
            return self._source_change(found) if found.kind is NodeKind.SOURCE else f"upstream {found.label}"
        if self._fingerprints[node.unique_id] != last.fingerprint:
            return "upstream was rebuilt before"
        return f"calls {node.dynamic}" if node.dynamic else last.restless

    def _source_change(self, node: Node) -> str:
        """Return why the rows of a source may be others than before."""
        relation = node.relation
        if relation is None or relation.schema in OWN_SCHEMAS:
            return ""
        if node.depends_on:
            maker = next((i for i in node.depends_on if i in self._changed), None)
            return f"upstream {self._nodes[maker].label}" if maker else ""
        if relation.expression:
            return f"reads {relation.expression}"
        raw = self._files.get(node.unique_id)
        if raw is None:
            return f"genredb does not load {relation.qualified_name}"
        last = self._state.nodes.get(node.unique_id)
        is_same = last is not None and last.identity.rest == self._own[node.unique_id].rest
        return "" if is_same else f"{raw.source.stated_files} changed"


def is_loaded(raw: RawFiles, state: State) -> bool:
    """Whether the raw table holds these files, as genredb loaded them."""
    name = raw.source.qualified_name
    return state.loads.get(name) == raw.digest and state.is_marked(name, raw.digest)


def ancestors(compilation: Compilation, chosen: Collection[str]) -> set[str]:
    """Return the unique ids of these nodes and of all that they are made of."""
    found: set[str] = set()
    for unique_id in reversed(list(compilation.nodes)):
        if unique_id in chosen or unique_id in found:
            found |= {unique_id, *compilation.nodes[unique_id].depends_on}
    return found


def _left(compilation: Compilation, state: State) -> Iterator[tuple[str, str]]:
    """Return the relations, still as genredb made them, that no node makes any more, by unique id.

    Their nodes left the project, or make another relation now; what another target made stays.
    """
    config = compilation.project.config
    kept = {node.relation.qualified_name for node in compilation.nodes.values() if node.relation}
    is_same_target = state.built_with.target == config.target["name"]
    for unique_id, node in state.nodes.items():
        is_own = unique_id.split(".")[1] == config.name
        is_foreign = node.relation in state.marks and not state.is_intact(unique_id)
        is_left = node.relation not in kept and (is_same_target or unique_id not in compilation.nodes)
        if node.relation and is_own and is_left and not is_foreign:
            yield unique_id, node.relation


def new_nodes(
    plan: Plan, state: State, succeeded: Mapping[str, bool], restless: Mapping[str, str]
) -> dict[str, NodeState]:
    """Return what each node is now built from: those that succeeded anew, the others as before.

    ``succeeded`` says of each whether it warned, ``restless`` why some must run each time. A fingerprint
    is made over what is in the file, not over what the project wants there.
    """
    nodes: dict[str, NodeState] = {}
    for node in plan.compilation.nodes.values():
        unique_id = node.unique_id
        makes_nothing = node.kind is NodeKind.SOURCE or node.materialized == "ephemeral"
        if unique_id not in succeeded and not makes_nothing:
            if unique_id in state.nodes:
                nodes[unique_id] = state.nodes[unique_id]
            continue
        own = plan.identities[unique_id]
        upstream = [nodes[i].fingerprint if i in nodes else "" for i in node.depends_on]
        relation = node.relation.qualified_name if node.relation and node.is_built else ""
        nodes[unique_id] = NodeState(
            own.fingerprint(upstream),
            own,
            relation,
            restless.get(unique_id) or plan.restless(node),
            has_warned=succeeded.get(unique_id, False),
            materialized=node.materialized,
        )
    return nodes
