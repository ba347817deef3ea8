"""The layout of a graph: every edge goes right, no two nodes overlap, the same graph gives the same picture."""

from itertools import combinations, pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from genredb.look.site.layout import HEIGHT, layout

Graph = tuple[list[int], list[tuple[int, int]]]


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Widths of nodes, and edges without a cycle; the nodes are in no particular order."""
    widths = draw(st.lists(st.integers(20, 300), min_size=1, max_size=30))
    order = draw(st.permutations(range(len(widths))))
    pairs = list(combinations(order, 2))
    edges = draw(st.lists(st.sampled_from(pairs), unique=True, max_size=60)) if pairs else []
    return widths, edges


@settings(deadline=None)
@given(graphs())
def test_every_edge_leads_right_from_its_source_to_its_target(graph: Graph) -> None:
    widths, edges = graph
    found = layout(widths, edges)
    for (source, target), points in zip(edges, found.edges, strict=True):
        assert points[0] == (found.nodes[source][0] + widths[source], found.nodes[source][1] + HEIGHT // 2)
        assert points[-1] == (found.nodes[target][0], found.nodes[target][1] + HEIGHT // 2)
        assert all(one[0] < other[0] for one, other in pairwise(points))


@settings(deadline=None)
@given(graphs())
def test_no_two_nodes_overlap_and_all_are_in_the_picture(graph: Graph) -> None:
    widths, edges = graph
    found = layout(widths, edges)
    boxes = [(x, y, x + width, y + HEIGHT) for (x, y), width in zip(found.nodes, widths, strict=True)]
    for one, other in combinations(boxes, 2):
        assert one[2] < other[0] or other[2] < one[0] or one[3] < other[1] or other[3] < one[1]
    assert all(left >= 0 and top >= 0 for left, top, _, _ in boxes)
    assert all(right <= found.width and bottom <= found.height for _, _, right, bottom in boxes)


@settings(deadline=None)
@given(graphs())
def test_the_same_graph_gives_the_same_picture(graph: Graph) -> None:
    assert layout(*graph) == layout(*graph)


def test_a_graph_without_nodes_is_empty() -> None:
    assert layout([], []).nodes == ()


def test_what_can_be_drawn_without_crossings_is() -> None:
    # Two trees whose leaves alternate in the order given.
    found = layout([50] * 6, [(0, 2), (1, 3), (0, 4), (1, 5)])
    heights = {node: y for node, (_, y) in enumerate(found.nodes)}
    assert (heights[0] < heights[1]) == (max(heights[2], heights[4]) < min(heights[3], heights[5]))
    assert (heights[0] < heights[1]) == (heights[2] < heights[3])


def test_a_chain_is_drawn_level() -> None:
    found = layout([50] * 5, [(0, 1), (1, 2), (2, 3), (3, 4)])
    assert {y for _, y in found.nodes} == {0}


def test_an_edge_does_not_lead_through_a_node_that_it_passes() -> None:
    found = layout([50] * 3, [(0, 1), (1, 2), (0, 2)])
    [_, top] = found.nodes[1]
    assert not any(top <= y <= top + HEIGHT for _, y in found.edges[2][1:-1])
