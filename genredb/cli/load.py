"""``genredb load``."""

from typing import TYPE_CHECKING

import typer

from genredb.cli.options import Context, command
from genredb.cli.selection import Sample

if TYPE_CHECKING:
    from genredb.warehouse.load import Load


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("load")(load)


@command()
def load(context: Context, sample: Sample = False) -> None:
    """Load the CSVs that changed, without building on them. The raw tables are published.

    Example: genredb load --raw-dir ~/cs98x
    """
    from genredb.build.load import load as run_load
    from genredb.cli.consent import with_consent
    from genredb.cli.console import print_json
    from genredb.cli.observer import BuildObserver

    console, config = context.console, context.config

    def run(given: frozenset[str]) -> "tuple[Load, ...]":
        stated = context.from_sample(sample or "--sample" in given)
        with console.progress() as progress:
            return run_load(stated, BuildObserver(console, progress))

    loads = with_consent(run)
    console.loads(loads)
    if context.json:
        print_json({"loads": loads})
    if not loads:
        console.say(f"The raw files did not change; {config.database.name} is current.", "green")
