"""Changes to the project or the raw files since the last build that affect the genres."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from genredb.errors import ConsentError, GenredbError
from genredb.runner.graph.compiler import Compilation, compile_project
from genredb.runner.graph.identity import Identity
from genredb.runner.planning.built_with import BuiltWith, as_built, settings_of
from genredb.runner.planning.inputs import present_files
from genredb.runner.planning.planner import ancestors, find_identities, is_loaded
from genredb.runner.planning.state import State, read_state
from genredb.runner.project.config import Config
from genredb.runner.project.discover import read_project
from genredb.songs.freshness import SETTINGS
from genredb.songs.views import SUBMISSION, VIEWS
from genredb.warehouse.connection import Connection
from genredb.warehouse.database import open_reader


def say_unbuilt(config: Config) -> str | None:
    """Return a sentence on changes missing from the published database, or None."""
    with open_reader(config.database, config.engine) as connection:
        change = unbuilt_change(config, connection)
    if change is None:
        return None
    return f"Since {config.database.name} was built, {change}; `genredb build` brings it up to date."


def unbuilt_change(config: Config, connection: Connection) -> str | None:
    """Return a change since the last build that affects predictions or the submission, as a clause, or None.

    The project is compared using the settings of the last build. Raw files that no longer exist do not count
    as a change.
    """
    state = read_state(connection)
    try:
        now, has_folder = _as_built(config, state.built_with)
        compilation = compile_project(read_project(now))
        files = present_files(compilation.project) if has_folder else ()
        identities = find_identities(compilation, files, state, connection)
    except GenredbError as error:
        return f"the project can no longer be built ({str(error).splitlines()[0].rstrip('.')})"
    changed = [raw.source.stated_files for raw in files if not is_loaded(raw, state)]
    return next(_changes(compilation, changed, identities, state), None)


def _as_built(config: Config, found: BuiltWith) -> tuple[Config, bool]:
    """Return the configuration of the last build, and whether its raw folder exists."""
    try:
        return as_built(config, found), True
    except ConsentError:
        return as_built(config, replace(found, raw_dir="", is_raw_stated=False)), False


def _changes(
    compilation: Compilation, files: Iterable[object], identities: Mapping[str, Identity], state: State
) -> Iterator[str]:
    """Yield the differences in variables, files, models and roles, each as a clause."""
    before, now = state.built_with, settings_of(compilation)
    yield from (f"{name} changed" for name in SETTINGS if before.vars.get(name) != now.vars.get(name))
    yield from (f"{file} changed" for file in files)
    name = compilation.project.config.name
    wanted = {f"model.{name}.{model}" for model in (*VIEWS, SUBMISSION)} & compilation.nodes.keys()
    needed = ancestors(compilation, wanted)
    for node in compilation.nodes.values():
        last, own = state.nodes.get(node.unique_id), identities[node.unique_id]
        is_same = last is not None and (own.sql_id, own.rest) == (last.identity.sql_id, last.identity.rest)
        if node.unique_id in needed and node.is_built and not is_same:
            yield f"{node.label} changed"
    views = [f"features.{view}" for view in VIEWS]
    if any(before.roles.get(view) != now.roles.get(view) for view in views):
        yield "the roles of feature columns changed"
