"""The memory of the database file: what was built from what (schema meta)."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from genredb.build.built_with import BuiltWith, read_built_with, write_built_with
from genredb.compile.identity import Identity
from genredb.warehouse.database import (
    Connection,
    fetch_all,
    insert_rows,
    quote,
    relation_exists,
    relation_marks,
)
from genredb.warehouse.tables import LAYOUT, has_current_layout, refuse_to_replace

if TYPE_CHECKING:
    from genredb.warehouse.load import Load


@dataclass(frozen=True)
class NodeState:
    """What a node was last built from. ``restless`` says why it runs each time, or is empty.

    ``relation`` is the one there should be (``schema.name``), or empty.
    """

    fingerprint: str
    identity: Identity
    relation: str = ""
    restless: str = ""
    has_warned: bool = False
    materialized: str = ""


@dataclass(frozen=True)
class State:
    """What the published file was built from.

    ``is_whole`` says that every node is as the project wanted it. ``proof`` digests what the leak guard last
    proved. ``loads`` maps a source to the digest of its load, ``nodes`` a node to what it was built from;
    ``marks`` maps each relation there is to the mark it was given. ``base`` is the published file that a
    failed build went from, as :class:`Publication` tells it from others.
    """

    is_whole: bool = False
    base: str = ""
    proof: str = ""
    loads: Mapping[str, str] = field(default_factory=dict)
    nodes: Mapping[str, NodeState] = field(default_factory=dict)
    marks: Mapping[str, str] = field(default_factory=dict)
    built_with: BuiltWith = field(default_factory=BuiltWith)

    @property
    def warnings(self) -> int:
        """How many checks warned when they last ran."""
        return sum(node.has_warned for node in self.nodes.values())

    @property
    def identities(self) -> dict[str, Identity]:
        """Each node's own part of its fingerprint."""
        return {unique_id: node.identity for unique_id, node in self.nodes.items()}

    def is_intact(self, unique_id: str) -> bool:
        """Whether the relation of a node is there as genredb made it."""
        node = self.nodes[unique_id]
        return not node.relation or self.is_marked(node.relation, node.fingerprint)

    def is_marked(self, relation: str, digest: str) -> bool:
        """Whether the relation there is was made by genredb for this digest, and by nobody else since."""
        return self.marks.get(relation) == mark_of(digest)

    def refuse_foreign(self, relations: Iterable[str]) -> None:
        """Raise UsageError where one of the relations to make (``schema.name``) is there and not genredb's.

        One that genredb made and another program made anew since is genredb's.
        """
        own = {name.lower() for name in (*self.loads, *(node.relation for node in self.nodes.values()))}
        others = {
            name.lower(): name
            for name, comment in self.marks.items()
            if not comment.startswith(_MARK) and name.lower() not in own
        }
        found = sorted({others[name.lower()] for name in relations if name.lower() in others})
        if found:
            refuse_to_replace(found)


_MARK = "genredb "


def mark_of(digest: str) -> str:
    """Return the comment that a relation carries which was made for this digest."""
    return f"{_MARK}{digest[:16]}"


def read_state(connection: Connection | None) -> State:
    """Read the state of a database; it knows nothing but marks where genredb has built nothing in it.

    Of what another version built, it knows the settings: from whose songs is no less true for that.
    """
    if connection is None:
        return State()
    if not has_current_layout(connection):
        return State(marks=relation_marks(connection), built_with=read_built_with(connection))
    values = dict(fetch_all(connection, "select key, value from meta.state"))
    loads = fetch_all(connection, "select source, digest from meta.loads")
    nodes = fetch_all(
        connection,
        "select unique_id, fingerprint, sql, sql_id, rest, relation, restless, has_warned, materialized"
        " from meta.fingerprints",
    )
    return State(
        is_whole=values.get("is_whole") == "true",
        base=values.get("base", ""),
        proof=values.get("proof", ""),
        loads=dict(loads),
        nodes={
            unique_id: NodeState(fingerprint, Identity(sql, sql_id, rest), *others)
            for unique_id, fingerprint, sql, sql_id, rest, *others in nodes
        },
        marks=relation_marks(connection),
        built_with=read_built_with(connection),
    )


def write_state(connection: Connection, state: State) -> None:
    """Replace what the file remembers of its inputs and nodes; the loads are written one by one."""
    values = {
        "layout": LAYOUT,
        "is_whole": json.dumps(state.is_whole),
        "base": state.base,
        "proof": state.proof,
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
                n.restless,
                n.has_warned,
                n.materialized,
            )
            for unique_id, n in state.nodes.items()
        ],
    )


def forget_whole(connection: Connection) -> None:
    """Let the next build confirm every node: what it was built from is no longer what is loaded."""
    connection.execute("update meta.state set value = 'false' where key = 'is_whole'")


def drop_relation(connection: Connection, relation: str) -> None:
    """Drop a table or view (``schema.name``) that left the project, with what was remembered of its load."""
    schema, _, name = relation.partition(".")
    kind = relation_exists(connection, schema, name)
    if kind:
        connection.execute(f"drop {kind} {quote(schema)}.{quote(name)}")
    connection.execute("delete from meta.loads where source = ?", [relation])
    if relation_exists(connection, "raw", "quarantine"):
        connection.execute("delete from raw.quarantine where source = ?", [relation])


def mark(connection: Connection, relation: str, kind: str, digest: str) -> None:
    """Mark a relation (quoted) as made by genredb for this digest; whoever makes it anew loses the mark."""
    connection.execute(f"comment on {kind} {relation} is '{mark_of(digest)}'")


def record_loads(connection: Connection, source: str, loads: "Iterable[Load]", digest: str) -> None:
    """Remember the loads of a source in meta.loads, one row per file, in place of its last ones.

    A source without a file has a row that names none.
    """
    schema, _, name = source.partition(".")
    mark(connection, f"{quote(schema)}.{quote(name)}", "table", digest)
    connection.execute("delete from meta.loads where source = ?", [source])
    now = datetime.now(UTC)
    rows = [
        (
            source,
            load.file.name,
            load.sha256,
            digest,
            load.size,
            load.records,
            load.loaded,
            load.quarantined,
            load.repaired,
            list(load.ignored_columns),
            now,
        )
        for load in loads
    ]
    nothing: tuple[Any, ...] = (source, None, None, digest, 0, 0, 0, 0, 0, [], now)
    insert_rows(connection, "meta.loads", rows or [nothing])


def is_built_from_loads(connection: Connection) -> bool:
    """Whether the models were built from what the raw tables hold now."""
    rows = fetch_all(connection, "select value from meta.state where key = 'is_whole'")
    return rows == [("true",)]
