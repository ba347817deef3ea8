"""``genredb describe``."""

from dataclasses import astuple
from typing import Annotated

import typer

from genredb.cli.complete import relations
from genredb.cli.options import Context, command
from genredb.cli.visible import echo

_COLUMNS = ("column", "type", "least", "greatest", "mean", "deviation", "null %", "different", "meaning")
_TITLES = {
    "genres": "Genres",
    "groups": "Groups",
    "numbers": "Numbers, of the labelled songs",
    "texts": "Texts, of the labelled songs",
    "correlations": "Correlations",
    "genre_means": "Means by genre",
    "Relations": "Relations",
}


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

    Of the songs: genres and groups counted, columns summed up, correlations, genres' means. In a project
    without songs: its relations.

    Example: genredb describe songs
    """
    from genredb.cli.console import print_json, print_table
    from genredb.query.describe import describe_relation, describe_songs

    if relation is not None:
        facts = describe_relation(context.config, relation)
        if context.json:
            print_json(facts)
            return
        echo(f"{facts.relation}: {facts.rows:,} rows")
        print_table(_COLUMNS, [astuple(column) for column in facts.columns])
        return
    sections = describe_songs(context.config, limit)
    if context.json:
        print_json({one.name: _objects(one.columns, one.rows) for one in sections})
        return
    for number, section in enumerate(sections):
        echo(f"{chr(10) if number else ''}{_TITLES[section.name]}")
        print_table(section.columns, section.rows)
        if section.is_cut:
            context.console.say(f"Only the first {limit:,}; --limit tells of more.", "dim")


def _objects(columns: tuple[str, ...], rows: tuple[tuple[object, ...], ...]) -> list[dict[str, object]]:
    names = [name or "name" for name in columns]
    return [dict(zip(names, row, strict=True)) for row in rows]
