"""``genredb load``."""

from typing import TYPE_CHECKING

import typer

from genredb.cli.engines import EngineName, EngineOption, Master, on_engine
from genredb.cli.options import Context, command
from genredb.cli.selection import Sample

if TYPE_CHECKING:
    from genredb.warehouse.load import Load


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("load")(load)


@command(limits=True)
def load(
    context: Context,
    sample: Sample = False,
    engine: EngineOption = EngineName.DUCKDB,
    master: Master = None,
) -> None:
    """Load the raw files that changed and publish the raw tables. No models are built.

    Example: genredb load --raw-dir ~/cs98x
    """
    from genredb.cli.consent import with_consent
    from genredb.cli.console import print_json
    from genredb.cli.observer import BuildObserver
    from genredb.runner.load import load as run_load
    from genredb.songs.extension import SONGS
    from genredb.spark.choice import engine_of

    context = on_engine(context, engine, master)
    console, config = context.console, context.config

    def run(given: frozenset[str]) -> "tuple[Load, ...]":
        stated = context.from_sample(sample or "--sample" in given)
        with console.progress() as progress:
            return run_load(stated, BuildObserver(console, progress), SONGS, engine_of(stated))

    loads = with_consent(run)
    console.loads(loads)
    if context.json:
        from genredb.reports.builds import LoadReport

        print_json(LoadReport(loads))
    if not loads:
        console.say(f"The raw files have not changed; {config.database.name} is up to date.", "green")
