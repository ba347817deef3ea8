"""Changes to the project or the raw files since the last build that affect the genres."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum, auto

from genredb.errors import GenredbError
from genredb.runner.graph.compiler import Compilation, compile_files
from genredb.runner.graph.identity import Identity
from genredb.runner.planning.built_with import as_last_built, settings_of
from genredb.runner.planning.inputs import present_files
from genredb.runner.planning.planner import ancestors, find_identities, is_loaded
from genredb.runner.planning.state import State, read_state
from genredb.runner.project.config import Config
from genredb.songs.staleness import SETTINGS
from genredb.songs.views import SUBMISSION, VIEWS
from genredb.warehouse.connection import Connection
from genredb.warehouse.database import open_reader


class ChangeKind(StrEnum):
    """What changed since the last build."""

    VARIABLE = auto()
    FILE = auto()
    RELATION = auto()
    ROLES = auto()
    INVALID = auto()


_WORDS: Mapping[ChangeKind, str] = {
    **dict.fromkeys((ChangeKind.VARIABLE, ChangeKind.FILE, ChangeKind.RELATION), "{} changed"),
    ChangeKind.ROLES: "the roles of feature columns changed",
    ChangeKind.INVALID: "the project can no longer be built ({})",
}


@dataclass(frozen=True)
class Change:
    """A change since the last build: of the variable, file or relation ``subject``, of roles, or an error."""

    kind: ChangeKind
    subject: str = ""

    def __str__(self) -> str:
        """Return the change as a clause."""
        return _WORDS[self.kind].format(self.subject)


def read_unbuilt(config: Config, marks: Mapping[str, str] | None = None) -> Change | None:
    """Return a change that is missing from the published database, or None.

    ``marks`` are those of the relations if they are not in the same database.
    """
    with open_reader(config.database, config.engine) as connection:
        return find_unbuilt(config, connection, marks)


def find_unbuilt(
    config: Config, connection: Connection, marks: Mapping[str, str] | None = None
) -> Change | None:
    """Return a change since the last build that affects predictions or the submission, or None.

    The project is compared using the settings of the last build. Raw files that no longer exist do not count
    as a change.
    """
    state = read_state(connection, marks)
    try:
        now, has_folder = as_last_built(config, state.built_with)
        compilation = compile_files(now)
        files = present_files(compilation.project) if has_folder else ()
        identities = find_identities(compilation, files, state, connection)
    except GenredbError as error:
        return Change(ChangeKind.INVALID, error.headline)
    changed = [raw.source.stated_files for raw in files if not is_loaded(raw, state)]
    return next(_changes(compilation, changed, identities, state), None)


def _changes(
    compilation: Compilation, files: Iterable[str], identities: Mapping[str, Identity], state: State
) -> Iterator[Change]:
    """Yield the differences in variables, files, models and roles."""
    before, now = state.built_with, settings_of(compilation)
    changed = (name for name in SETTINGS if before.vars.get(name) != now.vars.get(name))
    yield from (Change(ChangeKind.VARIABLE, name) for name in changed)
    yield from (Change(ChangeKind.FILE, file) for file in files)
    name = compilation.project.config.name
    wanted = {f"model.{name}.{model}" for model in (*VIEWS, SUBMISSION)} & compilation.nodes.keys()
    needed = ancestors(compilation, wanted)
    for node in compilation.nodes.values():
        last, own = state.nodes.get(node.unique_id), identities[node.unique_id]
        is_same = last is not None and (own.sql_id, own.rest) == (last.identity.sql_id, last.identity.rest)
        if node.unique_id in needed and node.is_built and not is_same:
            yield Change(ChangeKind.RELATION, node.label)
    views = [f"features.{view}" for view in VIEWS]
    if any(before.roles.get(view) != now.roles.get(view) for view in views):
        yield Change(ChangeKind.ROLES)
