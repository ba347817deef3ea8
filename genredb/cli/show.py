"""``genredb show``."""

from typing import Annotated

import typer

from genredb.cli.complete import models
from genredb.cli.options import Context, command
from genredb.cli.visible import stdout_bytes


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("show")(show)


@command(limits=True)
def show(
    context: Context,
    name: Annotated[str | None, typer.Argument(help="A model, seed or check.", autocompletion=models)] = None,
    inline: Annotated[str | None, typer.Option(help="A template to run instead of a model.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Number of rows to show.")] = 5,
) -> None:
    """Run the current SQL of a model, without building it, and show the first rows.

    Example: genredb show --inline "select genre, count(*) from {{ ref('songs') }} group by genre"
    """
    from genredb.ask.query import fetch_answer, write_answer
    from genredb.ask.show import show as make_question
    from genredb.cli.console import print_table

    question = make_question(context.config, name, inline, limit)
    if context.json:
        write_answer(context.config, question, "json", stdout_bytes())
        return
    answer = fetch_answer(context.config, question)
    print_table(answer.columns, answer.rows)
    if answer.is_cut:
        context.console.say(f"Showing the first {limit} rows; use --limit for more.", "dim")
