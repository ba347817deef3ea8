"""Collects the keys of the rows that changes of inputs can reach."""

from collections.abc import Mapping
from dataclasses import dataclass

from genredb.runner.execution.changes import Change
from genredb.runner.execution.runtime import Runtime
from genredb.runner.flow.locality import ByKey
from genredb.runner.flow.ties import Lookup
from genredb.runner.templates.relation import Relation
from genredb.warehouse.database import quote


@dataclass(frozen=True)
class Keys:
    """The table of the keys, the columns of the input that it holds, and how many keys there are."""

    place: Relation
    columns: tuple[str, ...]
    count: int

    @property
    def own_names(self) -> dict[str, str]:
        """The names of the columns, as the input has them."""
        return {column: column for column in self.columns}

    def rows(self, relation: Relation, names: Mapping[str, str], shown: str = "part.*") -> str:
        """Return the query for the rows that have one of the keys; ``names`` maps columns to the keys'.

        Of a table, to find few rows' ``rowid`` is faster: the other columns of no other row are read.
        """
        pairs = [(own, column) for own, column in names.items() if column in self.columns]
        same = sorted(f"part.{quote(own)} is not distinct from key.{quote(column)}" for own, column in pairs)
        return f"select {shown} from {relation} as part semi join {self.place} as key on {' and '.join(same)}"


def rows_with(runtime: Runtime, fact: Relation, keys: Keys) -> str:
    """Return the query for the rows of an input with one of the keys; if few have, they are found once."""
    changes, change = runtime.changes, runtime.changes.of(fact)
    has_few = change is not None and 2 * keys.count >= change.rows and changes.rows(fact) is not None
    if not has_few:
        return keys.rows(fact, keys.own_names)
    if keys.place not in changes.found_rows:
        changes.found_rows[keys.place] = place = changes.row_ids(len(changes.found_rows))
        found = keys.rows(fact, keys.own_names, "part.rowid as row_id")
        runtime.executor.run(f"create or replace table {place} as {found}")
    return f"select * from {fact} where rowid in (select row_id from {changes.found_rows[keys.place]})"


def collected_keys(runtime: Runtime, locality: ByKey, relations: Mapping[str, Relation]) -> Keys:
    """Collect the keys of all rows that changed, or that a change of another relation can reach."""
    changes, fact = runtime.changes, relations[locality.input]
    change = changes.of(fact)
    columns = _telling(runtime, change, tuple(sorted(set(locality.key.values()))))
    key = ", ".join(map(quote, columns))
    parts = [f"select {key} from {place}" for place in (change.places if change else ())]
    for lookup in locality.lookups:
        other = changes.of(relations[lookup.found.relation])
        reached = _reached(runtime, other, lookup, locality.used.get(lookup.found.relation)) if other else ""
        if reached:
            parts.append(f"select {key} from {fact} as part semi join {reached}")
    parts = parts or [f"select {key} from {fact} limit 0"]
    sql = f"select distinct {key} from ({' union all '.join(parts)})"
    if sql not in changes.collected:
        place = changes.keys(len(changes.collected))
        runtime.executor.run(f"create or replace table {place} as {sql}")
        _, rows = runtime.executor.query(f"select count(*) from {place}")
        changes.collected[sql] = place, rows[0][0]
    place, count = changes.collected[sql]
    return Keys(place, columns, count)


def _telling(runtime: Runtime, change: Change | None, columns: tuple[str, ...]) -> tuple[str, ...]:
    """Return the one column that tells most changed rows apart, if any does: to compare it is fast."""
    if change is None or len(columns) < 2:
        return columns
    counts = ", ".join(f"approx_count_distinct({quote(column)})" for column in columns)
    rows = " union all ".join(f"from {place}" for place in change.places)
    most, column = max(zip(_counted(runtime, f"select {counts} from ({rows})"), columns, strict=True))
    return (column,) if 2 * most >= change.rows else columns


def _counted(runtime: Runtime, sql: str) -> tuple[int, ...]:
    """Return what a query of changed rows counts; many nodes ask the same."""
    counts = runtime.changes.counts
    if sql not in counts:
        _, found = runtime.executor.query(sql)
        counts[sql] = found[0]
    return counts[sql]


def _reached(runtime: Runtime, other: Change, lookup: Lookup, used: frozenset[str] | None) -> str:
    """Return the rows that changed in ``used`` columns, if any, and the condition that they reach a part."""
    columns = ", ".join(map(quote, sorted(used | {lookup.found.column}))) if used else "*"
    added, removed = (f"select {columns} from {place}" for place in other.places)
    rows = f"({added} except all {removed}) union all ({removed} except all {added})"
    if not any(_counted(runtime, f"select count(*) from ({rows})")):
        return ""
    found, asking = quote(lookup.found.column), quote(lookup.asking.column)
    return f"({rows}) as reached on part.{asking} is not distinct from reached.{found}"
