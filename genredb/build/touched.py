"""Which columns a build would touch: what changed in the SQL, followed down through the lineage."""

import re
from collections.abc import Mapping

from genredb.build.plan import Plan, Touched
from genredb.build.state import State
from genredb.compile.flow.values import ROWS, QueryFlow, UnresolvedError
from genredb.compile.lineage import ColumnRef, Lineage, relation_key
from genredb.compile.nodes import Node, NodeKind

# The reasons to run that may leave columns as they are; an ephemeral model has none.
_PARTIAL = re.compile(r"|sql changed|upstream (?!was ).*|(?!configuration ).* changed")


def touched_columns(plan: Plan, state: State, lineage: Lineage) -> dict[str, Touched]:
    """Return what a build would touch of each relation that it makes, by unique id."""
    touched: set[ColumnRef] = set()
    result: dict[str, Touched] = {}
    loaded = {file.source.qualified_name.lower() for file in plan.stale_files}
    for relation, node in lineage.nodes.items():
        everything = {ColumnRef(relation, ROWS), *lineage.columns(node)}
        if node.kind is NodeKind.SOURCE:
            is_changed = relation in loaded or plan.restless(node)
            touched |= everything if is_changed else set()
            continue
        if node.is_built and node.unique_id not in plan.reasons:
            continue
        own = _touched(node, plan, state, lineage, touched)
        found = everything if own is None else own
        touched |= found
        if node.is_built:
            columns = tuple(lineage.display(ref) for ref in lineage.columns(node) if ref in found)
            has_other_rows = ColumnRef(relation, ROWS) in found
            result[node.unique_id] = Touched(columns, has_other_rows, found >= everything)
    return result


def _touched(
    node: Node, plan: Plan, state: State, lineage: Lineage, touched: set[ColumnRef]
) -> set[ColumnRef] | None:
    """Return the columns of a model that are touched, or None for every one."""
    reason = plan.reasons.get(node.unique_id, "")
    relation = relation_key(node)
    flow = lineage.flow(relation)
    if node.kind is not NodeKind.MODEL or flow.unresolved or not _PARTIAL.fullmatch(reason):
        return None
    parts = {**flow.columns, ROWS: flow.rows}
    found = {
        ColumnRef(relation, name)
        for name, part in parts.items()
        if any(ColumnRef(origin.relation, origin.column) in touched for origin in part.origins)
    }
    if reason == "sql changed":
        found |= _changed(relation, state.identities[node.unique_id].sql, flow, lineage)
    return found


def _changed(relation: str, before: str, now: QueryFlow, lineage: Lineage) -> set[ColumnRef]:
    """Return the columns that the SQL of before made in another way."""
    try:
        old = lineage.read(before)
    except UnresolvedError:
        return {ColumnRef(relation, name) for name in (ROWS, *now.columns)}
    was = _definitions(old)
    return {ColumnRef(relation, name) for name, made in _definitions(now).items() if was.get(name) != made}


def _definitions(flow: QueryFlow) -> Mapping[str, str]:
    return {name: part.definition for name, part in {**flow.columns, ROWS: flow.rows}.items()}
