"""``genredb compile``."""

from typing import Annotated

import typer

from genredb.cli.complete import models
from genredb.cli.options import Context, command
from genredb.cli.visible import echo


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("compile")(compile_)


@command(reports=False)
def compile_(
    context: Context,
    name: Annotated[str | None, typer.Argument(help="A model or check.", autocompletion=models)] = None,
    inline: Annotated[str | None, typer.Option(help="A template to compile instead of a model.")] = None,
) -> None:
    """Print the compiled SQL of a model, check or template.

    Example: genredb compile songs
    """
    from genredb.runner.compile import compile_sql

    echo(compile_sql(context.config, name, inline))
