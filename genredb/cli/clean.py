"""``genredb clean``."""

import typer

from genredb.cli.options import Context, command


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("clean")(clean)


@command()
def clean(context: Context) -> None:
    """Remove target folders (see `clean-targets`) and files left by interrupted commands.

    The database is kept. Example: genredb clean
    """
    from genredb.cli.console import print_json
    from genredb.runner.clean import clean as run_clean

    removed = run_clean(context.config)
    if context.json:
        from genredb.reports.builds import CleanReport

        print_json(CleanReport(tuple(removed)))
    for path in removed:
        context.console.say(f"Removed {path}.")
    if not removed:
        context.console.say("Nothing to remove.", "green")
