"""Tab completion of arguments: relations in the database, models in the project, revisions."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from genredb.errors import GenredbError
from genredb.runner.project.config import Settings, read_config

if TYPE_CHECKING:
    from genredb.runner.project.config import Config


def relations(context: typer.Context, incomplete: str) -> list[str]:
    """Return the tables and views that start with the typed text."""
    return _offered(context, incomplete, _relations)


def models(context: typer.Context, incomplete: str) -> list[str]:
    """Return the models and seeds that start with the typed text."""
    return _offered(context, incomplete, _models)


def revisions(context: typer.Context, incomplete: str) -> list[str]:
    """Return the git revisions, evaluation runs and database files that start with the typed text."""
    return _offered(context, incomplete, _revisions)


def plots(incomplete: str) -> list[str]:
    """Return the kinds of plots that begin as it was typed."""
    from genredb.look.kinds import KINDS

    return [kind for kind in KINDS if kind.startswith(incomplete)]


def numbers(context: typer.Context, incomplete: str) -> list[str]:
    """Return the numeric columns of the songs that begin as it was typed."""
    return _offered(context, incomplete, _numbers)


def _numbers(config: "Config") -> Iterator[str]:
    from genredb.catalog import Catalog
    from genredb.look.plot import numbers_of_songs

    with Catalog(config) as catalog:
        yield from numbers_of_songs(catalog)


def _revisions(config: "Config") -> Iterator[str]:
    from genredb.songs.learn.references import known_references

    yield from known_references(config)
    yield from sorted(path.name for path in Path.cwd().glob("*.duckdb"))


def _relations(config: "Config") -> Iterator[str]:
    from genredb.catalog import Catalog

    with Catalog(config) as catalog:
        yield from (relation.asked_as for relation in catalog.relations)


def _models(config: "Config") -> Iterator[str]:
    from genredb.runner.project.discover import read_project

    project = read_project(config)
    yield from (spec.name for part in (project.models, project.seeds) for spec in part.values())


def _offered(
    context: typer.Context, incomplete: str, names: Callable[["Config"], Iterator[str]]
) -> list[str]:
    """Return the matching names; none if there is no project or database, as completion must not fail."""
    project_dir, profiles_dir, database = (
        Path(str(context.params[name])) if context.params.get(name) else None
        for name in ("project_dir", "profiles_dir", "database")
    )
    settings = Settings(project_dir=project_dir, profiles_dir=profiles_dir, database=database)
    try:
        return [name for name in names(read_config(settings)) if name.startswith(incomplete)]
    except GenredbError:
        return []
