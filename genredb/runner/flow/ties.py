"""The algebra of locality: how each column of a query ties its rows to rows of the relations it reads.

A column is *bound* to a column ``c`` of a relation if the rows with a value there depend, of all that
relation's rows, only on those that have this value in ``c``. It is *equal* to ``c`` if it has that column's
values unchanged. The operations of SQL keep some of these ties and cut others.

The column of a window may change its value in any row of a partition, but as long as nothing reads it, it
changes nothing else; so its ties are cut only where it is used.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace


@dataclass(frozen=True, order=True)
class Tie:
    """A column of a relation (``schema.name``), both in lower case."""

    relation: str
    column: str


Ties = frozenset[Tie]
NO_TIES: Ties = frozenset()
NONE: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Tied:
    """The ties of one column. A window's column ``sees`` the rows with the same values of these ties."""

    equal: Ties = NO_TIES
    bound: Ties = NO_TIES
    sees: Ties | None = None


UNTIED = Tied()


@dataclass(frozen=True, order=True)
class Lookup:
    """A join in which rows of ``found``'s relation reach rows of ``asking``'s only where the two are equal.

    ``use`` numbers the join.
    """

    use: int
    found: Tie
    asking: Tie


@dataclass(frozen=True)
class Part:
    """The columns of a query, in order, with their ties, and how it reads relations.

    ``by_row`` are the relations of which each row makes rows of its own, whatever the other rows are.
    ``drivers`` are relations without whose rows there are none; None if there may be rows all the same.
    ``opaque`` are relations any of whose rows may change any row. ``beside`` holds pairs of a relation and a
    driver of another branch of a union, ``mixed`` the relations beside which a branch has no driver.
    """

    columns: Mapping[str, Tied]
    reads: frozenset[str] = NONE
    by_row: frozenset[str] = NONE
    drivers: frozenset[str] | None = None
    lookups: frozenset[Lookup] = frozenset()
    opaque: frozenset[str] = NONE
    beside: frozenset[tuple[str, str]] = field(default_factory=frozenset)
    mixed: frozenset[str] = NONE

    def renamed(self, names: Iterable[str]) -> "Part":
        """Return the part with its first columns renamed, as in ``t(a, b)``."""
        given = [name.lower() for name in names]
        kept = list(self.columns.items())
        first = dict(zip(given, (tied for _, tied in kept), strict=False))
        return replace(self, columns={**first, **dict(kept[len(given) :])})


def relation_part(relation: str, columns: Iterable[str]) -> Part:
    """Return the part of a relation read as it is."""
    ties = {column: frozenset((Tie(relation, column),)) for column in columns}
    one = frozenset((relation,))
    return Part({name: Tied(own, own) for name, own in ties.items()}, one, one, one)


def used(part: Part, columns: Iterable[Tied]) -> Part:
    """Return a part of which an expression reads these columns."""
    for sees in {tied.sees for tied in columns}:
        if sees is not None:
            part = restricted(part, sees) if sees else mingled(part)
    return part


def settled(part: Part) -> Part:
    """Return a part of which every column is read."""
    found = used(part, part.columns.values())
    return replace(found, columns={name: replace(tied, sees=None) for name, tied in found.columns.items()})


def hidden(part: Part, inside: Part) -> Part:
    """Return a part of which an expression reads ``inside`` by a subquery."""
    cut = inside.reads
    columns = {name: _without(tied, cut) for name, tied in part.columns.items()}
    return replace(
        part,
        columns=columns,
        reads=part.reads | cut,
        by_row=part.by_row - cut,
        opaque=part.opaque | inside.opaque | cut,
        lookups=part.lookups | inside.lookups,
    )


def grouped(part: Part, keys: Iterable[Tied]) -> Part:
    """Return a part whose rows are grouped by ``keys``: only they are tied."""
    kept = frozenset[Tie]().union(*(key.bound for key in keys))
    return replace(restricted(part, kept), by_row=NONE)


def restricted(part: Part, kept: Ties) -> Part:
    """Return a part whose rows depend on others with the same values of ``kept``."""
    columns = {name: replace(tied, bound=tied.bound & kept) for name, tied in part.columns.items()}
    return replace(part, columns=columns, by_row=NONE)


def mingled(part: Part) -> Part:
    """Return a part in which every row may depend on every other: no tie holds."""
    return replace(restricted(part, NO_TIES), opaque=part.opaque | part.reads)


def union(left: Part, right: Part, *, by_name: bool) -> Part:
    """Return the rows of both parts."""
    if not by_name:
        right = right.renamed(left.columns)
    names = dict.fromkeys([*left.columns, *right.columns])
    return Part(
        {name: _either(left, right, name) for name in names},
        left.reads | right.reads,
        (left.by_row - right.reads) | (right.by_row - left.reads) | (left.by_row & right.by_row),
        None if left.drivers is None or right.drivers is None else left.drivers | right.drivers,
        left.lookups | right.lookups,
        left.opaque | right.opaque,
        left.beside | right.beside | _beside(left, right) | _beside(right, left),
        left.mixed | right.mixed | _mixed(left, right) | _mixed(right, left),
    )


def _beside(one: Part, other: Part) -> frozenset[tuple[str, str]]:
    return frozenset((name, driver) for name in one.reads for driver in other.drivers or ())


def _mixed(one: Part, other: Part) -> frozenset[str]:
    return one.reads if other.drivers is None else NONE


def _either(left: Part, right: Part, name: str) -> Tied:
    one, other = left.columns.get(name, UNTIED), right.columns.get(name, UNTIED)
    bound = {tie for tie in one.bound if tie.relation not in right.reads or tie in other.bound}
    bound |= {tie for tie in other.bound if tie.relation not in left.reads}
    sees = None if one.sees is None and other.sees is None else NO_TIES
    return Tied(one.equal & other.equal, frozenset(bound), sees)


def _without(tied: Tied, relations: frozenset[str]) -> Tied:
    return replace(tied, bound=frozenset(tie for tie in tied.bound if tie.relation not in relations))
