"""The build state stored in the database file: what was built from what (schema meta)."""

import json
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, astuple, dataclass, field
from typing import TYPE_CHECKING

from genredb.runner.graph.identity import Identity
from genredb.runner.planning.built_with import BuiltWith, read_built_with, write_built_with
from genredb.runner.planning.inputs import LoadedSource
from genredb.runner.planning.loads import read_loads
from genredb.runner.reasons import Cause, Reason
from genredb.runner.results import Proof, ProvedView
from genredb.version import LAYOUT
from genredb.warehouse.connection import Connection
from genredb.warehouse.database import insert_rows, relation_marks
from genredb.warehouse.tables import has_current_layout, refuse_to_replace

if TYPE_CHECKING:
    pass


@dataclass(frozen=True)
class NodeState:
    """What a node was last built from. ``volatile`` says why it runs each time, if it does.

    ``relation`` is the relation it created (``schema.name``), or empty.
    """

    fingerprint: str
    identity: Identity
    relation: str = ""
    volatile: Reason | None = None
    has_warned: bool = False
    materialized: str = ""


@dataclass(frozen=True)
class State:
    """What the published file was built from.

    ``is_whole`` means that every node is as the project wanted it. ``proof`` is the digest of the leak
    guard's last proof, ``proved`` what it proved. ``loads`` maps a source to what was loaded of it,
    ``nodes`` a node to what it was built from; ``marks`` maps each existing relation to its mark. ``base``
    identifies the published file that a failed build started from (see :class:`Publication`). ``is_ledger``
    means that the relations are not in the same database.
    """

    is_whole: bool = False
    base: str = ""
    proof: str = ""
    proved: Proof | None = None
    loads: Mapping[str, LoadedSource] = field(default_factory=dict)
    nodes: Mapping[str, NodeState] = field(default_factory=dict)
    marks: Mapping[str, str] = field(default_factory=dict)
    built_with: BuiltWith = field(default_factory=BuiltWith)
    is_ledger: bool = False

    @property
    def warnings(self) -> int:
        """The number of checks that warned when they last ran."""
        return sum(node.has_warned for node in self.nodes.values())

    @property
    def identities(self) -> dict[str, Identity]:
        """The identity of each node."""
        return {unique_id: node.identity for unique_id, node in self.nodes.items()}

    def is_intact(self, unique_id: str) -> bool:
        """Return True if a node's relation exists unchanged since genredb created it."""
        node = self.nodes[unique_id]
        return not node.relation or self.is_marked(node.relation, node.fingerprint)

    def is_marked(self, relation: str, digest: str) -> bool:
        """Return True if genredb created the existing relation for this digest, and nobody replaced it."""
        return self.marks.get(relation) == mark_of(digest)

    def refuse_foreign(self, relations: Iterable[str]) -> None:
        """Raise UsageError if one of these relations (``schema.name``) exists but is not genredb's.

        A relation that genredb created and another program rebuilt is still genredb's.
        """
        own = {name.lower() for name in (*self.loads, *(node.relation for node in self.nodes.values()))}
        others = {
            name.lower(): name
            for name, comment in self.marks.items()
            if not _MARKED.fullmatch(comment) and name.lower() not in own
        }
        found = sorted({others[name.lower()] for name in relations if name.lower() in others})
        if found:
            refuse_to_replace(found)


_MARK = "genredb "
_MARKED = re.compile(rf"{_MARK}[0-9a-f]{{16}}")  # a comment of somebody else may begin with the same word


def mark_of(digest: str) -> str:
    """Return the comment that marks a relation created for this digest."""
    return f"{_MARK}{digest[:16]}"


def read_state(connection: Connection | None, marks: Mapping[str, str] | None = None) -> State:
    """Read the state of a database; it has only marks if genredb did not build it.

    ``marks`` are those of the relations if they are not in the same database. For a database built by another
    version the state also has the settings: its raw folder is still known.
    """
    if connection is None:
        return State(marks=marks or {})
    is_ledger = marks is not None
    if marks is None:
        marks = relation_marks(connection)
    if not has_current_layout(connection):
        return State(marks=marks, built_with=read_built_with(connection))
    values: dict[str, str] = dict(connection.rows("select key, value from meta.state"))
    nodes = connection.rows(
        "select unique_id, fingerprint, sql, sql_id, rest, own_tables, relation, volatile_cause,"
        " volatile_subject, has_warned, materialized from meta.fingerprints",
    )
    return State(
        is_whole=values.get("is_whole") == "true",
        base=values.get("base", ""),
        proof=values.get("proof", ""),
        proved=_proof_of(values.get("proved", "")),
        loads=read_loads(connection),
        nodes={
            unique_id: NodeState(
                fingerprint,
                Identity(*identity),
                relation,
                Reason(Cause(cause), subject) if cause else None,
                has_warned,
                materialized,
            )
            for unique_id, fingerprint, *identity, relation, cause, subject, has_warned, materialized in nodes
        },
        marks=marks,
        built_with=read_built_with(connection),
        is_ledger=is_ledger,
    )


def read_proof(connection: Connection) -> Proof | None:
    """Return what the leak guard proved of the database; None if it proved nothing, or did not record it."""
    values: dict[str, str] = dict(
        connection.rows("select key, value from meta.state where key in ('proof', 'proved')")
    )
    return _proof_of(values.get("proved", "")) if values.get("proof") else None


def _proof_of(stored: str) -> Proof | None:
    if not stored:
        return None
    found = json.loads(stored)
    views = (ProvedView(**view | {"features": tuple(view["features"])}) for view in found["views"])
    return Proof(tuple(views), tuple(found["labels"]), found["run_id"])


def write_state(connection: Connection, state: State) -> None:
    """Replace the stored state of inputs and nodes; loads are recorded separately."""
    values = {
        "layout": LAYOUT,
        "is_whole": json.dumps(state.is_whole),
        "base": state.base,
        "proof": state.proof,
        "proved": json.dumps(asdict(state.proved)) if state.proved else "",
    }
    connection.execute("delete from meta.state")
    insert_rows(connection, "meta.state", list(values.items()))
    write_built_with(connection, state.built_with)
    connection.execute("delete from meta.fingerprints")
    insert_rows(
        connection,
        "meta.fingerprints",
        [
            (
                unique_id,
                n.fingerprint,
                *astuple(n.identity),
                n.relation,
                n.volatile.cause.value if n.volatile else "",
                n.volatile.subject if n.volatile else "",
                n.has_warned,
                n.materialized,
            )
            for unique_id, n in state.nodes.items()
        ],
    )


def mark_unconfirmed(connection: Connection) -> None:
    """Make the next build confirm every node, since the raw tables no longer match what was built."""
    connection.execute("update meta.state set value = 'false' where key = 'is_whole'")


def forget_nodes(connection: Connection, names: Collection[str]) -> None:
    """Make the next build run the nodes whose relations have these names, in lower case, without schemas."""
    made = connection.rows("select unique_id, relation from meta.fingerprints where relation <> ''")
    for unique_id, relation in made:
        if relation.rpartition(".")[2].lower() in names:
            connection.execute(
                "update meta.fingerprints set fingerprint = '' where unique_id = ?", [unique_id]
            )


def is_built_from_loads(connection: Connection) -> bool:
    """Return True if the models were built from the current contents of the raw tables."""
    rows = connection.rows("select value from meta.state where key = 'is_whole'")
    return rows == [("true",)]
