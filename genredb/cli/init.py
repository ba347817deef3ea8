"""``genredb init``."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from genredb.cli.options import Context, command
from genredb.cli.visible import echo


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("init")(init)


@command()
def init(
    context: Context,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder.")],
    csvs: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[CSV]...", help="CSVs to start from; default: copy the songs project."),
    ] = None,
) -> None:
    """Create a project from your own CSVs, or a copy of the songs project. It is ready to build.

    Each CSV becomes a source with typed columns, a staging model and a table, with descriptions and with
    checks on columns that look like keys. Edit them as you like.

    Example: genredb init songs && genredb build --project-dir songs

    Example: genredb init shop customers.csv orders.csv && genredb build --project-dir shop
    """
    from genredb.cli.console import print_json
    from genredb.init import init as lay_out

    layout = lay_out(folder, csvs or [])
    if context.json:
        print_json(layout)
        return
    for path in layout.files:
        echo(path)
    for column in layout.text_columns:
        context.console.warn(
            f"{column.file}: the column {column.header} is text because of {column.near}. "
            f"To convert it, write `{column.near.sql} as {column.name}` in {column.model}."
        )
    folder_in_shell = shlex.quote(str(folder))
    context.console.say(f"Created {folder}. Next: cd {folder_in_shell} && genredb build", "green")
