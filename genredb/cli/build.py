"""``genredb build``."""

import typer

from genredb.cli.options import Context, command
from genredb.cli.selection import Exclude, FullRefresh, Sample, Select, State, StoreFailures, WarnError


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("build")(build)


@command()
def build(
    context: Context,
    selected: Select = None,
    excluded: Exclude = None,
    state: State = None,
    full_refresh: FullRefresh = False,
    store_failures: StoreFailures = False,
    warn_error: WarnError = False,
    sample: Sample = False,
) -> None:
    """Load the CSVs, build the models, run the checks, publish.

    What did not change since the last build is left as it is. A failing check publishes nothing.

    Example: genredb build --raw-dir ~/cs98x
    """
    from genredb.build.options import Options
    from genredb.build.run import build as run_build
    from genredb.cli.observer import BuildObserver
    from genredb.cli.summary import report_build

    console = context.console
    options = Options(selected or (), excluded or (), full_refresh, store_failures, warn_error, state)
    with console.progress() as progress:
        result = run_build(context.from_sample(sample), BuildObserver(console, progress), options)
    report_build(context, result)
