"""The verb ``freshness``: tell how old the newest rows of sources are, as ``dbt source freshness`` does."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from genredb.errors import GenredbError, ProjectError, UsageError
from genredb.runner.artifacts.sources import write_sources
from genredb.runner.execution.duckdb_executor import DuckDBExecutor
from genredb.runner.execution.executor import Executor
from genredb.runner.execution.runtime import TemplateDatabase
from genredb.runner.graph.compiler import Compilation, compile_files
from genredb.runner.graph.nodes import Source
from genredb.runner.planning.built_with import as_built, read_built_with
from genredb.runner.planning.options import Options
from genredb.runner.planning.selection import chosen_nodes
from genredb.runner.project.config import Config
from genredb.runner.project.source_freshness import Freshness
from genredb.runner.results import AgeStatus, SourceAge
from genredb.runner.templates.given import Given
from genredb.warehouse.database import open_reader

_ALL = Options()
# No row counts as loaded long ago.
_NEVER = datetime(1, 1, 1, tzinfo=UTC)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def freshness(config: Config, options: Options = _ALL) -> tuple[SourceAge, ...]:
    """Return the ages of all sources, or the selected ones, for which files state a limit.

    Nothing is written but sources.json. UsageError if there is no such source.
    """
    started = time.perf_counter()
    with open_reader(config.database, config.engine) as reader:
        config = as_built(config, read_built_with(reader))
        compilation = compile_files(config)
        executor = DuckDBExecutor(reader)
        found = tuple(_age(compilation, executor, *one) for one in _limited(compilation, options))
    write_sources(config, found, time.perf_counter() - started)
    return found


def _limited(compilation: Compilation, options: Options) -> Iterator[tuple[Source, Freshness]]:
    """Yield the selected sources with the limits of their age; UsageError if there is none."""
    chosen = chosen_nodes(compilation, options)
    sources = [node for node in compilation.of_type(Source) if chosen is None or node.unique_id in chosen]
    if not any(source.freshness for source in sources):
        raise UsageError(
            "There is no source with a limit of its age" + ("" if chosen is None else " among the selected"),
            cure="state `freshness:` and `loaded_at_field:` of a source in a yml file",
        )
    for source in sources:
        if source.freshness:
            yield source, source.freshness


def _age(compilation: Compilation, executor: Executor, source: Source, limits: Freshness) -> SourceAge:
    started = time.perf_counter()
    name = ".".join(source.fqn[1:])
    try:
        loaded_at, now = _times(compilation, executor, source, limits)
    except (GenredbError, OverflowError) as error:
        seconds = time.perf_counter() - started
        status = AgeStatus.RUNTIME_ERROR
        return SourceAge(source.unique_id, name, status, limits, seconds, message=_told(error, source))
    age = (now - loaded_at).total_seconds()
    status = AgeStatus.PASS
    if limits.warn_after and age > limits.warn_after.seconds:
        status = AgeStatus.WARN
    if limits.error_after and age > limits.error_after.seconds:
        status = AgeStatus.ERROR
    seconds = time.perf_counter() - started
    return SourceAge(source.unique_id, name, status, limits, seconds, loaded_at, now, age)


def _told(error: GenredbError | OverflowError, source: Source) -> str:
    if isinstance(error, OverflowError):
        error = ProjectError(f"when {source.name} was loaded is no date of this era")
    return str(error if error.place.path else error.at(source.path))


def _times(
    compilation: Compilation, executor: Executor, source: Source, limits: Freshness
) -> tuple[datetime, datetime]:
    """Return when the newest row was loaded, and now; ProjectError if that is not known."""
    sql = _loaded_at_sql(compilation, executor, source, limits)
    kinds = list(executor.columns(f"({sql})").values())
    if len(kinds) != 1 or not kinds[0].startswith("TIMESTAMP"):
        raise ProjectError(
            f"when {source.name} was loaded is {', '.join(kinds)}, not a timestamp",
            place=source.path,
            cure="cast it, as in `loaded_at_field: day::timestamp`",
        )
    _, rows = executor.query(f"select epoch_us(({sql})), epoch_us(now())")
    loaded_at, now = rows[0]
    return _NEVER if loaded_at is None else _at(loaded_at), _at(now)


def _loaded_at_sql(compilation: Compilation, executor: Executor, source: Source, limits: Freshness) -> str:
    """Return the query for when the newest row was loaded."""
    if limits.query:
        database = TemplateDatabase(executor)
        given = Given(source.path, source.package, this=source.relation, database=database)
        return compilation.deferred.renderer.render(limits.query, given).sql
    if not limits.field:
        raise ProjectError(
            f"{source.name} has no `loaded_at_field:` or `loaded_at_query:`, which its `freshness:` needs",
            place=source.path,
        )
    where = f" where {limits.filter}" if limits.filter else ""
    return f"select max({limits.field}) as max_loaded_at from {source.relation}{where}"


def _at(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)
