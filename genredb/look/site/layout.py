"""Places the nodes of a directed acyclic graph from left to right: ranks, orders within ranks, heights.

The method of Sugiyama: an edge over several ranks is led through places that no node takes, the ranks are
ordered by the means of their neighbours so that few edges cross, and each node is put as near the mean
height of its neighbours as the order permits. The same graph always gives the same picture.
"""

from bisect import bisect_right, insort
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

HEIGHT = 36  # of a node
RANK_GAP, NODE_GAP = 30, 10
_BEND = 8  # the height that an edge takes where it passes a rank
_LONGEST = 10  # ranks; a longer edge is drawn behind the nodes, since leading it would cost too much
_SWEEPS, _SETTLINGS = 6, 3

Point = tuple[int, int]


@dataclass(frozen=True)
class Layout:
    """Where each node's left upper corner is, and the points that each edge passes, both in the order given.

    An edge has its two ends, and two points for each rank that it passes.
    """

    width: int
    height: int
    nodes: tuple[Point, ...]
    edges: tuple[tuple[Point, ...], ...]


def layout(widths: Sequence[int], edges: Sequence[tuple[int, int]]) -> Layout:
    """Place nodes of these widths; an edge names the places of its two nodes, and the graph has no cycle."""
    if not widths:
        return Layout(0, 0, (), ())
    ranks = _ranks(len(widths), edges)
    web = _Web(ranks, edges)
    web.order()
    middles = web.settle()
    wide = [0] * (max(ranks) + 1)
    for node, rank in enumerate(ranks):
        wide[rank] = max(wide[rank], widths[node])
    lefts = [0]
    for width in wide:
        lefts.append(lefts[-1] + width + RANK_GAP)
    routes = []
    for (source, target), chain in zip(edges, web.chains, strict=True):
        points = [(lefts[ranks[source]] + widths[source], middles[source])]
        for bend in chain:
            left = lefts[web.ranks[bend]]
            points += [(left, middles[bend]), (left + wide[web.ranks[bend]], middles[bend])]
        routes.append((*points, (lefts[ranks[target]], middles[target])))
    nodes = tuple((lefts[rank], middles[node] - HEIGHT // 2) for node, rank in enumerate(ranks))
    height = max(middles) + HEIGHT // 2
    return Layout(lefts[-1] - RANK_GAP, height, nodes, tuple(routes))


def _ranks(count: int, edges: Sequence[tuple[int, int]]) -> list[int]:
    """Return the rank of each node: one more than its parents', and roots next to their first child."""
    children: list[list[int]] = [[] for _ in range(count)]
    waits = [0] * count
    for source, target in edges:
        children[source].append(target)
        waits[target] += 1
    roots = [node for node in range(count) if not waits[node]]
    ranks = [0] * count
    ready = list(roots)
    for node in ready:  # which grows
        for child in children[node]:
            ranks[child] = max(ranks[child], ranks[node] + 1)
            waits[child] -= 1
            if not waits[child]:
                ready.append(child)
    for node in roots:
        ranks[node] = min((ranks[child] - 1 for child in children[node]), default=0)
    return ranks


class _Web:
    """Nodes and bends with their links to the neighbouring ranks; bends are numbered after the nodes."""

    def __init__(self, ranks: list[int], edges: Sequence[tuple[int, int]]) -> None:
        self.nodes = len(ranks)
        self.ranks = list(ranks)
        self.chains: list[list[int]] = []
        links: dict[tuple[int, int], None] = {}
        bends: dict[tuple[int, int], int] = {}  # those of a source are shared by its edges
        far = []
        for source, target in edges:
            chain: list[int] = []
            self.chains.append(chain)
            if ranks[target] - ranks[source] > _LONGEST:
                far.append((source, target))
                continue
            for rank in range(ranks[source] + 1, ranks[target]):
                bend = bends.setdefault((source, rank), len(self.ranks))
                if bend == len(self.ranks):
                    self.ranks.append(rank)
                chain.append(bend)
            links.update(dict.fromkeys(pairwise((source, *chain, target))))
        self.before: list[list[int]] = [[] for _ in self.ranks]
        self.after: list[list[int]] = [[] for _ in self.ranks]
        for one, other in links:
            self.before[other].append(one)
            self.after[one].append(other)
        self.far = far
        self.rows: list[list[int]] = [[] for _ in range(max(ranks) + 1)]

    def order(self) -> None:
        """Order the ranks so that few edges cross."""
        self._begin()
        best, fewest = [list(row) for row in self.rows], self._crossings()
        for sweep in range(_SWEEPS):
            if not fewest:
                break
            places = [0.0] * len(self.ranks)
            for row in self.rows:
                for place, one in enumerate(row):
                    places[one] = place
            near, rows = (self.after, self.rows[::-1]) if sweep % 2 else (self.before, self.rows)
            for row in rows:
                means = {one: _mean([places[other] for other in near[one]], places[one]) for one in row}
                row.sort(key=means.__getitem__)
                for place, one in enumerate(row):
                    places[one] = place
            crossings = self._crossings()
            if crossings < fewest:
                best, fewest = [list(row) for row in self.rows], crossings
        self.rows = best

    def settle(self) -> list[int]:
        """Return the height of the middle of each node and bend."""
        halves = [HEIGHT / 2] * self.nodes + [_BEND / 2] * (len(self.ranks) - self.nodes)
        middles = [0.0] * len(self.ranks)
        for row in self.rows:
            for place, one in enumerate(row):
                middles[one] = place * (HEIGHT + NODE_GAP)
        both = [[*self.before[one], *self.after[one]] for one in range(len(self.ranks))]
        for source, target in self.far:
            both[source].append(target)
            both[target].append(source)
        passes = [(self.before, self.rows), (self.after, self.rows[::-1])] * _SETTLINGS
        for near, rows in (*passes, (both, self.rows)):
            for row in rows:
                wanted = [_mean([middles[other] for other in near[one]], middles[one]) for one in row]
                for one, middle in zip(row, _spread(wanted, [halves[one] for one in row]), strict=True):
                    middles[one] = middle
        top = min(middles[one] - halves[one] for one in range(len(middles)))
        return [round(middle - top) for middle in middles]

    def _begin(self) -> None:
        """Order the ranks by a walk from each root, so that what belongs together is together."""
        seen = [False] * len(self.ranks)
        for root in range(self.nodes):
            waiting = [] if self.before[root] else [root]
            while waiting:
                one = waiting.pop()
                if not seen[one]:
                    seen[one] = True
                    self.rows[self.ranks[one]].append(one)
                    waiting += reversed(self.after[one])

    def _crossings(self) -> int:
        found = 0
        for row, following in pairwise(self.rows):
            places = {one: place for place, one in enumerate(following)}
            ends: list[int] = []
            for one in row:
                own = [places[other] for other in self.after[one]]
                found += sum(len(ends) - bisect_right(ends, end) for end in own)
                for end in own:
                    insort(ends, end)
        return found


def _mean(values: list[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


def _spread(wanted: list[float], halves: list[float]) -> list[float]:
    """Return the heights nearest to the wanted ones (by squares) that keep the order and do not overlap."""
    offsets = [0.0]
    for half, following in pairwise(halves):
        offsets.append(offsets[-1] + half + following + NODE_GAP)
    blocks: list[tuple[float, int]] = []  # sum and number of what is moved as one
    for want, offset in zip(wanted, offsets, strict=True):
        total, count = want - offset, 1
        while blocks and blocks[-1][0] * count >= total * blocks[-1][1]:
            more, members = blocks.pop()
            total, count = total + more, count + members
        blocks.append((total, count))
    shifts = [total / count for total, count in blocks for _ in range(count)]
    return [shift + offset for shift, offset in zip(shifts, offsets, strict=True)]
