"""``genredb show``."""

from typing import Annotated

import typer

from genredb.cli.complete import models
from genredb.cli.options import Context, command
from genredb.cli.visible import stdout_bytes
from genredb.errors import UsageError


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("show")(show)


@command()
def show(
    context: Context,
    name: Annotated[str | None, typer.Argument(help="A model, seed or check.", autocompletion=models)] = None,
    inline: Annotated[str | None, typer.Option(help="A template to run in place of a model.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Rows to show.")] = 5,
) -> None:
    """Run a model's SQL and show its first rows. It is the SQL as its file stands now.

    Example: genredb show --inline "select genre, count(*) from {{ ref('songs') }} group by genre"
    """
    from genredb.cli.console import print_table
    from genredb.query.ask import Question, fetch_answer, write_answer

    question = Question(rendered(context, name, inline), limit=limit)
    if context.json:
        write_answer(context.config, question, "json", stdout_bytes())
        return
    answer = fetch_answer(context.config, question)
    print_table(answer.columns, answer.rows)
    if answer.is_cut:
        context.console.say(f"The first {limit} rows; --limit shows more.", "dim")


def rendered(context: Context, name: str | None, inline: str | None) -> str:
    """Return the SQL of the node or inline template that the arguments name."""
    from genredb.build.preview import rendered as render

    if (name is None) == (inline is None):
        raise UsageError("Name a model, or give a template by --inline.")
    return render(context.config, name, inline)
