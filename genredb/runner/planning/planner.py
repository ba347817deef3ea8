"""Plans a build by comparing the current project with what the database was built from."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from genredb.runner.extension import Extension
from genredb.runner.flow.features import PROOF_ROWS, proof_digest
from genredb.runner.graph.compiler import Compilation
from genredb.runner.graph.fingerprint import identities
from genredb.runner.graph.identity import Identity
from genredb.runner.graph.nodes import Check, Dataset, Snapshot
from genredb.runner.planning.built_with import settings_of
from genredb.runner.planning.drops import find_large_drop
from genredb.runner.planning.inputs import RawFiles, contents, raw_files
from genredb.runner.planning.options import Options
from genredb.runner.planning.own_tables import readers_of, refuse_replacing, with_own_tables
from genredb.runner.planning.plan import Plan
from genredb.runner.planning.selection import chosen_nodes
from genredb.runner.planning.state import NodeState, State
from genredb.runner.planning.why import Planner
from genredb.runner.reasons import Reason
from genredb.warehouse.connection import Connection
from genredb.warehouse.database import quote
from genredb.warehouse.sql_text import canonical
from genredb.warehouse.tables import OwnTable


def make_plan(
    compilation: Compilation,
    state: State,
    connection: Connection | None,
    options: Options,
    extension: Extension,
) -> Plan:
    """Plan a build from ``state``.

    ``connection`` reads the published file, if there is one. UsageError if the plan would replace a relation
    that genredb did not create.
    """
    files = raw_files(compilation.project, {} if state.is_ledger else state.loads)
    own_tables = extension.tables(compilation.project)
    refuse_replacing(own_tables, compilation.project.loaded_sources, compilation.nodes.values())
    own = find_identities(compilation, files, state, connection)
    if not state.is_ledger:  # on Spark they are elsewhere
        own = with_own_tables(own, compilation, own_tables, connection)
    stale = tuple(raw for raw in files if not is_loaded(raw, state))
    left = dict(_orphaned_relations(compilation, state))
    proof = proof_digest(compilation, own)
    found = Plan(
        compilation,
        own,
        {},
        files,
        stale,
        tuple(left.values()),
        proof=proof,
        is_proved=proof in ("", state.proof) or _is_proved_before(compilation, files, state, connection),
        is_confirmed=state.is_whole and state.built_with == settings_of(compilation),
        own_tables=frozenset(one.name for one in own_tables),
    )
    everything = Planner(found, state, options)
    reasons = everything.reasons(compilation.nodes)
    found = replace(found, reasons=reasons, loaded=everything.loaded)
    chosen = chosen_nodes(compilation, options)
    if chosen is not None:
        needed = ancestors(compilation, chosen)
        found = replace(
            found,
            reasons=Planner(found, state, options).reasons(chosen),
            stale_files=tuple(raw for raw in stale if everything.node_of(raw) in needed),
            removed=tuple(relation for unique_id, relation in left.items() if unique_id in chosen),
            is_whole=reasons.keys() <= set(chosen) and left.keys() <= set(chosen),
        )
    if connection is not None and any(raw.held is not None for raw in found.stale_files):
        # Reads SQL by sqlglot, which is slow to import.
        from genredb.runner.planning.derive import find_updates  # noqa: PLC0415

        found = replace(found, updates=find_updates(found, state, connection))
    _refuse_foreign(found, state)
    return replace(found, large_drop=find_large_drop(compilation, state, found.removed, found.reasons))


def plan_readers(
    plan: Plan, state: State, connection: Connection, options: Options, tables: Sequence[OwnTable]
) -> Plan:
    """Plan once more what reads genredb's own tables, some of which the build has just changed."""
    compilation = plan.compilation
    found = replace(plan, identities=with_own_tables(plan.identities, compilation, tables, connection))
    chosen = chosen_nodes(compilation, options)
    reasons = Planner(found, state, options).reasons(compilation.nodes)
    if chosen is not None:  # the tables may be read by nodes that are left out and seemed up to date
        found = replace(found, is_whole=plan.is_whole and reasons.keys() <= set(chosen))
        reasons = Planner(found, state, options).reasons(chosen)
    late = readers_of(compilation, {table.name for table in tables})
    found = replace(found, reasons={**plan.reasons, **{i: reasons[i] for i in late if i in reasons}})
    _refuse_foreign(found, state)
    return found


