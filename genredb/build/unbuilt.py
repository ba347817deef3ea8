"""What changed in the project or the raw files since the database was built, as far as it decides genres."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from genredb.build.built_with import BuiltWith, as_built, settings_of
from genredb.build.freshness import SETTINGS, VIEWS
from genredb.build.inputs import present_files
from genredb.build.plan import ancestors, find_identities, is_loaded
from genredb.build.state import State, read_state
from genredb.compile.compiler import Compilation, compile_project
from genredb.compile.identity import Identity
from genredb.errors import ConsentError, GenredbError
from genredb.project.config import Config
from genredb.project.discover import read_project
from genredb.warehouse.database import Connection, open_reader

SUBMISSION = "submission"


def say_unbuilt(config: Config) -> str | None:
    """Return a sentence on what the published database does not know of yet; None where that is nothing."""
    with open_reader(config.database) as connection:
        change = unbuilt_change(config, connection)
    if change is None:
        return None
    return f"Since {config.database.name} was built, {change}; `genredb build` brings it up to date."


def unbuilt_change(config: Config, connection: Connection) -> str | None:
    """Return what changed since the build that decides predictions or the submission, as a clause; else None.

    The project is held against the database with the settings that it was built with. Raw files that are gone
    say nothing against what was built from them.
    """
    state = read_state(connection)
    try:
        now, has_folder = _as_built(config, state.built_with)
        compilation = compile_project(read_project(now))
        files = present_files(compilation.project) if has_folder else ()
        identities = find_identities(compilation, files, state, connection)
    except GenredbError as error:
        return f"the project became one that cannot be built ({str(error).splitlines()[0].rstrip('.')})"
    changed = [raw.source.stated_files for raw in files if not is_loaded(raw, state)]
    return next(_changes(compilation, changed, identities, state), None)


def _as_built(config: Config, found: BuiltWith) -> tuple[Config, bool]:
    """Return the configuration that the database was built with, and whether its raw folder is there."""
    try:
        return as_built(config, found), True
    except ConsentError:
        return as_built(config, replace(found, raw_dir="", is_raw_stated=False)), False


def _changes(
    compilation: Compilation, files: Iterable[object], identities: Mapping[str, Identity], state: State
) -> Iterator[str]:
    """Yield what differs in variables, files, models and roles, each as a clause."""
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
