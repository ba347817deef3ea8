"""``genredb lineage``."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from genredb.cli.complete import relations
from genredb.cli.options import Context, command
from genredb.cli.visible import visible

if TYPE_CHECKING:
    from genredb.runner.flow.lineage import ColumnRef
    from genredb.runner.lineage import Trace

# Edges that carry values are followed; others, such as join keys, are only named.
FOLLOWED = {"value", "classifier"}


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("lineage")(lineage)


@command()
def lineage(
    context: Context,
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME[.COLUMN]", help="A relation, or a column of one.", autocompletion=relations
        ),
    ],
    downstream: Annotated[bool, typer.Option("--downstream", help="Show what depends on it.")] = False,
) -> None:
    """Trace a column back to the raw files, or show what depends on it.

    A column without a note contributes to the value; one marked "(join key)", "(filter)" or the like only
    decides which value or row is taken. -v traces those, too.

    Example: genredb lineage songs.genre_group
    """
    print_lineage(context, name, downstream=downstream)


def print_lineage(context: Context, name: str, *, downstream: bool) -> None:
    """Print the lineage of a relation or column, upstream or downstream."""
    from genredb.catalog import Catalog
    from genredb.cli.console import print_json
    from genredb.runner.lineage import trace

    with Catalog(context.config) as catalog:
        found = trace(catalog, name, is_downstream=downstream)
    for relation, reason in found.unresolved.items():
        context.console.warn(f"Cannot trace the columns of {relation}: {reason}.")
    if context.json:
        from genredb.reports.contents import lineage_report

        print_json(lineage_report(found))
    else:
        _print_trees(found, is_downstream=downstream, is_verbose=context.console.is_verbose)


def _print_trees(found: "Trace", *, is_downstream: bool, is_verbose: bool) -> None:
    from rich.tree import Tree

    from genredb.cli.console import stdout_console

    next_ones: dict[ColumnRef, dict[ColumnRef, list[str]]] = {}
    for edge in found.edges:
        here, there = (edge.source, edge.target) if is_downstream else (edge.target, edge.source)
        next_ones.setdefault(here, {}).setdefault(there, []).append(edge.how.value)
    shown: set[ColumnRef] = set()

    def grow(tree: Any, ref: "ColumnRef") -> None:
        shown.add(ref)
        ways = next_ones.get(ref, {})
        for other in sorted(ways, key=lambda other: (FOLLOWED.isdisjoint(ways[other]), found.names[other])):
            is_value = not FOLLOWED.isdisjoint(ways[other])
            branch = tree.add(_text(found, other, "" if "value" in ways[other] else ", ".join(ways[other])))
            if other in shown and next_ones.get(other) and (is_value or is_verbose):
                branch.add("(see above)", style="dim")
            elif is_value or is_verbose:
                grow(branch, other)

    for column in found.columns:
        tree = Tree(_text(found, column, ""), guide_style="dim")
        grow(tree, column)
        stdout_console().print(tree)


def _text(found: "Trace", ref: "ColumnRef", how: str) -> Any:
    from rich.text import Text

    text = Text(visible(found.names[ref]))
    if how:
        text.append(f" ({how})", style="dim")
    if ref in found.files:
        text.append(visible(f"  {found.files[ref].file}: {found.files[ref].header}"), style="cyan")
    return text
