"""Which of genredb's own tables nodes read, such as ml.predictions, and what they hold.

They are written by other commands than a build, and by the build itself when predictions are stale.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from genredb.runner.graph.compiler import Compilation
from genredb.runner.graph.identity import Identity
from genredb.runner.graph.nodes import Check, Model, Node, Source
from genredb.runner.problems import Problems
from genredb.runner.project.reserved import reserved
from genredb.warehouse.connection import Connection
from genredb.warehouse.declared import SourceSpec
from genredb.warehouse.tables import OwnTable


def refuse_replacing(
    tables: Iterable[OwnTable], sources: Iterable[SourceSpec], nodes: Iterable[Node] = ()
) -> None:
    """Raise ProjectErrors for loaded sources and nodes whose relations have the names of these tables.

    Those that every database holds were refused when the relations got their names.
    """
    own = {table.name for table in tables}
    made = [(source.qualified_name, source.path) for source in sources]
    made += [(node.built_relation.qualified_name, node.path) for node in nodes if node.built_relation]
    problems = Problems()
    for name, path in made:
        if name.lower() in own:
            problems.add(reserved(name, path))
    problems.raise_all()


def readers_of(compilation: Compilation, tables: Collection[str]) -> list[str]:
    """Return the unique ids of what is downstream of these tables (``schema.name``), upstream first."""
    found: dict[str, None] = {}
    for node in compilation.nodes.values():
        is_read = isinstance(node, Source) and node.relation.qualified_name.lower() in tables
        if is_read or any(i in found for i in node.depends_on):
            found[node.unique_id] = None
    return [i for i in found if not isinstance(compilation.nodes[i], Source)]


def with_own_tables(
    identities: Mapping[str, Identity],
    compilation: Compilation,
    tables: Iterable[OwnTable],
    connection: Connection | None,
) -> dict[str, Identity]:
    """Return the identities of all nodes, with what those that hold rows, and checks, read of these tables.

    They read a table also through views, which are up to date without being made again.
    """
    held = {table.name: table for table in tables}
    reads: dict[str, frozenset[str]] = {}
    for node in compilation.nodes.values():
        if isinstance(node, Source):
            reads[node.unique_id] = frozenset(held.keys() & {node.relation.qualified_name.lower()})
        else:
            upstream = (i for i in node.depends_on if _is_live(compilation, i))
            reads[node.unique_id] = frozenset().union(*(reads[i] for i in upstream))
    wanted = frozenset().union(*reads.values())
    digests = {name: held[name].digest(connection) if connection else "" for name in wanted}
    result = dict(identities)
    for unique_id, names in reads.items():
        node = compilation.nodes[unique_id]
        if names and (isinstance(node, Check) or (isinstance(node, Model) and node.materialized != "view")):
            stated = " ".join(f"{name}={digests[name]}" for name in sorted(names) if digests[name])
            result[unique_id] = replace(identities[unique_id], own_tables=stated)
    return result


def _is_live(compilation: Compilation, unique_id: str) -> bool:
    """Return True if a node's rows are those of what it reads now."""
    node = compilation.nodes[unique_id]
    return isinstance(node, Source) or node.materialized in ("view", "ephemeral")


def changed_table(before: Identity, now: Identity) -> str:
    """Return the name of one of genredb's own tables that has other rows than before; empty if none has."""
    held = [set(one.own_tables.split()) for one in (before, now)]
    return min((pair.partition("=")[0] for pair in held[0] ^ held[1]), default="")
