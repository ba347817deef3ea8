"""Reads from a query's SQL which of its rows depend on changed rows of its inputs.

The answer is by row (a new row of an input makes new rows of the query and changes no other), by key (rows
with a key depend only on the input's rows with that key), or that a change may reach any row, and why.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar

from sqlglot.errors import SqlglotError

from genredb.runner.flow.hindrance import AnyRow, Hindrance, UnknownError
from genredb.runner.flow.tied_query import Known, Reader
from genredb.runner.flow.ties import Lookup, Part, settled
from genredb.runner.flow.used import used_columns


@dataclass(frozen=True)
class ByRow:
    """Each row of the ``changed`` relations makes rows of its own.

    So do the rows of ``others``, in other branches of a union.
    """

    changed: frozenset[str]
    others: frozenset[str] = frozenset()

    why: ClassVar[str] = ""

    @property
    def facts(self) -> frozenset[str]:
        """The changed relations whose rows make rows."""
        return self.changed

    @property
    def makers(self) -> frozenset[str]:
        """The relations whose rows make rows, changed or not."""
        return self.changed | self.others


@dataclass(frozen=True)
class ByKey:
    """The rows with a key depend only on the rows of ``input`` with that key.

    ``key`` maps columns of the query to those of the input. ``lookups`` say which rows of the input the other
    ``changed`` relations can reach, ``used`` which of their columns matter, if not all do.
    """

    changed: frozenset[str]
    input: str
    key: Mapping[str, str]
    lookups: tuple[Lookup, ...] = ()
    used: Mapping[str, frozenset[str]] = field(default_factory=dict)

    why: ClassVar[str] = ""

    @property
    def facts(self) -> frozenset[str]:
        """The relation whose rows make rows."""
        return frozenset((self.input,))

    @property
    def makers(self) -> frozenset[str]:
        """The same, whether it changed or not."""
        return self.facts


Locality = ByRow | ByKey | AnyRow


def locality(sql: str, changed: Collection[str], known: Known, *, is_check: bool) -> Locality:
    """Return which rows of a query depend on the rows of ``changed`` relations that change.

    Of a check, only which rows there are counts, of a model each column. Relations are ``schema.name`` in
    lower case.
    """
    try:
        reader = Reader(known)
        part = reader.text(sql, is_check=is_check)
    except UnknownError as unknown:
        return unknown.found
    except (SqlglotError, RecursionError, KeyError, IndexError, TypeError, ValueError, AttributeError):
        return AnyRow(Hindrance.SYNTAX)
    found = _locality(part if is_check else settled(part), frozenset(changed), reader.times)
    if isinstance(found, ByKey) and found.lookups:
        names = {lookup.found.relation for lookup in found.lookups}
        used = used_columns(sql, known)
        return replace(found, used={name: columns for name, columns in used.items() if name in names})
    return found


def _locality(part: Part, changed: frozenset[str], times: Counter[str]) -> Locality:
    """Decide; ``times`` says how often the query names each relation."""
    read = changed & part.reads
    looked_up = {lookup.found.relation for lookup in part.lookups}
    if any_row := sorted(read & part.opaque):
        return AnyRow(Hindrance.ANY_ROW, any_row[0])
    others = frozenset(driver for relation, driver in part.beside if relation in read) - read
    if read <= part.by_row - looked_up - part.mixed and all(times[other] == 1 for other in others):
        return ByRow(read, others)
    for fact in sorted(
        part.reads - part.opaque, key=lambda name: (name not in read, name in looked_up, name)
    ):
        key = {
            name: tie.column
            for name, tied in part.columns.items()
            for tie in sorted(tied.equal & tied.bound)
            if tie.relation == fact
        }
        lookups = [one for one in sorted(part.lookups) if one.found.relation in read - {fact}]
        found = tuple(one for one in lookups if one.asking.relation == fact)
        uses = {(one.found.relation, one.use) for one in found}
        is_each_found = {one.use for one in lookups} == {use for _, use in uses}
        # Each time that the query reads a changed relation, it must look it up.
        found_times = Counter(relation for relation, _ in uses)
        if key and is_each_found and all(found_times[one] == times[one] for one in read - {fact}):
            return ByKey(read, fact, key, found)
    return AnyRow(Hindrance.ANY_ROW, min(read, default=""))
