"""The leak guard: no feature of a feature view may depend on a label, by value or by influence.

A feature view is a model with columns of role ``feature``. Labels are the columns of role ``label`` and the
columns of sources and seeds that determine them. The ids of a view count as features: if an id came from a
join on a label, later joins on it would hide that dependency. Which rows a view has may depend on a label
only if it declares it: ``config: meta: row_filter: label``.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping

from genredb.errors import ProjectError
from genredb.runner.flow.features import columns_of_role, feature_views, row_filter
from genredb.runner.flow.lineage import ColumnRef, Lineage, relation_key
from genredb.runner.flow.values import ROWS, How, Unresolved
from genredb.runner.graph.nodes import Dataset, Model

Step = tuple[ColumnRef, How]
# The cure if which rows a view has depends on a label.
INTENDED = "if this is intended, set `config: {meta: {row_filter: label}}` on the model"


def find_leaks(lineage: Lineage) -> list[ProjectError]:
    """Return an error for each feature that depends on a label, or may do so."""
    views = feature_views(lineage.compilation)
    labels = label_columns(lineage)
    unread = dict(unproved_labels(lineage))  # report each unreadable relation once
    found = []
    for view in views:
        relation = relation_key(view)
        starts = [
            (ColumnRef(relation, name.lower()), f"the {role} {name}")
            for role in ("id", "feature")
            for name in columns_of_role(view, role)
        ]
        if not row_filter(view):
            starts.append((ColumnRef(relation, ROWS), "which rows it has"))
        for start, what in starts:
            path = _path_to_label(lineage, start, labels)
            if path and path[-1][0] in labels:
                found.append(_leak(lineage, view, what, path))
            elif path:
                end = path[-1][0]
                unread.setdefault((end.relation, lineage.problem(end)), _doubt(lineage, view, what, path))
    return [*unread.values(), *found]


def label_columns(lineage: Lineage) -> frozenset[ColumnRef]:
    """Return the columns of role ``label``, and the columns of sources and seeds that determine them.

    Columns that only identify songs or artists (role ``id`` or ``group``) are not labels, although labels are
    joined on them.
    """
    stated = _of_role(lineage, "label")
    apart = _roots(lineage, [*_of_role(lineage, "id"), *_of_role(lineage, "group")], is_by_value=True)
    by_value = _roots(lineage, stated, is_by_value=True)
    return frozenset({*stated, *by_value, *(_roots(lineage, stated, is_by_value=False) - apart)})


def unproved_labels(lineage: Lineage) -> Iterator[tuple[tuple[str, Unresolved | None], ProjectError]]:
    """Yield relations where the origin of a label cannot be determined: (relation, reason), and the error."""
    for stated in _of_role(lineage, "label"):
        for ref in _above(lineage, [stated], is_by_value=False):
            if reason := lineage.problem(ref):
                yield (
                    (ref.relation, reason),
                    ProjectError(
                        "cannot rule out target leakage: "
                        f"{_shown(lineage, stated)} comes from here, and {reason}",
                        place=lineage.nodes[ref.relation].path,
                    ),
                )


def _of_role(lineage: Lineage, role: str) -> list[ColumnRef]:
    return [
        ColumnRef(relation, name.lower())
        for relation, node in lineage.nodes.items()
        for name in columns_of_role(node, role)
    ]


def _roots(lineage: Lineage, starts: Iterable[ColumnRef], *, is_by_value: bool) -> set[ColumnRef]:
    """Return the columns of sources and seeds upstream of these columns."""
    above = _above(lineage, starts, is_by_value=is_by_value)
    return {ref for ref in above if not isinstance(lineage.nodes[ref.relation], Model)}


def _above(lineage: Lineage, starts: Iterable[ColumnRef], *, is_by_value: bool) -> set[ColumnRef]:
    """Return these columns and everything upstream of them, by value only or also by influence."""
    seen = set(starts)
    waiting = list(seen)
    while waiting:
        for origin in lineage.origins(waiting.pop()):
            above = ColumnRef(origin.relation, origin.column)
            is_followed = origin.how is How.VALUE or not is_by_value
            if origin.column != ROWS and is_followed and above not in seen:
                seen.add(above)
                waiting.append(above)
    return seen


def _path_to_label(lineage: Lineage, start: ColumnRef, labels: frozenset[ColumnRef]) -> list[Step]:
    """Return the shortest path from a column to a label or an unreadable relation, empty if there is none."""
    came_from: dict[ColumnRef, Step | None] = {start: None}
    waiting = deque([start])
    while waiting:
        ref = waiting.popleft()
        if (ref in labels and ref != start) or lineage.problem(ref):
            return _way(ref, came_from)
        for origin in sorted(lineage.origins(ref)):
            above = ColumnRef(origin.relation, origin.column)
            # An order alone changes no rows; with a limit it counts as a filter.
            is_order = ref == start and start.column == ROWS and origin.how is How.ORDER
            if above not in came_from and not is_order:
                came_from[above] = (ref, origin.how)
                waiting.append(above)
    return []


def _way(end: ColumnRef, came_from: Mapping[ColumnRef, Step | None]) -> list[Step]:
    """Return the steps from the start to ``end``, each with its effect on the one before."""
    steps: list[Step] = []
    ref: ColumnRef | None = end
    while ref is not None:
        below = came_from[ref]
        steps.append((ref, below[1] if below else How.VALUE))
        ref = below[0] if below else None
    return steps[::-1]


def _leak(lineage: Lineage, view: Dataset, what: str, path: list[Step]) -> ProjectError:
    if path[0][0].column == ROWS:
        what = f"which rows {view.label} has"
        cure = INTENDED
    else:
        what = f"{what} of {view.label}"
        cure = _other_rows(lineage, path)
    return ProjectError(f"{what} depends on a label: {_way_shown(lineage, path)}", place=view.path, cure=cure)


def _doubt(lineage: Lineage, view: Dataset, what: str, path: list[Step]) -> ProjectError:
    end = path[-1][0]
    return ProjectError(
        f"cannot rule out target leakage through {what} of {view.label}: {_way_shown(lineage, path)}, "
        f"and of {lineage.nodes[end.relation].path} {lineage.problem(end)}",
        place=view.path,
    )


def _other_rows(lineage: Lineage, path: list[Step]) -> str:
    """Return the cure: the nearest relation whose rows could be counted instead; empty if there is none."""
    labels = label_columns(lineage)
    decided = next((ref.relation for ref, _ in path if ref.column == ROWS), None)
    if decided is None:
        return ""
    above = {node.unique_id: relation for relation, node in lineage.nodes.items()}
    waiting = deque([decided])
    seen = {decided}
    while waiting:
        relation = waiting.popleft()
        if relation != decided and not _path_to_label(lineage, ColumnRef(relation, ROWS), labels):
            return f"no label decides which rows {lineage.nodes[relation].label} has: count these instead"
        found = [above[i] for i in lineage.nodes[relation].depends_on if i in above]
        waiting += [one for one in found if one not in seen]
        seen.update(found)
    return ""


def _way_shown(lineage: Lineage, path: list[Step]) -> str:
    return " ← ".join(
        _shown(lineage, ref) + (f" ({how.value})" if how is not How.VALUE and i else "")
        for i, (ref, how) in enumerate(path)
    )


def _shown(lineage: Lineage, ref: ColumnRef) -> str:
    is_rows = ref.column == ROWS
    return f"the rows of {lineage.nodes[ref.relation].label}" if is_rows else lineage.label(ref)
