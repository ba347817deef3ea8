"""What a build leaves in the database: the state that the next one plans from, and marks on relations."""

from collections.abc import Iterable, Sequence

from genredb.errors import ProjectError
from genredb.runner.execution.comments import write_comments
from genredb.runner.execution.executor import Executor
from genredb.runner.graph.compiler import Compilation
from genredb.runner.graph.fingerprint import portable_sql
from genredb.runner.graph.nodes import Check, Dataset, Model, Node
from genredb.runner.planning.built_with import settings_of
from genredb.runner.planning.plan import Plan
from genredb.runner.planning.planner import new_nodes
from genredb.runner.planning.state import State, write_state
from genredb.runner.planning.updates import read_by
from genredb.runner.reasons import Cause, Reason
from genredb.runner.results import NodeResult, Status
from genredb.warehouse.connection import Connection
from genredb.warehouse.sql_text import find_volatile
from genredb.warehouse.tables import has_current_layout


def state_after(plan: Plan, state: State, results: Sequence[NodeResult], connection: Connection) -> State:
    """Return the state of a database after these results."""
    succeeded = _succeeded(results)
    done = [found.node for found in succeeded]
    warned = {found.node.unique_id: found.status is Status.WARN for found in succeeded}
    nodes = new_nodes(plan, state, warned, _volatile(connection, plan.compilation, done))
    return State(
        is_whole=plan.is_whole and len(done) == len(results),
        proof=state.proof,
        proved=state.proved,
        nodes=nodes,
        built_with=settings_of(plan.compilation),
    )


def _succeeded(results: Iterable[NodeResult]) -> list[NodeResult]:
    return [found for found in results if found.status in (Status.SUCCESS, Status.WARN)]


def write_marked(
    connection: Connection, executor: Executor, results: Iterable[NodeResult], state: State
) -> None:
    """Mark the created relations, unless a hook dropped them, and replace the stored state."""
    there = executor.relations()
    for node in (found.node for found in _succeeded(results)):
        if relation := node.built_relation:
            kind = there.get((str(relation.schema), relation.identifier))
            if kind:
                fingerprint = state.nodes[node.unique_id].fingerprint
                executor.mark(relation, kind, fingerprint)
                write_comments(executor, node, relation, kind, fingerprint)
    write_state(connection, state)


def refuse_lost_memory(connection: Connection) -> None:
    """Raise ProjectError if a hook dropped genredb's stored state or switched to another database."""
    if not has_current_layout(connection):
        raise ProjectError(
            "A hook dropped meta.state, or left another database or schema current; genredb needs "
            "both unchanged"
        )


def _tracked(compilation: Compilation, node: Node) -> set[str]:
    """Return what a node reads by ref() or source(), also by ephemeral models, and itself."""
    read = [node, *(compilation.nodes[i] for i in read_by(compilation, node, ()))]
    return {one.relation.qualified_name.lower() for one in read if isinstance(one, Dataset | Check)}


def _volatile(connection: Connection, compilation: Compilation, nodes: Iterable[Node]) -> dict[str, Reason]:
    """Return the nodes that must run each time, with the reason."""
    found = {
        node.unique_id: find_volatile(
            connection, portable_sql(node, compilation), _tracked(compilation, node)
        )
        for node in nodes
        if isinstance(node, Model | Check) and node.sql  # a unit test reads only the rows it states
    }
    return {i: Reason(Cause(one.kind), one.name) for i, one in found.items() if one}
