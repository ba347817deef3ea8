"""Lists the relations of the database and their columns with descriptions."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from genredb.ask.query import FUNCTIONS
from genredb.errors import GenredbError, ProjectError
from genredb.runner.opened import Opened
from genredb.runner.project.config import Config
from genredb.runner.project.discover import Project
from genredb.runner.project.specs import DatasetSpec
from genredb.songs.tables import ML_TABLES
from genredb.warehouse.database import open_reader, quote
from genredb.warehouse.declared import Column, SourceSpec
from genredb.warehouse.tables import META_TABLES, QUARANTINE

_OWN = {table.name: table for table in (QUARANTINE, *META_TABLES, *ML_TABLES)}
_SAMPLED_ROWS, _MOST_VALUES = 100_000, 1_000


@dataclass(frozen=True)
class Relation:
    """A table or view of the database; descriptions are empty if there are none."""

    schema: str
    name: str
    kind: str
    description: str
    columns: tuple[Column, ...]

    @property
    def asked_as(self) -> str:
        """Its name in queries: without the schema if that is ``main``."""
        return self.name if self.schema == "main" else f"{self.schema}.{self.name}"


@dataclass(frozen=True)
class Vocabulary:
    """The names that a query may use; ``functions`` maps names to descriptions."""

    relations: Sequence[Relation]
    functions: Mapping[str, str]


def read_vocabulary(config: Config) -> Vocabulary:
    """Return the relations of the published database, and the functions of DuckDB and genredb."""
    with Opened(config) as opened:
        rows = opened.connection.rows(
            """
            select function_name, coalesce(any_value(description), '')
            from duckdb_functions()
            where regexp_full_match(function_name, '[a-z][a-z0-9_]*')
            group by function_name
            order by function_name
            """,
        )
        return Vocabulary(read_relations(opened), FUNCTIONS | dict(rows))


def read_relations(opened: Opened) -> tuple[Relation, ...]:
    """Return every table and view, ``main`` first, with columns in order."""
    rows = opened.connection.rows(
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
    stated = _stated(opened)
    return tuple(
        _described(Relation(schema, name, kind, "", tuple(columns)), stated)
        for (schema, name), (kind, columns) in found.items()
    )


def read_values(config: Config, relation: Relation, column: str) -> list[str]:
    """Return at most 1,000 values of a text column, most frequent first, from the first 100,000 rows.

    Empty for other columns, or if the database cannot be read.
    """
    data_type = next((one.data_type for one in relation.columns if one.name == column), "")
    if data_type != "VARCHAR":
        return []
    name, source = quote(column), f"{quote(relation.schema)}.{quote(relation.name)}"
    with (
        contextlib.suppress(GenredbError),
        open_reader(config.database, config.engine) as connection,
    ):
        rows = connection.rows(
            f"""
            select {name}
            from (select {name} from {source} limit {_SAMPLED_ROWS})
            where {name} is not null
            group by all
            order by count(*) desc, {name}
            limit {_MOST_VALUES}
            """,
        )
        return [str(value) for (value,) in rows]
    return []


def _stated(opened: Opened) -> Mapping[str, DatasetSpec | SourceSpec]:
    """Return the project's sources (by ``schema.name``), seeds and models (by name)."""
    try:
        return dict(_named(opened.project))
    except ProjectError:  # a database can be queried while its project is broken
        return {}


def _named(project: Project) -> Iterator[tuple[str, DatasetSpec | SourceSpec]]:
    for source in project.sources.values():
        yield source.qualified_name, source
    # The project's own come last, and win.
    for spec in reversed([*project.models.values(), *project.seeds.values()]):
        yield spec.name, spec


def _described(relation: Relation, stated: Mapping[str, DatasetSpec | SourceSpec]) -> Relation:
    """Return a relation with descriptions from the project or, if it has none, from genredb."""
    qualified = f"{relation.schema}.{relation.name}"
    own, found = _OWN.get(qualified), stated.get(qualified) or stated.get(relation.name)
    sources = [one for one in (own, found) if one is not None]  # the later one wins
    descriptions = [one.description for one in sources if one.description]
    meanings = {one.name: one.description for source in sources for one in source.columns if one.description}
    return replace(
        relation,
        description=" ".join(descriptions[-1].split()) if descriptions else "",
        columns=tuple(replace(one, description=meanings.get(one.name, "")) for one in relation.columns),
    )
