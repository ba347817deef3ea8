"""``genredb load``."""

import typer

from genredb.cli.options import Context, command
from genredb.cli.selection import Sample


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("load")(load)


@command()
def load(context: Context, sample: Sample = False) -> None:
    """Load the CSVs that changed, without building on them. The raw tables are published.

    Example: genredb load --raw-dir ~/cs98x
    """
    from genredb.build.load import load as run_load
    from genredb.cli.console import print_json
    from genredb.cli.observer import BuildObserver

    console, config = context.console, context.from_sample(sample)
    with console.progress() as progress:
        loads = run_load(config, BuildObserver(console, progress))
    console.loads(loads)
    if context.json:
        print_json({"loads": loads})
    if not loads:
        console.say(f"The raw files did not change; {config.database.name} is current.", "green")
