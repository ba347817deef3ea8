"""``genredb pull``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from genredb.cli.options import Context, Force, command

if TYPE_CHECKING:
    from genredb.ask.pull import PullResult


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("pull")(pull)


@command(limits=True)
def pull(
    context: Context,
    output: Annotated[Path, typer.Option("--output", "-o", help="The DuckDB file to write.")],
    force: Force = False,
) -> None:
    """Copy what was built on Spark into a DuckDB file, which all commands read.

    Example: genredb pull --database songs.duckdb -o genre.duckdb
    """
    from genredb.ask.output import FORCE
    from genredb.ask.pull import pull as run_pull
    from genredb.cli.consent import with_consent
    from genredb.cli.console import print_json

    def run(given: frozenset[str]) -> "PullResult":
        with context.console.progress() as progress:
            progress("copy relations", 0, 0)
            return run_pull(context.config, output, is_forced=force or FORCE in given)

    result = with_consent(run)
    if context.json:
        print_json(result)
    context.console.say(f"Wrote {result.relations} relations to {result.path}.", "green")
