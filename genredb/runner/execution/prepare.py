"""Prepares a build: compiles and plans it, and refuses what can be refused before anything runs."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from genredb.errors import Notice
from genredb.runner.execution.binding import Bound, bind_plan
from genredb.runner.execution.engine import Engine
from genredb.runner.execution.executor import Executor
from genredb.runner.execution.stated_columns import missing_columns
from genredb.runner.extension import Extension
from genredb.runner.graph.compiler import Compilation
from genredb.runner.planning.built_with import with_raw_folder
from genredb.runner.planning.defer import compile_with
from genredb.runner.planning.drops import refuse_large_drop
from genredb.runner.planning.inputs import attached_files
from genredb.runner.planning.options import Options
from genredb.runner.planning.plan import Plan
from genredb.runner.planning.planner import make_plan
from genredb.runner.planning.receipt import digest_of
from genredb.runner.planning.selection import chosen_nodes, refuse_notices
from genredb.runner.planning.state import State
from genredb.runner.project.config import Config
from genredb.runner.project.raw_folder import absent_files, folders_of
from genredb.runner.results import Observer
from genredb.warehouse.connection import Connection

if TYPE_CHECKING:
    from genredb.runner.execution.leak_guard import LeakGuard


@dataclass(frozen=True)
class Request:
    """A request for a build; ``files_digest`` was computed before the project's files were read."""

    config: Config
    observer: Observer
    options: Options
    extension: Extension
    files_digest: str
    engine: Engine


@dataclass(frozen=True)
class Prepared:
    """What a build needs to carry out its plan.

    ``guard`` has what it must prove, if anything. ``missing`` tells of further raw files: the absent ones,
    and the names in their folders. ``bound`` is what binding the plan found out.
    """

    config: Config
    plan: Plan
    guard: "LeakGuard | None"
    missing: Mapping[Path, str]
    bound: Bound


def prepare(request: Request, state: State, connection: Connection | None) -> Prepared:
    """Compile and plan a build from a state; GenredbError for whatever it cannot do or must not."""
    options, extension, engine = request.options, request.extension, request.engine
    config = with_raw_folder(request.config, state.built_with)
    request.observer.settled(config)
    compilation = compile_with(config, options, connection)
    _note(request, compilation.notices)
    tables = extension.tables(compilation.project)
    engine.refuse(compilation, tables)
    missing = _seen_missing(compilation, config)
    plan = make_plan(compilation, state, connection, options, extension)
    executor = None if connection is None else engine.executor(connection)
    if executor is not None:  # relations that are not rebuilt may still have new descriptions
        chosen = chosen_nodes(compilation, options)
        ids = compilation.nodes.keys() if chosen is None else chosen
        standing = [compilation.nodes[i] for i in ids if i not in plan.reasons]
        _note(request, tuple(missing_columns(executor, config, standing)))
    bound = bind_plan(plan, options, connection, tables) if engine.binds else Bound()
    _note(request, bound.notices)
    if not options.allow_drops:
        refuse_large_drop(plan.large_drop)
    guard = None
    if not plan.is_proved:
        extension.refuse_features(compilation)
        guard = new_guard(compilation, executor, extension)
        guard.refuse_leaks()
    return Prepared(config, plan, guard, missing, bound)


def _note(request: Request, notices: Collection[Notice]) -> None:
    """Tell notices or, with ``--warn-error``, raise them as errors."""
    refuse_notices(notices, request.options)
    for notice in notices:
        request.observer.note(notice)


def new_guard(compilation: Compilation, executor: Executor | None, extension: Extension) -> "LeakGuard":
    """Return a leak guard; most builds need none."""
    from genredb.runner.execution.leak_guard import LeakGuard  # noqa: PLC0415

    return LeakGuard(compilation, executor, extension)


def _seen_missing(compilation: Compilation, config: Config) -> dict[Path, str]:
    """Return what tells of further raw files.

    They are looked up before the files are: a file that arrives during the build is new to the next one.
    """
    sources = compilation.project.loaded_sources
    found = {path: "" for source in sources for path in absent_files(source, config)}
    for one in config.attached.values():
        found |= attached_files(one.path)
    return found | {folder: digest_of(folder) for folder in folders_of(sources, config.raw_dir)}
