"""The frozen values of column lineage: what the columns and the rows of a query come from.

A column takes its *value* from other columns; it is *influenced* by those that decide which value it gets
or which rows there are: join keys, group keys, filters, orders. What decides a relation's rows is gathered
in a column of its own, :data:`ROWS`, so that a filter counts where an aggregate or a window sees it, and
can be told from a value everywhere else.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from genredb.compile.identity import digest

ROWS = "*"
Columns = frozenset["Origin"]
NOTHING: Columns = frozenset()


class How(StrEnum):
    """How a column goes into another one."""

    VALUE = "value"
    JOIN = "join key"
    GROUP = "group key"
    FILTER = "filter"
    DISTINCT = "distinct"
    ORDER = "order"
    SUBQUERY = "subquery"
    ROWS = "rows"
    CLASSIFIER = "classifier"


@dataclass(frozen=True, order=True)
class Origin:
    """A column (or the rows) of a relation, ``schema.name`` in lower case, and how it is used."""

    relation: str
    column: str
    how: How


@dataclass(frozen=True)
class Flow:
    """What one column, or the rows, of a query come from.

    ``definition`` is equal for two columns that are made in the same way of the same columns.
    """

    origins: Columns = NOTHING
    definition: str = ""

    def influenced(self, other: "Flow", how: How) -> "Flow":
        """Return the flow of a value that ``other`` decides upon."""
        return Flow(
            self.origins | as_influence(other.origins, how), digest(self.definition, other.definition)
        )


@dataclass(frozen=True)
class QueryFlow:
    """What a query's columns (by name in lower case, in order) and its rows come from.

    Any other name is a column, too, where ``every_name`` says what it comes from. ``unresolved`` says why
    the query could not be read.
    """

    columns: Mapping[str, Flow]
    rows: Flow = Flow()
    every_name: Flow | None = None
    unresolved: str = ""

    def column(self, name: str) -> Flow | None:
        """Return what a column comes from, or None where there is no such column."""
        return self.columns.get(name.lower(), self.every_name)

    def influenced(self, other: Flow, how: How) -> "QueryFlow":
        """Return the flow of columns whose values ``other`` decides upon."""
        columns = {name: flow.influenced(other, how) for name, flow in self.columns.items()}
        every_name = self.every_name.influenced(other, how) if self.every_name else None
        return replace(self, columns=columns, every_name=every_name)

    def renamed(self, names: Iterable[str]) -> "QueryFlow":
        """Return the flow under other names, as ``t(a, b)`` gives them to the first columns."""
        given = [name.lower() for name in names]
        if not given:
            return self
        kept = list(self.columns.items())
        values = [flow for _, flow in kept] or [self.every_name or Flow()] * len(given)
        rest = dict(kept[len(given) :])
        return replace(self, columns={**dict(zip(given, values, strict=False)), **rest})


def as_influence(origins: Columns, how: How) -> Columns:
    """Return the origins of a value as those of what it decides upon; an influence stays what it is."""
    return frozenset(replace(o, how=how) if o.how is How.VALUE else o for o in origins)


def ordered_as_filter(flow: Flow) -> Flow:
    """Return the flow of rows that a limit leaves: what only put them in order now decides upon them."""
    return Flow(
        frozenset(replace(o, how=How.FILTER) if o.how is How.ORDER else o for o in flow.origins),
        flow.definition,
    )


def together(flows: Iterable[Flow]) -> Flow:
    """Return the flow of what is made of all of these."""
    found = list(flows)
    if len(found) == 1:
        return found[0]
    return Flow(NOTHING.union(*(f.origins for f in found)), digest(*(f.definition for f in found)))


class UnresolvedError(Exception):
    """A query whose columns cannot be told; the message says why."""
