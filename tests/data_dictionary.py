"""The page docs/data-dictionary.md: every relation of the songs' database, from the database and what describes it."""

from collections.abc import Iterable, Iterator, Mapping

from genredb.ask.relations import Relation

HEAD = """# Data dictionary

Every table and view of the songs database, with the type and meaning of each column. Generated from a built database and
the project's yml; to regenerate it: `GENREDB_UPDATE_GOLDEN=1 python -m pytest tests/test_data_dictionary.py`.

`genredb describe RELATION` shows the same for your database, with ranges and missing values. The *role* of a column tells
classifiers how to use it: [features.md](features.md).
"""

# What each schema holds, in the order that data go through them.
SCHEMAS = {
    "raw": "The files as they were loaded, and the rows that could not be loaded.",
    "seeds": "Tables that come with the project, as CSV files in `data/seeds`.",
    "staging": "Songs with repaired text and converted units; no row is dropped.",
    "main": "The tables to query; their schema can be left out.",
    "baselines": "Classifiers written in SQL; built with `--vars 'baselines: true'`.",
    "features": "What classifiers learn from, and what they predict.",
    "ml": "Classifiers, predictions and evaluations.",
    "meta": "The history of the database: loads, runs, checks.",
}


def page(relations: Iterable[Relation], roles: Mapping[str, str]) -> str:
    """Return docs/data-dictionary.md; ``roles`` are those of the columns of feature views."""
    by_schema = {name: [one for one in relations if one.schema == name] for name in SCHEMAS}
    index = [
        f"| `{name}` | {SCHEMAS[name]} | {', '.join(map(_link, found))} |"
        for name, found in by_schema.items()
    ]
    sections = [
        line
        for name, found in by_schema.items()
        for one in found
        for line in _section(one, roles if name == "features" else {})
    ]
    return "\n".join([HEAD, "| schema | holds | relations |", "|---|---|---|", *index, "", *sections])


def _link(relation: Relation) -> str:
    return f"[{relation.name}](#{relation.asked_as.replace('.', '')})"


def _section(relation: Relation, roles: Mapping[str, str]) -> Iterator[str]:
    kind = relation.kind.capitalize()
    yield from (f"## {relation.asked_as}", "", f"{kind}. {relation.description}", "")
    yield "| column | type | role | meaning |" if roles else "| column | type | meaning |"
    yield "|---|---|---|---|" if roles else "|---|---|---|"
    for column in relation.columns:
        role = [roles.get(column.name, "")] if roles else []
        yield f"| {' | '.join([f'`{column.name}`', column.data_type.lower(), *role, column.description])} |"
    yield ""
