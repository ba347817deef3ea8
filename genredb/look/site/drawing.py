"""A part of the graph as a picture, for the template ``graph.html``: nodes and edges with their places."""

import unicodedata
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

from genredb.look.site.dag import KINDS, Dag, PageNode
from genredb.look.site.layout import HEIGHT, Point, layout

_LONGEST, _LONGEST_TITLE = 28, 160  # characters of a label and of a description
_CHARACTER, _NOTE_CHARACTER, _MARGIN, _NARROWEST = 7.4, 6, 18, 76


@dataclass(frozen=True)
class Box:
    """A node in a picture. ``place`` is its number in the graph; ``is_self`` marks the page's own node."""

    place: int
    x: int
    y: int
    width: int
    label: str
    note: str
    title: str
    kind: str
    address: str
    is_self: bool
    has_failed: bool


@dataclass(frozen=True)
class Line:
    """An edge in a picture, between two numbers of nodes; ``path`` is its form in SVG."""

    source: int
    target: int
    path: str


@dataclass(frozen=True)
class Picture:
    """What is drawn; ``kinds`` are the entries of its legend."""

    width: int
    height: int
    node_height: int
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]
    kinds: Mapping[str, str]


def draw(
    dag: Dag, shown: Sequence[str], addresses: Mapping[str, str], failed: Set[str], own: str = ""
) -> Picture:
    """Draw these nodes and the edges between them; ``failed`` are nodes with a failing check."""
    nodes = [dag.nodes[unique_id] for unique_id in shown]
    at = {unique_id: place for place, unique_id in enumerate(shown)}
    pairs = [(at[parent], at[node.unique_id]) for node in nodes for parent in node.parents if parent in at]
    labels = [_clipped(node.dataset.relation.identifier if node.dataset else node.label) for node in nodes]
    notes = [_clipped(_note(node)) for node in nodes]
    widths = [_box_width(label, note) for label, note in zip(labels, notes, strict=True)]
    placed = layout(widths, pairs)
    boxes = tuple(
        Box(
            dag.places[node.unique_id],
            x,
            y,
            width,
            label,
            note,
            _title(node, has_failed=node.unique_id in failed),
            node.kind,
            addresses[node.unique_id],
            node.unique_id == own,
            node.unique_id in failed,
        )
        for node, label, note, width, (x, y) in zip(nodes, labels, notes, widths, placed.nodes, strict=True)
    )
    lines = tuple(
        Line(dag.places[shown[source]], dag.places[shown[target]], _curve(points))
        for (source, target), points in zip(pairs, placed.edges, strict=True)
    )
    used = {node.kind for node in nodes}
    kinds = {kind: name for kind, name in KINDS.items() if kind in used}
    return Picture(placed.width, placed.height, HEIGHT, boxes, lines, kinds)


def _curve(points: Sequence[Point]) -> str:
    """Return a line through the points: level across a rank, curved between two."""
    (x, y), *rest = points
    found = f"M{x} {y}"
    for place, (to_x, to_y) in enumerate(rest):
        if place % 2:
            found += f"H{to_x}"
        else:
            middle = (x + to_x) // 2
            found += f"C{middle} {y} {middle} {to_y} {to_x} {to_y}"
        x, y = to_x, to_y
    return found


def _note(node: PageNode) -> str:
    relation = node.dataset.relation if node.dataset else None
    schema = relation.schema if relation and not relation.is_cte else None
    return node.what if schema in (None, "main") else f"{node.what} · {schema}"


def _title(node: PageNode, *, has_failed: bool) -> str:
    words = [f"{node.label} ({node.what})", " ".join(node.description.split())[:_LONGEST_TITLE]]
    return "\n".join(word for word in (*words, "A check of it fails." if has_failed else "") if word)


def _clipped(text: str) -> str:
    plain = " ".join(text.split())
    width = 0.0
    for place, one in enumerate(plain):
        width += _width(one)
        if width > _LONGEST:
            return f"{plain[:place]}…"
    return plain


def _box_width(label: str, note: str) -> int:
    longest = max(_width(label) * _CHARACTER, _width(note) * _NOTE_CHARACTER)
    return max(_NARROWEST, round(longest) + _MARGIN)


def _width(text: str) -> float:
    """Return how many ordinary characters are about as wide as a text."""
    return sum(1.9 if unicodedata.east_asian_width(one) in "WF" else 1 for one in text)
