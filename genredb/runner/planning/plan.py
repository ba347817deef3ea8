"""The plan of a build, as values."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from genredb.runner.graph.compiler import Compilation
from genredb.runner.graph.identity import Identity
from genredb.runner.graph.nodes import Check, Model, Node, Source
from genredb.runner.planning.drops import LargeDrop
from genredb.runner.planning.inputs import RawFiles
from genredb.runner.planning.updates import Updates
from genredb.runner.reasons import Cause, Reason


@dataclass(frozen=True)
class Touched:
    """The columns of a relation whose values may change, and whether its set of rows may change."""

    columns: tuple[str, ...]
    has_other_rows: bool
    is_everything: bool


@dataclass(frozen=True)
class Plan:
    """The plan of a build: which nodes run and why, which files are loaded, which relations are dropped.

    ``identities`` maps every node to its current identity, ``reasons`` the nodes that run, in order, to the
    reason. ``files`` are the raw files, ``stale_files`` those to load. ``is_whole`` means that the selection
    omits nothing that should run. ``loaded`` are the unique ids of the sources that genredb loads. ``proof``
    is a digest of what the leak guard must prove, and ``is_proved`` means that it already did. ``touched``
    maps unique ids to the columns that a build would change, if requested. ``large_drop`` are drops
    that the user may not have intended, if any. ``is_confirmed`` means that the file is recorded as whole,
    with these settings and hooks; otherwise a build must record that even if no node runs. ``updates`` says
    which nodes run for changed rows alone. ``own_tables``
    (``schema.name``) are written by genredb itself, outside the graph.
    """

    compilation: Compilation
    identities: Mapping[str, Identity]
    reasons: Mapping[str, Reason]
    files: tuple[RawFiles, ...] = ()
    stale_files: tuple[RawFiles, ...] = ()
    removed: tuple[str, ...] = ()
    is_whole: bool = True
    loaded: frozenset[str] = frozenset()
    proof: str = ""
    is_proved: bool = True
    touched: Mapping[str, Touched] = field(default_factory=dict)
    large_drop: LargeDrop | None = None
    is_confirmed: bool = False
    updates: Updates = field(default_factory=Updates)
    own_tables: frozenset[str] = frozenset()

    def volatile(self, node: Node) -> Reason | None:
        """Return why a node may change although the project does not, or None if it may not."""
        if isinstance(node, Model | Check) and node.dynamic:
            return Reason(Cause.CALLS, node.dynamic)
        if not isinstance(node, Source) or node.relation.qualified_name.lower() in self.own_tables:
            return None
        if node.depends_on or node.unique_id in self.loaded:
            return None
        if node.relation.is_attached:  # the file's digest tells
            return None
        if node.relation.expression:
            return Reason(Cause.READS, node.relation.expression)
        return Reason(Cause.NOT_LOADED, node.relation.qualified_name)

    @property
    def made(self) -> list[str]:
        """The relations (``schema.name``) that are rebuilt or reloaded."""
        nodes = (self.compilation.nodes[unique_id] for unique_id in self.reasons)
        built = [relation.qualified_name for node in nodes if (relation := node.built_relation)]
        return built + [raw.source.qualified_name for raw in self.stale_files]

    @property
    def replaced(self) -> list[str]:
        """Those whose rows of earlier builds are not kept."""
        nodes = (self.compilation.nodes[unique_id] for unique_id in self.reasons)
        kept = {node.relation.qualified_name for node in nodes if isinstance(node, Model) and node.keeps_rows}
        return [name for name in self.made if name not in kept]

    @property
    def is_empty(self) -> bool:
        """True if there is nothing to do."""
        return not (self.reasons or self.stale_files or self.removed)
