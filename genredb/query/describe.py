"""The verb ``describe``: what the songs are like, from the marts; or what any relation holds."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from genredb.build.built_with import built_with
from genredb.project.config import Config
from genredb.query.catalog import read_relations
from genredb.warehouse.database import Connection, fetch_all, find_relation, open_reader, quote, relations

_MARTS = ("genres", "numeric_summary", "text_summary", "correlations", "genre_profiles")


@dataclass(frozen=True)
class Section:
    """A table of a description, such as ``genres``; ``is_cut`` says that there were more rows than wanted."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    is_cut: bool = False


@dataclass(frozen=True)
class ColumnFacts:
    """What a column holds; ``mean`` and ``deviation`` are None where its type has none."""

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
    """What a table or view, ``name`` or ``schema.name``, holds."""

    relation: str
    rows: int
    columns: tuple[ColumnFacts, ...]


def describe_songs(config: Config, limit: int) -> list[Section]:
    """Return the genres and groups counted, summaries of the columns, correlations, and genres' means.

    Of genres at most ``limit`` are told, the most frequent first. In a database that lacks the tables which
    describe songs, its relations are listed.
    """
    with open_reader(config.database) as connection:
        built_with(config, connection)
        if any(("main", name) not in relations(connection) for name in _MARTS):
            found = read_relations(connection, config)
            rows = [(one.asked_as, one.kind, len(one.columns), one.description) for one in found]
            return [Section("Relations", ("relation", "kind", "columns", "meaning"), tuple(rows))]
        counts = "song_count as songs, round(100 * song_share, 1) as percent, artist_count as artists"
        by_count = "order by song_count desc, genre"
        return [
            _section(
                connection, "genres", f"select genre, genre_group, {counts} from genres {by_count}", limit
            ),
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
                "select column_name, other_column_name, round(correlation, 2) from correlations",
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


def describe_relation(config: Config, name: str) -> RelationFacts:
    """Return what the columns of a table or view (``name`` or ``schema.name``) hold, and what they mean."""
    with open_reader(config.database) as connection:
        built_with(config, connection)
        relation = find_relation(connection, name)
        source = ".".join(map(quote, relation))
        summary = fetch_all(
            connection,
            f"""
            select column_name, column_type, min, max, avg, std, null_percentage
            from (summarize {source})
            """,
        )
        distinct = ", ".join(f"count(distinct {quote(row[0])})" for row in summary)
        sql = f"select count(*), {distinct} from {source}"
        [(count, *different)] = fetch_all(connection, sql)
        known = {(one.schema, one.name): one for one in read_relations(connection, config)}
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
    """Return a value of a column, which SUMMARIZE gives as text, as a number if the column holds numbers."""
    if text is None:
        return None
    if data_type.endswith("INT") or data_type == "INTEGER":
        return int(text)
    try:
        return float(text) if data_type in ("DOUBLE", "FLOAT") else str(text)
    except ValueError:  # the mean of a column of dates is a date
        return str(text)


def _section(connection: Connection, name: str, sql: str, limit: int | None = None) -> Section:
    relation = connection.sql(sql)
    rows = relation.fetchall()
    shown = rows if limit is None else rows[:limit]
    return Section(name, tuple(relation.columns), tuple(shown), is_cut=len(shown) < len(rows))


def _crossed(connection: Connection, name: str, sql: str, limit: int | None) -> Section:
    """Return triples of row, column and value as a table with a column for each."""
    triples = fetch_all(connection, sql)
    across: Sequence[str] = list(dict.fromkeys(column for _, column, _ in triples))
    values = {(row, column): value for row, column, value in triples}
    down = list(dict.fromkeys(row for row, _, _ in triples))
    shown = down if limit is None else down[:limit]
    rows = tuple((row, *(values.get((row, column)) for column in across)) for row in shown)
    return Section(name, ("", *across), rows, is_cut=len(shown) < len(down))
