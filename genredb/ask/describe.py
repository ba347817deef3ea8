"""The verb ``describe``: summarizes the songs, from the marts, or the columns of any relation."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from genredb.ask.relations import read_relations
from genredb.runner.opened import Opened
from genredb.runner.planning.built_with import built_with
from genredb.warehouse.connection import Connection
from genredb.warehouse.database import quote, relations
from genredb.warehouse.user_sql import find_relation

_MARTS = ("genres", "numeric_summary", "text_summary", "correlations", "genre_profiles")


@dataclass(frozen=True)
class Section:
    """A table of a description, such as ``genres``; ``is_cut`` is True if the limit left rows out."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    is_cut: bool = False


@dataclass(frozen=True)
class ColumnFacts:
    """Summary of a column; ``mean`` and ``deviation`` are None if its type has none."""

    name: str
    type: str
    least: Any
    greatest: Any
    mean: Any
    deviation: Any
    null_percent: float | None
    distinct: int
    meaning: str


@dataclass(frozen=True)
class RelationFacts:
    """Summary of a table or view, ``name`` or ``schema.name``."""

    relation: str
    rows: int
    columns: tuple[ColumnFacts, ...]


def describe_songs(opened: Opened, limit: int | None = None) -> list[Section]:
    """Return counts of genres and groups, column summaries, correlations, and means per genre.

    At most ``limit`` genres are listed, most frequent first; None lists all. Empty if the database lacks the
    tables that describe songs.
    """
    connection = opened.connection
    built_with(opened.config, connection)
    if any(("main", name) not in relations(connection) for name in _MARTS):
        return []
    counts = "song_count as songs, round(100 * song_share, 1) as percent, artist_count as artists"
    by_count = "order by song_count desc, genre"
    return [
        _section(connection, "genres", f"select genre, genre_group, {counts} from genres {by_count}", limit),
        _section(
            connection,
            "groups",
            """
            select
                genre_group,
                sum(song_count)::bigint as songs,
                round(100 * sum(song_share), 1) as percent
            from genres
            group by genre_group
            order by songs desc, genre_group
            """,
        ),
        _section(connection, "numbers", "from numeric_summary"),
        _section(connection, "texts", "from text_summary"),
        _crossed(
            connection,
            "correlations",
            # + 0: a correlation of -0.001 is 0, not -0
            "select column_name, other_column_name, round(correlation, 2) + 0 from correlations",
            None,
        ),
        _crossed(
            connection,
            "genre_means",
            f"""
            select profiles.genre, profiles.column_name, round(profiles.mean, 1)
            from genre_profiles as profiles
            inner join (select genre, row_number() over ({by_count}) as place from genres) as places
                on profiles.genre = places.genre
            inner join (select column_name, row_number() over () as place from numeric_summary) as columns
                on profiles.column_name = columns.column_name
            order by places.place, columns.place
            """,
            limit,
        ),
    ]


def describe_relation(opened: Opened, name: str) -> RelationFacts:
    """Return summaries and descriptions of the columns of a relation (``name`` or ``schema.name``)."""
    connection = opened.connection
    built_with(opened.config, connection)
    relation = find_relation(connection, name)
    source = ".".join(map(quote, relation))
    summary = connection.rows(
        f"""
        select column_name, column_type, min, max, avg, std, null_percentage
        from (summarize {source})
        """,
    )
    distinct = ", ".join(f"count(distinct {quote(row[0])})" for row in summary)
    sql = f"select count(*), {distinct} from {source}"
    [(count, *different)] = connection.rows(sql)
    known = {(one.schema, one.name): one for one in read_relations(opened)}
    meanings = {column.name: column.description for column in known[relation].columns}
    columns = tuple(
        ColumnFacts(
            column,
            data_type,
            _plain(least, data_type),
            _plain(greatest, data_type),
            _plain(mean, "DOUBLE"),
            _plain(deviation, "DOUBLE"),
            nulls if nulls is None else float(nulls),
            distinct_count,
            meanings.get(column, ""),
        )
        for (column, data_type, least, greatest, mean, deviation, nulls), distinct_count in zip(
            summary, different, strict=True
        )
    )
    return RelationFacts(".".join(part for part in relation if part != "main"), count, columns)


def _plain(text: Any, data_type: str) -> Any:
    """Convert a value that SUMMARIZE returns as text to a number if the column is numeric."""
    if text is None:
        return None
    if data_type.endswith("INT") or data_type == "INTEGER":
        return int(text)
    try:
        return float(text) if data_type in ("DOUBLE", "FLOAT") else str(text)
    except ValueError:  # the mean of a column of dates is a date
        return str(text)


def _section(connection: Connection, name: str, sql: str, limit: int | None = None) -> Section:
    columns, rows = connection.answer(sql)
    shown = rows if limit is None else rows[:limit]
    return Section(name, columns, tuple(shown), is_cut=len(shown) < len(rows))


def _crossed(connection: Connection, name: str, sql: str, limit: int | None) -> Section:
    """Pivot triples of row, column and value into a table."""
    triples = connection.rows(sql)
    across: Sequence[str] = list(dict.fromkeys(column for _, column, _ in triples))
    values = {(row, column): value for row, column, value in triples}
    down = list(dict.fromkeys(row for row, _, _ in triples))
    shown = down if limit is None else down[:limit]
    rows = tuple((row, *(values.get((row, column)) for column in across)) for row in shown)
    return Section(name, ("", *across), rows, is_cut=len(shown) < len(down))
