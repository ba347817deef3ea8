"""``genredb describe``."""

from typing import Annotated

import typer

from genredb.cli.complete import relations
from genredb.cli.options import Context, command
from genredb.cli.visible import echo


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("describe")(describe)


@command()
def describe(
    context: Context,
    relation: Annotated[
        str | None, typer.Argument(help="A table or view; else the songs.", autocompletion=relations)
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="Genres to tell of, the most frequent first.")] = 20,
) -> None:
    """Describe the songs, or what a relation holds.

    Of the songs: genres and groups counted, columns summed up, correlations, genres' means.

    Example: genredb describe songs
    """
    from genredb.cli.console import print_json, print_table
    from genredb.query.describe import describe_relation, describe_songs

    if relation is None:
        sections = describe_songs(context.config, limit)
    else:
        sections = describe_relation(context.config, relation)
    if context.json:
        print_json([{"title": one.title, "rows": _objects(one.columns, one.rows)} for one in sections])
        return
    for number, section in enumerate(sections):
        echo(f"{chr(10) if number else ''}{section.title}")
        print_table(section.columns, section.rows)
        if section.is_cut:
            context.console.say(f"Only the first {limit:,}; --limit tells of more.", "dim")


def _objects(columns: tuple[str, ...], rows: tuple[tuple[object, ...], ...]) -> list[dict[str, object]]:
    return [dict(zip(columns, row, strict=True)) for row in rows]
