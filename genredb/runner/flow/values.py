"""The frozen values of column lineage: where the columns and rows of a query come from.

A column takes its *value* from other columns; it is *influenced* by columns that determine which value it
gets or which rows exist: join keys, group keys, filters, orders. Influences on a relation's rows are
collected in a separate column, :data:`ROWS`, so that a filter counts where an aggregate or a window reads the
rows, and can be told apart from a value everywhere else.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum, auto

from genredb.runner.graph.identity import digest

ROWS = "*"
Columns = frozenset["Origin"]
NOTHING: Columns = frozenset()


class How(StrEnum):
    """How a column contributes to another one."""

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
    """The origins of one column, or of the rows, of a query.

    ``definition`` is equal for two columns computed in the same way from the same columns.
    """

    origins: Columns = NOTHING
    definition: str = ""

    def influenced(self, other: "Flow", how: How) -> "Flow":
        """Return the flow of a value that ``other`` influences."""
        return Flow(
            self.origins | as_influence(other.origins, how), digest(self.definition, other.definition)
        )


class Obstacle(StrEnum):
    """What keeps the columns of a query from being traced."""

    SYNTAX = auto()
    DEPTH = auto()
    FORM = auto()
    COLUMNS_OF = auto()
    UNKNOWN_NAME = auto()
    UNKNOWN_STAR = auto()
    READS_BY = auto()
    OTHER_DATABASE = auto()
    NO_NODE = auto()
    NO_COLUMNS = auto()
    NO_COLUMN = auto()
    CALLS = auto()
    HOOKS = auto()


# The message of each obstacle, with a placeholder for the subject if it has one.
_WORDS: Mapping[Obstacle, str] = {
    Obstacle.SYNTAX: "sqlglot cannot parse its SQL ({})",
    Obstacle.DEPTH: "its SQL is nested too deeply",
    Obstacle.FORM: "its SQL is of a form that is not traced ({})",
    Obstacle.COLUMNS_OF: "columns of {} are not traced",
    Obstacle.UNKNOWN_NAME: "{} cannot be resolved",
    Obstacle.UNKNOWN_STAR: "the columns of {} cannot be resolved",
    Obstacle.READS_BY: "it reads by {}()",
    Obstacle.OTHER_DATABASE: "it reads {}, which is in another database",
    Obstacle.NO_NODE: "it reads {}, which is not a relation of the project",
    Obstacle.NO_COLUMNS: "no file says which columns {} has",
    Obstacle.NO_COLUMN: "it has no column {}",
    Obstacle.CALLS: "it calls {}",
    Obstacle.HOOKS: "hooks may change it",
}


@dataclass(frozen=True)
class Unresolved:
    """Why columns cannot be traced: the obstacle, and its subject if it has one."""

    obstacle: Obstacle
    subject: str = ""

    def __str__(self) -> str:
        return _WORDS[self.obstacle].format(self.subject)


@dataclass(frozen=True)
class QueryFlow:
    """The origins of a query's columns (by name in lower case, in order) and of its rows.

    If ``every_name`` is set, any other name is a column with that flow. ``unresolved`` says why the query
    could not be analyzed.
    """

    columns: Mapping[str, Flow]
    rows: Flow = Flow()
    every_name: Flow | None = None
    unresolved: Unresolved | None = None

    def column(self, name: str) -> Flow | None:
        """Return the flow of a column, or None if there is no such column."""
        return self.columns.get(name.lower(), self.every_name)

    def influenced(self, other: Flow, how: How) -> "QueryFlow":
        """Return the flow with ``other`` as an influence on all columns."""
        columns = {name: flow.influenced(other, how) for name, flow in self.columns.items()}
        every_name = self.every_name.influenced(other, how) if self.every_name else None
        return replace(self, columns=columns, every_name=every_name)

    def renamed(self, names: Iterable[str]) -> "QueryFlow":
        """Return the flow with the first columns renamed, as in ``t(a, b)``."""
        given = [name.lower() for name in names]
        if not given:
            return self
        kept = list(self.columns.items())
        values = [flow for _, flow in kept] or [self.every_name or Flow()] * len(given)
        rest = dict(kept[len(given) :])
        return replace(self, columns={**dict(zip(given, values, strict=False)), **rest})


def own_columns(relation: str, columns: Iterable[str]) -> QueryFlow:
    """Return the flow of a relation whose columns come from nowhere else."""
    found = {
        column: Flow(frozenset((Origin(relation, column, How.VALUE),)), f"{relation}.{column}")
        for column in columns
    }
    return QueryFlow(found, Flow(frozenset((Origin(relation, ROWS, How.ROWS),)), relation))


def as_influence(origins: Columns, how: How) -> Columns:
    """Return the origins with values turned into influences; existing influences do not change."""
    return frozenset(replace(o, how=how) if o.how is How.VALUE else o for o in origins)


def ordered_as_filter(flow: Flow) -> Flow:
    """Return the flow of the rows that a limit keeps: their order now acts as a filter."""
    return Flow(
        frozenset(replace(o, how=How.FILTER) if o.how is How.ORDER else o for o in flow.origins),
        flow.definition,
    )


def together(flows: Iterable[Flow]) -> Flow:
    """Return the combined flow of all of these."""
    found = list(flows)
    if len(found) == 1:
        return found[0]
    return Flow(NOTHING.union(*(f.origins for f in found)), digest(*(f.definition for f in found)))


class UnresolvedError(Exception):
    """The columns of a query cannot be determined; ``unresolved`` says why."""

    def __init__(self, obstacle: Obstacle, subject: str = "") -> None:
        self.unresolved = Unresolved(obstacle, subject)
        super().__init__(str(self.unresolved))


def merged(one: QueryFlow, other: QueryFlow) -> QueryFlow:
    """Return the flow of a relation that either query may have filled."""
    columns = {
        name: Flow(flow.origins | other.columns.get(name, Flow()).origins, flow.definition)
        for name, flow in one.columns.items()
    }
    rows = Flow(one.rows.origins | other.rows.origins, one.rows.definition)
    return replace(one, columns=columns, rows=rows)
