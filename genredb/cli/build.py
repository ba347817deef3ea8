"""``genredb build``."""

import typer

from genredb.cli.options import Context, command


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("build")(build)


@command()
def build(context: Context) -> None:
    """Load the raw CSVs, build the models, run the checks and publish the database.

    What did not change since the last build is left as it is. A failing check publishes nothing.

    Example: genredb build --raw-dir ~/cs98x
    """
    from genredb.build import build as run_build
    from genredb.cli.console import print_json
    from genredb.cli.observer import BuildObserver
    from genredb.cli.summary import as_json, summarize

    console, config = context.console, context.config
    console.introduce(config)
    with console.progress() as progress:
        result = run_build(config, BuildObserver(console, progress))
    console.loads(result.loads)
    if context.json:
        print_json(as_json(result))
    summarize(console, config, result)
    raise typer.Exit(result.exit_code)
