"""``genredb classifiers``: list, show, use, rm."""

from typing import Annotated

import typer

from genredb.cli.options import Context, command

Id = Annotated[str, typer.Argument(metavar="ID", help="A classifier's id, or how it begins.")]


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
    text = "List the classifiers that there are; list, show, choose and remove fitted ones."
    app.add_typer(group, name="classifiers", help=text)


@command()
def available(context: Context) -> None:
    """List the classifiers that can be fitted: those of genredb, and those that classifiers.yml states.

    Example: genredb classifiers available
    """
    from genredb.cli.console import print_json, print_table
    from genredb.learn.registry import available_classifiers

    found = available_classifiers(context.config.home)
    if context.json:
        print_json(found)
        return
    columns = ("classifier", "reads", "stated in", "what it is")
    print_table(columns, [(one.name, one.reads, one.stated_in, one.description) for one in found])


@command()
def list_kept(context: Context) -> None:
    """List the fitted classifiers that the database keeps, the newest first.

    Example: genredb classifiers list
    """
    from genredb.cli.console import print_json, print_table
    from genredb.learn.kept import list_classifiers

    found = list_classifiers(context.config)
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
            "current" if one.is_current else "stale",
            "yes" if one.is_used else "",
        )
        for one in found
    ]
    print_table(columns, rows)


@command()
def show(context: Context, classifier: Id) -> None:
    """Print what a fitted classifier is: parameters, versions, features, what it was fitted on.

    Example: genredb classifiers show artist_vote
    """
    from genredb.cli.console import print_json
    from genredb.learn.kept import show_classifier

    print_json(show_classifier(context.config, classifier))


@command(reports=False)
def use(
    context: Context,
    classifier: Annotated[
        str,
        typer.Argument(
            metavar="CLASSIFIER", help="A name of `classifiers available`, or an id of `classifiers list`."
        ),
    ],
) -> None:
    """Let `genredb predict` use this classifier from now on.

    Example: genredb classifiers use artist_forest
    """
    from genredb.learn.kept import use_classifier

    use_classifier(context.config, classifier)
    context.console.say(f"`genredb predict` uses {classifier} from now on.", "green")


@command(reports=False)
def remove(context: Context, classifier: Id) -> None:
    """Remove a fitted classifier; its predictions stay.

    Example: genredb classifiers rm artist_forest
    """
    from genredb.learn.kept import remove_classifier

    context.console.say(f"Removed {remove_classifier(context.config, classifier)}.", "green")
