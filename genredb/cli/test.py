"""``genredb test``."""

from typing import Annotated

import typer

from genredb.cli.engines import EngineName, EngineOption, Master, on_engine
from genredb.cli.options import Context, command
from genredb.cli.selection import Exclude, FailFast, Select, State, StoreFailures, WarnError


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("test")(test)


@command(limits=True)
def test(
    context: Context,
    names: Annotated[
        list[str] | None, typer.Argument(help="Models, seeds or checks to test; default: all.")
    ] = None,
    selected: Select = None,
    excluded: Exclude = None,
    state: State = None,
    store_failures: StoreFailures = False,
    warn_error: WarnError = False,
    fail_fast: FailFast = False,
    engine: EngineOption = EngineName.DUCKDB,
    master: Master = None,
) -> None:
    """Run checks and unit tests on the published database and show the failing rows.

    Example: genredb test songs
    """
    from genredb.cli.observer import BuildObserver
    from genredb.cli.summary import print_report, summarize_checks
    from genredb.runner.planning.options import Options
    from genredb.runner.test import test as run_tests
    from genredb.spark.choice import engine_of

    context = on_engine(context, engine, master)
    console, config = context.console, context.config
    options = Options(
        [*(names or ()), *(selected or ())],
        excluded or (),
        False,
        store_failures,
        warn_error,
        state,
        fail_fast=fail_fast,
    )
    with console.progress() as progress:
        result = run_tests(config, BuildObserver(console, progress), options, engine_of(config))
    if context.json:
        print_report(result)
    summarize_checks(console, result)
    raise typer.Exit(result.exit_code)
