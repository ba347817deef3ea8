"""``genredb test``."""

from typing import Annotated

import typer

from genredb.cli.options import Context, command


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("test")(test)


@command()
def test(
    context: Context,
    names: Annotated[
        list[str] | None, typer.Argument(help="Models, seeds or checks; all checks if none is named.")
    ] = None,
) -> None:
    """Run the checks on the published database; show the rows that fail.

    Example: genredb test songs
    """
    from genredb.build import check
    from genredb.cli.console import print_json
    from genredb.cli.observer import BuildObserver
    from genredb.cli.summary import as_json, summarize_checks

    console = context.console
    with console.progress() as progress:
        result = check(context.config, names or [], BuildObserver(console, progress))
    if context.json:
        print_json(as_json(result))
    summarize_checks(console, result)
    raise typer.Exit(result.exit_code)
