"""The page "Lineage", the whole graph, and a page for each node."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from genredb.look.site.column_flow import LEARNED, ColumnFlow, NodeColumn, coded, read_column_flow
from genredb.look.site.dag import Dag, PageNode, addresses, read_dag
from genredb.look.site.drawing import Picture, draw
from genredb.look.site.node_facts import Facts
from genredb.songs.tables import ML_TABLES

if TYPE_CHECKING:
    from genredb.look.site.frame import File, Site

SECTION, WHOLE = "lineage.html", "lineage-graph.html"
_MOST_DRAWN = 60  # nodes on a page that shows more than the graph
_STEPS = 2


@dataclass(frozen=True)
class _Lineage:
    """What the pages of this section share. ``whole`` is the page with the graph of all nodes."""

    dag: Dag
    flow: ColumnFlow
    facts: Facts
    addresses: dict[str, str]

    @property
    def whole(self) -> str:
        return SECTION if len(self.dag.nodes) <= _MOST_DRAWN else WHOLE

    def draw(self, shown: list[str], own: str = "") -> Picture:
        """Draw a part of the graph."""
        return draw(self.dag, shown, self.addresses, self.facts.failed, own)


def write(site: "Site") -> Iterator["File"]:
    """Yield the pages and their common data."""
    dag = read_dag(site.catalog)
    flow = read_column_flow(site.catalog.lineage, dag)
    shared = _Lineage(dag, flow, Facts(site.catalog, flow), addresses(site))
    yield site.script("data/columns.js", "columns", coded(flow, dag, shared.addresses))
    picture = shared.draw(list(dag.nodes))
    yield site.page(
        SECTION,
        "lineage.html",
        picture=picture if shared.whole == SECTION else None,
        folders=_folders(dag),
        **_common(shared),
    )
    if shared.whole == WHOLE:
        yield site.page(WHOLE, "lineage_graph.html", section=SECTION, picture=picture, **_common(shared))
    for node in dag.nodes.values():
        yield _node_page(site, shared, node)


def _node_page(site: "Site", shared: _Lineage, node: PageNode) -> "File":
    checks = shared.facts.checks(node)
    shown, left_out = _surroundings(shared.dag, node)
    return site.page(
        shared.addresses[node.unique_id],
        "node.html",
        section=SECTION,
        node=node,
        picture=shared.draw(shown, node.unique_id),
        left_out=left_out,
        columns=shared.facts.columns(node, checks),
        checks=checks,
        runs=shared.facts.runs(node),
        loads=shared.facts.loads(node) if node.kind in ("file", "source") else (),
        rows=shared.facts.rows(node),
        sql_texts=shared.facts.sql(node),
        unresolved=shared.flow.unresolved.get(node.unique_id, ""),
        learned_from=shared.flow.sources.get(NodeColumn(node.unique_id, LEARNED), ()),
        tables=ML_TABLES if node.kind == "python" else (),
        **_common(shared),
    )


def _surroundings(dag: Dag, node: PageNode) -> tuple[list[str], int]:
    """Return what is two steps from a node, or one if that is too much, and how many are left out."""
    near = dag.near(node.unique_id, _STEPS)
    if len(near) > _MOST_DRAWN:
        near = dag.near(node.unique_id, 1)
    others = [one for one in near if one != node.unique_id]
    kept = {node.unique_id, *others[: _MOST_DRAWN - 1]}
    return [one for one in near if one in kept], len(near) - len(kept)


def _folders(dag: Dag) -> list[tuple[str, list[PageNode]]]:
    """Return the nodes by folder, the folders in the order of their first node."""
    first: dict[str, int] = {}
    for place, node in enumerate(dag.nodes.values()):
        first.setdefault(node.folder, place)
    ordered = sorted(dag.nodes.values(), key=lambda node: first[node.folder])
    return [(folder, list(nodes)) for folder, nodes in groupby(ordered, key=lambda node: node.folder)]


def _common(shared: _Lineage) -> dict[str, Any]:
    return {
        "nodes": shared.dag.nodes,
        "places": shared.dag.places,
        "addresses": shared.addresses,
        "failed": shared.facts.failed,
        "whole": shared.whole,
    }
