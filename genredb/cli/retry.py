"""``genredb retry``."""

import typer

from genredb.cli.options import Context, command
from genredb.cli.selection import StoreFailures, WarnError


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("retry")(retry)


@command()
def retry(context: Context, store_failures: StoreFailures = False, warn_error: WarnError = False) -> None:
    """Go on from the last failed build. What succeeded in it and did not change does not run again.

    The failed build is kept as target/failed.duckdb until one succeeds. Example: genredb retry
    """
    from genredb.build.options import Options
    from genredb.build.run import retry as run_retry
    from genredb.cli.observer import BuildObserver
    from genredb.cli.summary import report_build

    console, config = context.console, context.config
    options = Options(store_failures=store_failures, warn_error=warn_error)
    with console.progress() as progress:
        result = run_retry(config, BuildObserver(console, progress), options)
    report_build(context, result)
