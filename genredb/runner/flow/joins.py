"""What a join does to the ties of columns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from genredb.runner.flow.ties import NO_TIES, NONE, UNTIED, Lookup, Part, Tied, Ties, settled

# A column of a relation before the join, by the relation's name, that equals one of the joined relation.
Pair = tuple[tuple[str, str], str]
_TIED_KINDS = ("inner", "left", "semi", "anti")


@dataclass(frozen=True)
class Join:
    """A relation to join under a ``name``. ``pairs`` are the columns that the condition says are equal.

    ``kind`` is inner, left, semi or anti; after any other nothing is tied. ``use`` numbers the join.
    """

    name: str
    right: Part
    kind: str
    pairs: Sequence[Pair]
    use: int


@dataclass(frozen=True)
class Joined:
    """The relations of a FROM clause so far: the columns of each by its name, and the part of their rows."""

    names: Mapping[str, Mapping[str, Tied]]
    part: Part

    def place(self, table: str, name: str) -> tuple[str, str] | None:
        """Return the name of the relation that a column belongs to, and its own; None if that is unclear."""
        tables = [table] if table else [one for one, columns in self.names.items() if name in columns]
        if len(tables) != 1 or name not in self.names.get(tables[0], {}):
            return None
        return tables[0], name


def started(name: str, part: Part) -> Joined:
    """Return the relations of a FROM clause with its first one."""
    return Joined({name: part.columns}, replace(part, columns={}))


def joined(left: Joined, join: Join) -> Joined:
    """Join a relation to those before it; all columns of the new one count as read."""
    join = replace(join, right=settled(join.right))
    if join.kind not in _TIED_KINDS:
        return _untied(left, join.name, join.right)
    names = {
        table: {column: _left_column(left, join, (table, column)) for column in columns}
        for table, columns in left.names.items()
    }
    if join.kind == "inner":
        names[join.name] = {column: _right_column(left, join, column) for column in join.right.columns}
    elif join.kind == "left":  # where nothing matches, its columns are NULL
        names[join.name] = dict.fromkeys(join.right.columns, UNTIED)
    return Joined(names, _part(left, join))


def _part(left: Joined, join: Join) -> Part:
    before, right = left.part, join.right
    lookups = frozenset(
        Lookup(join.use, tie, asking)
        for (table, column), other in join.pairs
        for tie in right.columns[other].bound
        for asking in left.names[table][column].equal
    )
    found = {lookup.found.relation for lookup in lookups}
    return Part(
        {},
        before.reads | right.reads,
        before.by_row - right.reads,
        before.drivers,
        before.lookups | right.lookups | lookups,
        before.opaque | right.opaque | (right.reads - found),
        before.beside | right.beside,
        before.mixed | right.mixed,
    )


def _left_column(left: Joined, join: Join, place: tuple[str, str]) -> Tied:
    equals = [join.right.columns[other] for own, other in join.pairs if own == place]
    return _tied(left.names[place[0]][place[1]], equals, left.part, join.right)


def _right_column(left: Joined, join: Join, column: str) -> Tied:
    equals = [left.names[table][own] for (table, own), other in join.pairs if other == column]
    return _tied(join.right.columns[column], equals, join.right, left.part)


def _untied(left: Joined, name: str, right: Part) -> Joined:
    reads = left.part.reads | right.reads
    names: dict[str, Mapping[str, Tied]] = {
        table: {column: Tied(sees=tied.sees) for column, tied in columns.items()}
        for table, columns in left.names.items()
    }
    names[name] = dict.fromkeys(right.columns, UNTIED)
    return Joined(names, Part({}, reads, NONE, None, left.part.lookups | right.lookups, reads, mixed=reads))


def _tied(tied: Tied, equals: Sequence[Tied], own: Part, other: Part) -> Tied:
    """Return the ties of a column after a join in which ``equals`` of the other side equal it."""
    theirs: Ties = NO_TIES.union(*(equal.bound for equal in equals))
    kept = {tie for tie in tied.bound if tie.relation not in other.reads or tie in theirs}
    return replace(tied, bound=frozenset(kept | {tie for tie in theirs if tie.relation not in own.reads}))
