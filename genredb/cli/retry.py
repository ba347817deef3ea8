"""``genredb retry``."""

from typing import TYPE_CHECKING

import typer

from genredb.cli.options import Context, command
from genredb.cli.selection import AllowDrops, FailFast, StoreFailures, WarnError

if TYPE_CHECKING:
    from genredb.runner.results import BuildResult


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("retry")(retry)


@command(limits=True)
def retry(
    context: Context,
    store_failures: StoreFailures = False,
    warn_error: WarnError = False,
    fail_fast: FailFast = False,
    allow_drops: AllowDrops = False,
) -> None:
    """Resume the last failed build. Nodes that succeeded and have not changed since are skipped.

    The failed build is kept as target/failed.duckdb until one succeeds. Example: genredb retry
    """
    from genredb.cli.consent import with_consent
    from genredb.cli.observer import BuildObserver
    from genredb.cli.summary import report_build
    from genredb.runner.planning.options import Options
    from genredb.runner.retry import retry as run_retry
    from genredb.songs.extension import SONGS

    console, config = context.console, context.config

    def run(given: frozenset[str]) -> "BuildResult":
        options = Options(
            store_failures=store_failures,
            warn_error=warn_error,
            fail_fast=fail_fast,
            allow_drops=allow_drops or "--allow-drops" in given,
        )
        with console.progress() as progress:
            return run_retry(config, BuildObserver(console, progress), options, SONGS)

    result = with_consent(run)
    report_build(context, result)
    raise typer.Exit(result.exit_code)
