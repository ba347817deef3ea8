"""``genredb build``."""

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from genredb.cli.engines import EngineName, EngineOption, Master, on_engine
from genredb.cli.options import Context, command
from genredb.cli.selection import (
    AllowDrops,
    Exclude,
    FailFast,
    FullRefresh,
    Sample,
    Select,
    State,
    StoreFailures,
    WarnError,
)
from genredb.errors import UsageError

if TYPE_CHECKING:
    from genredb.runner.results import BuildResult


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("build")(build)


@command(limits=True)
def build(
    context: Context,
    selected: Select = None,
    excluded: Exclude = None,
    state: State = None,
    full_refresh: FullRefresh = False,
    store_failures: StoreFailures = False,
    warn_error: WarnError = False,
    fail_fast: FailFast = False,
    defer: Annotated[
        bool,
        typer.Option(
            "--defer", help="Read what is not selected and does not exist here from the relations of --state."
        ),
    ] = False,
    favor_state: Annotated[
        bool, typer.Option("--favor-state", help="With --defer: even if it exists here.")
    ] = False,
    empty: Annotated[
        bool, typer.Option("--empty", help="Let ref() and source() give no rows: try the SQL at little cost.")
    ] = False,
    allow_drops: AllowDrops = False,
    sample: Sample = False,
    engine: EngineOption = EngineName.DUCKDB,
    master: Master = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Rebuild after each change to the project or the raw files.")
    ] = False,
) -> None:
    """Load the raw files, build the models, run the checks and publish the result.

    Nodes that did not change since the last build are skipped. If a check fails, nothing is published.

    Example: genredb build --raw-dir ~/cs98x
    """
    from genredb.cli.consent import with_consent
    from genredb.cli.observer import BuildObserver
    from genredb.cli.summary import report_build
    from genredb.runner.build import build as run_build
    from genredb.runner.planning.options import Options
    from genredb.songs.extension import SONGS
    from genredb.spark.choice import engine_of

    if favor_state and not defer:
        raise UsageError("--favor-state is for --defer", cure="add --defer")
    if defer and state is None:
        raise UsageError(
            "--defer needs the manifest.json of an earlier run", cure="give its folder with --state"
        )
    if defer and engine != EngineName.DUCKDB:
        raise UsageError("--defer works on DuckDB only")
    context = on_engine(context, engine, master)
    console = context.console
    context = replace(context, settings=replace(context.settings, is_empty=empty))
    options = Options(
        selected or (),
        excluded or (),
        full_refresh,
        store_failures,
        warn_error,
        state,
        fail_fast=fail_fast,
        defer=defer,
        favor_state=favor_state,
    )

    def run(given: frozenset[str]) -> "BuildResult":
        config = context.from_sample(sample or "--sample" in given)
        agreed = replace(options, allow_drops=allow_drops or "--allow-drops" in given)
        with console.progress() as progress:
            return run_build(config, BuildObserver(console, progress), agreed, SONGS, engine_of(config))

    if watch and engine != EngineName.DUCKDB:
        raise UsageError("--watch builds on DuckDB only")
    if watch:
        from genredb.cli.watch import watch as watch_project

        stated = replace(context, settings=replace(context.settings, uses_sample=sample))
        watch_project(stated, replace(options, allow_drops=allow_drops))
        return
    result = with_consent(run)
    report_build(context, result)
    raise typer.Exit(result.exit_code)
