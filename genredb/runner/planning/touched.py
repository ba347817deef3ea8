"""Determines which columns a build would change, by tracing SQL changes downstream."""

from collections.abc import Mapping

from genredb.runner.flow.lineage import ColumnRef, Lineage, relation_key
from genredb.runner.flow.values import ROWS, QueryFlow, UnresolvedError
from genredb.runner.graph.nodes import Dataset, Model, Source
from genredb.runner.planning.plan import Plan, Touched
from genredb.runner.planning.state import State
from genredb.runner.reasons import Cause

# Causes that may leave some columns unchanged; an ephemeral model has none.
_PARTIAL = (None, Cause.SQL, Cause.UPSTREAM, Cause.FILE)


def touched_columns(plan: Plan, state: State, lineage: Lineage) -> dict[str, Touched]:
    """Return what a build would change in each relation it creates, by unique id."""
    touched: set[ColumnRef] = set()
    result: dict[str, Touched] = {}
    loaded = {file.source.qualified_name.lower() for file in plan.stale_files}
    for relation, node in lineage.nodes.items():
        if isinstance(node, Source):
            if relation in loaded or plan.volatile(node):
                touched |= {ColumnRef(relation, ROWS), *lineage.columns(node)}
            continue
        if node.is_built and node.unique_id not in plan.reasons:
            continue
        everything = {ColumnRef(relation, ROWS), *lineage.columns(node)}
        own = _touched(node, plan, state, lineage, touched)
        found = everything if own is None else own
        touched |= found
        if node.is_built:
            columns = tuple(lineage.display(ref) for ref in lineage.columns(node) if ref in found)
            has_other_rows = ColumnRef(relation, ROWS) in found
            result[node.unique_id] = Touched(columns, has_other_rows, found >= everything)
    return result


def _touched(
    node: Dataset, plan: Plan, state: State, lineage: Lineage, touched: set[ColumnRef]
) -> set[ColumnRef] | None:
    """Return the columns of a model that would change, or None for all of them."""
    reason = plan.reasons.get(node.unique_id)
    cause = reason.cause if reason else None
    relation = relation_key(node)
    flow = lineage.flow(relation)
    if not isinstance(node, Model) or flow.unresolved or cause not in _PARTIAL:
        return None
    parts = {**flow.columns, ROWS: flow.rows}
    found = {
        ColumnRef(relation, name)
        for name, part in parts.items()
        if any(ColumnRef(origin.relation, origin.column) in touched for origin in part.origins)
    }
    if cause is Cause.SQL:
        found |= _changed(relation, state.identities[node.unique_id].sql, flow, lineage)
    return found


def _changed(relation: str, before: str, now: QueryFlow, lineage: Lineage) -> set[ColumnRef]:
    """Return the columns that the previous SQL computed differently."""
    try:
        old = lineage.read(before)
    except UnresolvedError:
        return {ColumnRef(relation, name) for name in (ROWS, *now.columns)}
    was = _definitions(old)
    return {ColumnRef(relation, name) for name, made in _definitions(now).items() if was.get(name) != made}


def _definitions(flow: QueryFlow) -> Mapping[str, str]:
    return {name: part.definition for name, part in {**flow.columns, ROWS: flow.rows}.items()}
