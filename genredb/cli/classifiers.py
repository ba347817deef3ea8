"""``genredb classifiers``: list, show, use, rm."""

from typing import Annotated

import typer

from genredb.cli.options import Context, command

Id = Annotated[str, typer.Argument(metavar="ID", help="A classifier's id, or its first characters.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    group = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
    for name, function in (
        ("available", available),
        ("list", list_kept),
        ("show", show),
        ("use", use),
        ("rm", remove),
    ):
        group.command(name)(function)
    text = "List the available classifiers; list, show, choose and remove trained ones."
    app.add_typer(group, name="classifiers", help=text)


@command()
def available(context: Context) -> None:
    """List the classifiers that can be trained: built-in ones and those defined in classifiers.yml.

    Example: genredb classifiers available
    """
    from genredb.cli.console import print_json, print_table
    from genredb.songs.learn.registry import available_classifiers

    found = available_classifiers(context.config.home)
    if context.json:
        print_json(found)
        return
    columns = ("classifier", "reads", "defined in", "description")
    rows = [(one.name, " and ".join(one.reads), one.stated_in, one.description) for one in found]
    print_table(columns, rows)


@command()
def list_kept(context: Context) -> None:
    """List the trained classifiers in the database, newest first.

    Example: genredb classifiers list
    """
    from genredb.catalog import Catalog
    from genredb.cli.console import print_json, print_table

    with Catalog(context.config) as catalog:
        found = catalog.classifiers
    if context.json:
        print_json(found)
        return
    columns = ("id", "set", "songs", "genres", "fitted at", "state", "predicts")
    rows = [
        (
            one.classifier_id,
            ", ".join(f"{name}={value}" for name, value in one.parameters.items()),
            one.songs,
            one.genres,
            f"{one.fitted_at:%Y-%m-%d %H:%M}",
            "current" if one.is_current else "out of date",
            "yes" if one.is_used else "",
        )
        for one in found
    ]
    print_table(columns, rows)


@command()
def show(context: Context, classifier: Id) -> None:
    """Show a stored classifier: parameters, versions, features and training data.

    Example: genredb classifiers show artist_vote
    """
    from genredb.cli.console import print_json
    from genredb.songs.classifiers import show_classifier

    print_json(show_classifier(context.config, classifier))


@command(reports=False)
def use(
    context: Context,
    classifier: Annotated[
        str,
        typer.Argument(
            metavar="CLASSIFIER", help="A name from `classifiers available` or an id from `classifiers list`."
        ),
    ],
) -> None:
    """Make `genredb predict` use this classifier from now on.

    Example: genredb classifiers use artist_forest
    """
    from genredb.songs.classifiers import use_classifier

    use_classifier(context.config, classifier)
    context.console.say(f"`genredb predict` uses {classifier} from now on.", "green")


@command(reports=False)
def remove(context: Context, classifier: Id) -> None:
    """Remove a stored classifier. Its predictions stay.

    Example: genredb classifiers rm artist_forest
    """
    from genredb.songs.classifiers import remove_classifier

    context.console.say(f"Removed {remove_classifier(context.config, classifier)}.", "green")
