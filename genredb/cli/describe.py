"""``genredb describe``."""

from dataclasses import astuple
from typing import TYPE_CHECKING, Annotated

import typer

from genredb.cli.complete import relations
from genredb.cli.options import Context, command
from genredb.cli.visible import echo

if TYPE_CHECKING:
    from genredb.ask.describe import RelationFacts, Section
    from genredb.ask.relations import Relation

GENRES = 20  # default length of the table
_COLUMNS = ("column", "type", "min", "max", "mean", "std dev", "null %", "distinct", "description")
_TITLES = {
    "genres": "Genres",
    "groups": "Groups",
    "numbers": "Numeric columns (labelled songs)",
    "texts": "Text columns (labelled songs)",
    "correlations": "Correlations",
    "genre_means": "Means by genre",
}


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("describe")(describe)


@command(limits=True)
def describe(
    context: Context,
    relation: Annotated[
        str | None, typer.Argument(help="A table or view; default: all songs.", autocompletion=relations)
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(min=1, help=f"Number of genres to list; default: {GENRES}, or all with --json."),
    ] = None,
) -> None:
    """Summarize the songs, or describe the columns of one relation.

    For songs: counts by genre and group, column summaries, correlations and means by genre. In a project
    without songs: a list of its relations.

    Example: genredb describe songs
    """
    from genredb.ask.describe import describe_relation, describe_songs
    from genredb.catalog import Catalog

    with Catalog(context.config) as catalog:
        if relation is not None:
            _print_facts(context, describe_relation(catalog, relation))
        elif sections := describe_songs(catalog, limit or (None if context.json else GENRES)):
            _print_songs(context, sections)
        else:
            _print_relations(context, catalog.relations)


def _print_facts(context: Context, facts: "RelationFacts") -> None:
    from genredb.cli.console import print_json, print_table

    if context.json:
        print_json(facts)
        return
    echo(f"{facts.relation}: {facts.rows:,} rows")
    print_table(_COLUMNS, [astuple(column) for column in facts.columns])


def _print_songs(context: Context, sections: "list[Section]") -> None:
    from genredb.cli.console import print_json, print_table
    from genredb.reports.contents import songs_report

    if context.json:
        print_json(songs_report(sections))
        return
    for number, section in enumerate(sections):
        echo(f"{chr(10) if number else ''}{_TITLES[section.name]}")
        print_table(section.columns, section.rows)
        if section.is_cut:
            context.console.say(f"Showing the first {len(section.rows):,}; use --limit for more.", "dim")


def _print_relations(context: Context, found: "tuple[Relation, ...]") -> None:
    from genredb.cli.console import print_json, print_table
    from genredb.reports.contents import RelationsReport, listed_relation

    if context.json:
        print_json(RelationsReport(tuple(map(listed_relation, found))))
        return
    echo("Relations")
    rows = [(one.asked_as, one.kind, len(one.columns), one.description) for one in found]
    print_table(("relation", "kind", "columns", "description"), rows)
