"""What changed in the project or the raw files since the database was built, as far as it decides genres."""

from collections.abc import Iterator

from genredb.build.built_with import BuiltWith, as_built, settings_of
from genredb.build.freshness import SETTINGS, VIEWS
from genredb.build.plan import Plan, ancestors, make_plan
from genredb.build.state import State, read_state
from genredb.compile.compiler import Compilation, compile_project
from genredb.errors import ConsentError, GenredbError, InputError
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

    The project is held against the database with the settings that it was built with. Where the raw files are
    gone, nothing speaks against what was built from them.
    """
    state = read_state(connection)
    try:
        now = as_built(config, state.built_with)
        compilation = compile_project(read_project(now))
        plan = make_plan(compilation, state, connection)
    except (InputError, ConsentError):
        return None
    except GenredbError as error:
        return f"the project became one that cannot be built ({str(error).splitlines()[0].rstrip('.')})"
    return next(_changes(compilation, plan, state, settings_of(compilation)), None)


def _changes(compilation: Compilation, plan: Plan, state: State, now: BuiltWith) -> Iterator[str]:
    """Yield what differs in variables, files, models and roles, each as a clause."""
    before = state.built_with
    yield from (f"{name} changed" for name in SETTINGS if before.vars.get(name) != now.vars.get(name))
    yield from (f"{raw.source.stated_files} changed" for raw in plan.stale_files)
    name = compilation.project.config.name
    wanted = {f"model.{name}.{model}" for model in (*VIEWS, SUBMISSION)} & compilation.nodes.keys()
    needed = ancestors(compilation, wanted)
    for node in compilation.nodes.values():
        last, own = state.nodes.get(node.unique_id), plan.identities[node.unique_id]
        is_same = last is not None and (own.sql_id, own.rest) == (last.identity.sql_id, last.identity.rest)
        if node.unique_id in needed and node.is_built and not is_same:
            yield f"{node.label} changed"
    views = [f"features.{view}" for view in VIEWS]
    if any(before.roles.get(view) != now.roles.get(view) for view in views):
        yield "the roles of feature columns changed"