def find_identities(
    compilation: Compilation, files: Sequence[RawFiles], state: State, connection: Connection | None
) -> dict[str, Identity]:
    """Return the current identity of each node, given the project and these files."""

    def parsed(sql: str) -> str | None:
        return canonical(connection, sql) if connection else None

    return identities(compilation, contents(compilation, files), state.identities, parsed)


def _is_proved_before(
    compilation: Compilation, files: Sequence[RawFiles], state: State, connection: Connection | None
) -> bool:
    """Return True if the last proof holds because rows were only added, after those that it looked at."""
    if connection is None or not any(raw.held is not None for raw in files):
        return False
    grown = {raw.source.qualified_name: raw.source for raw in files if raw.held is not None}
    last = {name: state.loads[name].digest for name in grown}
    for name, source in grown.items():
        table = f"{quote(source.schema)}.{quote(source.table)}"
        is_intact = state.is_marked(name, last[name])
        if not is_intact or connection.rows(f"select count(*) from {table}")[0][0] < PROOF_ROWS:
            return False
    before = [replace(raw, digest=last.get(raw.source.qualified_name, raw.digest)) for raw in files]
    return proof_digest(compilation, find_identities(compilation, before, state, connection)) == state.proof


def is_loaded(raw: RawFiles, state: State) -> bool:
    """Return True if the raw table holds these files, as genredb loaded them."""
    name = raw.source.qualified_name
    loaded = state.loads.get(name)
    return loaded is not None and loaded.digest == raw.digest and state.is_marked(name, raw.digest)


def _refuse_foreign(plan: Plan, state: State) -> None:
    """Raise UsageError if a build would replace what is not genredb's; a snapshot that dbt took goes on."""
    taken = {node.relation.qualified_name for node in plan.compilation.of_type(Snapshot)}
    state.refuse_foreign(name for name in plan.made if name not in taken)


def ancestors(compilation: Compilation, chosen: Collection[str]) -> set[str]:
    """Return the unique ids of these nodes and of everything upstream of them."""
    found: set[str] = set()
    for unique_id in reversed(list(compilation.nodes)):
        if unique_id in chosen or unique_id in found:
            found |= {unique_id, *compilation.nodes[unique_id].depends_on}
    return found


def _orphaned_relations(compilation: Compilation, state: State) -> Iterator[tuple[str, str]]:
    """Yield relations that no node creates any more but that are unchanged since genredb did, by unique id.

    Their nodes left the project or now create another relation; relations of other targets are kept, and so
    are those of other projects. A package that the project no longer uses left with its nodes.
    """
    config = compilation.project.config
    placed = [node for node in compilation.nodes.values() if isinstance(node, Dataset | Check)]
    kept = {node.relation.qualified_name for node in placed}
    own = {package.name for package in config.packages}
    is_same_project = state.built_with.project == config.name
    is_same_target = state.built_with.target == config.target["name"]
    for unique_id, node in state.nodes.items():
        is_own = is_same_project or unique_id.split(".")[1] in own
        is_foreign = node.relation in state.marks and not state.is_intact(unique_id)
        is_left = node.relation not in kept and (is_same_target or unique_id not in compilation.nodes)
        if node.relation and is_own and is_left and not is_foreign:
            yield unique_id, node.relation


def new_nodes(
    plan: Plan, state: State, succeeded: Mapping[str, bool], volatile: Mapping[str, Reason]
) -> dict[str, NodeState]:
    """Return what each node is now built from: updated if it succeeded, else as before.

    ``succeeded`` maps nodes to whether they warned, ``volatile`` to why they must run each time. Fingerprints
    describe what the file contains, not what the project wants it to contain. The relation that another
    target made of a node is forgotten: it is no older one of this target, which would be dropped.
    """
    nodes: dict[str, NodeState] = {}
    is_same_target = state.built_with.target == plan.compilation.project.config.target["name"]
    for node in plan.compilation.nodes.values():
        unique_id = node.unique_id
        makes_nothing = not (node.is_built or node.is_check)
        relation = node.built_relation.qualified_name if node.built_relation else ""
        if unique_id not in succeeded and not makes_nothing:
            last = state.nodes.get(unique_id)
            if last is not None and (is_same_target or last.relation == relation):
                nodes[unique_id] = last
            continue
        own = plan.identities[unique_id]
        upstream = [nodes[i].fingerprint if i in nodes else "" for i in node.depends_on]
        nodes[unique_id] = NodeState(
            own.fingerprint(upstream),
            own,
            relation,
            volatile.get(unique_id) or plan.volatile(node),
            has_warned=succeeded.get(unique_id, False),
            materialized=node.materialized,
        )
    return nodes
