"""The leak guard: no feature of a feature view may depend on a label, by value or by influence.

A feature view is a model that gives columns the role ``feature``. Labels are the columns of role ``label``
and whatever source or seed columns those take their values from. Which rows a view has may depend on a
label only where it says so: ``config: meta: row_filter: label``.
"""

from collections import deque
from collections.abc import Mapping

from genredb.compile.features import columns_of_role, feature_views, row_filter
from genredb.compile.flow.values import ROWS, How
from genredb.compile.lineage import ColumnRef, Lineage, relation_key
from genredb.compile.nodes import Node, NodeKind

Step = tuple[ColumnRef, How]


def find_leaks(lineage: Lineage) -> list[str]:
    """Return a sentence for each feature that depends on a label, or of which that cannot be told."""
    views = feature_views(lineage.compilation)
    labels = label_columns(lineage)
    found: list[str] = []
    for view in views:
        relation = relation_key(view)
        starts = [
            (ColumnRef(relation, name.lower()), f"the feature {name}")
            for name in columns_of_role(view, "feature")
        ]
        if not row_filter(view):
            starts.append((ColumnRef(relation, ROWS), "which rows it has"))
        for start, what in starts:
            path = _path_to_label(lineage, start, labels)
            if path:
                found.append(_sentence(lineage, view, what, path, labels))
    return found


def label_columns(lineage: Lineage) -> frozenset[ColumnRef]:
    """Return the columns of role ``label``, and those of sources and seeds that they have values of."""
    stated = [
        ColumnRef(relation, name.lower())
        for relation, node in lineage.nodes.items()
        for name in columns_of_role(node, "label")
    ]
    found = set(stated)
    waiting, seen = list(stated), set(stated)
    while waiting:
        ref = waiting.pop()
        origins = [o for o in lineage.origins(ref) if o.how is How.VALUE and o.column != ROWS]
        if not origins and lineage.nodes[ref.relation].kind is not NodeKind.MODEL:
            found.add(ref)
        for origin in origins:
            above = ColumnRef(origin.relation, origin.column)
            if above not in seen:
                seen.add(above)
                waiting.append(above)
    return frozenset(found)


def _path_to_label(lineage: Lineage, start: ColumnRef, labels: frozenset[ColumnRef]) -> list[Step]:
    """Return the shortest way from a column to a label, or to what could not be read; else nothing."""
    came_from: dict[ColumnRef, Step | None] = {start: None}
    waiting = deque([start])
    while waiting:
        ref = waiting.popleft()
        if (ref in labels and ref != start) or lineage.flow(ref.relation).unresolved:
            return _way(ref, came_from)
        for origin in sorted(lineage.origins(ref)):
            above = ColumnRef(origin.relation, origin.column)
            # An order alone changes no rows; what a limit makes of it counts as a filter.
            is_order = ref.column == ROWS and start.column == ROWS and origin.how is How.ORDER
            if above not in came_from and not is_order:
                came_from[above] = (ref, origin.how)
                waiting.append(above)
    return []


def _way(end: ColumnRef, came_from: Mapping[ColumnRef, Step | None]) -> list[Step]:
    """Return the steps from the start to ``end``, each with how it goes into the one before."""
    steps: list[Step] = []
    ref: ColumnRef | None = end
    while ref is not None:
        below = came_from[ref]
        steps.append((ref, below[1] if below else How.VALUE))
        ref = below[0] if below else None
    return steps[::-1]


def _sentence(lineage: Lineage, view: Node, what: str, path: list[Step], labels: frozenset[ColumnRef]) -> str:
    shown = " ← ".join(
        _shown(lineage, ref) + (f" ({how.value})" if how is not How.VALUE and i else "")
        for i, (ref, how) in enumerate(path)
    )
    end = path[-1][0]
    if end not in labels:
        reason = lineage.flow(end.relation).unresolved
        return (
            f"{view.path}: {what} of {view.label} cannot be proved to be free of labels: {shown}, "
            f"and of {lineage.nodes[end.relation].path} {reason}."
        )
    cure = ""
    if path[0][0].column == ROWS:
        what = f"which rows {view.label} has"
        cure = " If that is meant, say `config: {meta: {row_filter: label}}` of the model."
    else:
        what = f"{what} of {view.label}"
    return f"{view.path}: {what} depends on a label: {shown}.{cure}"


def _shown(lineage: Lineage, ref: ColumnRef) -> str:
    is_rows = ref.column == ROWS
    return f"the rows of {lineage.nodes[ref.relation].label}" if is_rows else lineage.label(ref)
