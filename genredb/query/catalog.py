"""What can be asked: the relations of the database and their columns, with what they mean."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from genredb.errors import GenredbError, ProjectError
from genredb.project.config import Config
from genredb.project.discover import Project, read_project
from genredb.project.nodes import Column, Model, Seed, Source
from genredb.query.ask import FUNCTIONS
from genredb.warehouse.database import Connection, fetch_all, open_reader, quote
from genredb.warehouse.tables import DESCRIPTIONS

_LOOKED_AT, _MOST_VALUES = 100_000, 1_000


@dataclass(frozen=True)
class Relation:
    """A table or view of the database; what it and its columns mean is empty where nobody says so."""

    schema: str
    name: str
    kind: str
    description: str
    columns: tuple[Column, ...]

    @property
    def asked_as(self) -> str:
        """The name that a query calls it by: without the schema if that is ``main``."""
        return self.name if self.schema == "main" else f"{self.schema}.{self.name}"


@dataclass(frozen=True)
class Vocabulary:
    """What a query may name; ``functions`` maps their names to what they do."""

    relations: Sequence[Relation]
    functions: Mapping[str, str]


def read_vocabulary(config: Config) -> Vocabulary:
    """Return the relations of the published database, and DuckDB's functions with genredb's own."""
    with open_reader(config.database) as connection:
        rows = fetch_all(
            connection,
            """
            select function_name, coalesce(any_value(description), '')
            from duckdb_functions()
            where regexp_full_match(function_name, '[a-z][a-z0-9_]*')
            group by function_name
            order by function_name
            """,
        )
        return Vocabulary(read_relations(connection, config), FUNCTIONS | dict(rows))


def read_relations(connection: Connection, config: Config) -> list[Relation]:
    """Return every table and view, those of ``main`` first, each with its columns in order."""
    rows = fetch_all(
        connection,
        """
        select table_schema, table_name, table_type, column_name, data_type
        from information_schema.columns
        inner join information_schema.tables using (table_catalog, table_schema, table_name)
        where table_catalog = current_database()
        order by table_schema <> 'main', table_schema, table_name, ordinal_position
        """,
    )
    found: dict[tuple[str, str], tuple[str, list[Column]]] = {}
    for schema, name, kind, column, data_type in rows:
        _, columns = found.setdefault((schema, name), ("view" if kind == "VIEW" else "table", []))
        columns.append(Column(column, data_type=data_type))
    stated = _stated(config)
    return [
        _described(Relation(schema, name, kind, "", tuple(columns)), stated)
        for (schema, name), (kind, columns) in found.items()
    ]


def read_values(config: Config, relation: Relation, column: str) -> list[str]:
    """Return the values of a text column, the most frequent first: at most 1,000, of the first rows."""
    data_type = next((one.data_type for one in relation.columns if one.name == column), "")
    if data_type != "VARCHAR":
        return []
    name, source = quote(column), f"{quote(relation.schema)}.{quote(relation.name)}"
    with contextlib.suppress(GenredbError), open_reader(config.database) as connection:
        rows = fetch_all(
            connection,
            f"""
            select {name}
            from (select {name} from {source} limit {_LOOKED_AT})
            where {name} is not null
            group by all
            order by count(*) desc, {name}
            limit {_MOST_VALUES}
            """,
        )
        return [str(value) for (value,) in rows]
    return []


def _stated(config: Config) -> Mapping[str, Model | Seed | Source]:
    """Return what the project's files describe, by name; those of sources and seeds with their schema."""
    try:
        project = read_project(config)
    except ProjectError:  # a database can be asked while its project is being mended
        return {}
    return dict(_named(project))


def _named(project: Project) -> Iterator[tuple[str, Model | Seed | Source]]:
    for source in project.sources.values():
        yield source.qualified_name, source
    for part in (project.seeds, project.models):
        yield from part.items()


def _described(relation: Relation, stated: Mapping[str, Model | Seed | Source]) -> Relation:
    qualified = f"{relation.schema}.{relation.name}"
    found = stated.get(qualified) or stated.get(relation.name)
    if found is None:
        return replace(relation, description=DESCRIPTIONS.get(qualified, ""))
    meanings = {column.name: column.description for column in found.columns}
    columns = tuple(replace(one, description=meanings.get(one.name, "")) for one in relation.columns)
    return replace(relation, description=" ".join(found.description.split()), columns=columns)
