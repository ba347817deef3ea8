"""What is derived from random queries holds: the changed rows that it names give the rows of the whole query.

``GENREDB_QUERIES`` says how many are tried.
"""

import os
import random
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass

import duckdb
import pytest

from genredb.runner.flow.locality import ByKey, ByRow, locality
from genredb.runner.flow.tied_query import Known
from tests.random_queries import RELATIONS, Writer, in_sql

QUERIES = int(os.environ.get("GENREDB_QUERIES", "1500"))
KNOWN = Known({name: in_sql(name) for name in RELATIONS}, RELATIONS)
PLACES = ("before", "after", "added", "none", "part")
ROWS, OLD_ROWS = 9, 6
Rows = Counter[tuple[str | None, ...]]


@dataclass(frozen=True)
class Tables:
    """The relations before rows were added, after it, the rows added, and none."""

    connection: duckdb.DuckDBPyConnection

    def fill(self, seed: int, changed: Collection[str]) -> None:
        """Make random rows, of which some were added to the ``changed`` relations."""
        rng = random.Random(seed)
        for relation, columns in RELATIONS.items():
            rows = [
                [
                    str(place) if name == "id" else rng.choice(["a", "b", "x", "1", "2", None])
                    for name in columns
                ]
                for place in range(1, ROWS + 1)
            ]
            old = OLD_ROWS if relation in changed else ROWS
            none: list[list[str | None]] = []
            parts = (rows[:old], rows, rows[old:], none, none)
            for place, part in zip(PLACES, parts, strict=True):
                name = stored(relation, place)
                types = ", ".join(f"{column} varchar" for column in columns)
                self.connection.execute(f"create or replace table {name} ({types})")
                if part:
                    marks = ", ".join("?" * len(columns))
                    self.connection.executemany(f"insert into {name} values ({marks})", part)

    def rows(self, sql: str, places: Mapping[str, str]) -> Rows:
        """Return the rows of a query over the relations in these places, by default those after."""
        for relation in RELATIONS:
            sql = sql.replace(in_sql(relation), stored(relation, places.get(relation, "after")))
        return Counter(self.connection.execute(sql).fetchall())


def stored(relation: str, place: str) -> str:
    return in_sql(relation).replace("db", place, 1)


@pytest.fixture
def tables() -> Iterator[Tables]:
    with closing(duckdb.connect()) as connection:
        connection.execute("set threads = 1")
        for place in PLACES:
            connection.execute(f"attach ':memory:' as \"{place}\"")
        yield Tables(connection)


def test_changed_rows_give_the_rows_of_the_whole_query(tables: Tables) -> None:
    kinds: Counter[str] = Counter()
    for seed in range(QUERIES):
        changed = random.Random(seed).choice([["main.sales"], ["main.sales"], ["main.shops"], [*RELATIONS]])
        sql, columns = Writer(seed).query(random.Random(seed).choice([2, 2, 3]))
        found = locality(sql, changed, KNOWN, is_check=False)
        if not isinstance(found, ByRow | ByKey) or not found.changed:
            continue
        tables.fill(seed, changed)
        try:
            before, after = tables.rows(sql, dict.fromkeys(changed, "before")), tables.rows(sql, {})
        except duckdb.BinderException:
            continue
        kinds[type(found).__name__] += 1
        kept = before if isinstance(found, ByRow) else unreached(tables, before, columns, found)
        assert kept + made(tables, sql, found) == after, (seed, changed, sql, found)
    assert min(kinds[kind.__name__] for kind in (ByRow, ByKey)) > QUERIES // 50


def made(tables: Tables, sql: str, found: ByRow | ByKey) -> Rows:
    """Return the rows that a build computes."""
    if isinstance(found, ByRow):
        return tables.rows(sql, dict.fromkeys(found.changed, "added") | dict.fromkeys(found.others, "none"))
    same = " and ".join(f"one.{name} is not distinct from key.{name}" for name in key_columns(found))
    part, whole = (stored(found.input, place) for place in ("part", "after"))
    tables.connection.execute(
        f"create or replace table {part} as select one.* from {whole} as one semi join ({keys(found)}) as key on {same}"
    )
    return tables.rows(sql, {found.input: "part"})


def unreached(tables: Tables, before: Rows, columns: list[str], found: ByKey) -> Rows:
    """Return the rows that a build keeps: those with none of the keys."""
    reached = set(tables.connection.execute(keys(found)).fetchall())
    order = key_columns(found)
    pairs = [(columns.index(own), order.index(theirs)) for own, theirs in found.key.items() if own in columns]

    def is_reached(row: tuple[str | None, ...]) -> bool:
        return any(all(row[own] == key[theirs] for own, theirs in pairs) for key in reached)

    return Counter({row: times for row, times in before.items() if not is_reached(row)})


def key_columns(found: ByKey) -> list[str]:
    return sorted(set(found.key.values()))


def keys(found: ByKey) -> str:
    """Return the query for the keys of the rows that changed, and of those that a change can reach."""
    names = key_columns(found)
    shown = ", ".join(names)
    parts = [f"select {shown} from {stored(found.input, 'added')}"] if found.input in found.changed else []
    parts += [
        f"select {', '.join(f'one.{name}' for name in names)} from {stored(found.input, 'after')} as one"
        f" semi join {stored(lookup.found.relation, 'added')} as other"
        f" on one.{lookup.asking.column} is not distinct from other.{lookup.found.column}"
        for lookup in found.lookups
    ]
    return f"select distinct {shown} from ({' union all '.join(parts)})"
