"""``genredb train``."""

from typing import TYPE_CHECKING, Annotated

import typer

from genredb.cli.options import Context, command

if TYPE_CHECKING:
    from genredb.learn.train import TrainResult


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("train")(train)


@command()
def train(
    context: Context,
    classifier: Annotated[
        str | None, typer.Option(help="A classifier of the registry; else the one that predicts.")
    ] = None,
) -> None:
    """Fit a classifier and keep it in the database.

    Example: genredb train --classifier artist_forest
    """
    from genredb.cli.console import print_json

    console = context.console
    with console.progress() as progress:
        progress("import scikit-learn", 0, 0)
        from genredb.learn.train import train as run_train

        result = run_train(context.config, progress, classifier)
    if context.json:
        print_json(result)
    console.admit_sample(result.is_sample)
    context.warn_of_unbuilt()
    console.say(describe(result), "green")


def describe(result: "TrainResult") -> str:
    """Say in a line what a classifier was fitted on."""
    audio = f"{result.audio_songs:,} songs in {result.audio_genres} genres"
    if not result.artists:
        return f"Fitted {result.classifier_id}: {audio}."
    return (
        f"Fitted {result.classifier_id}: {result.artists:,} artists from {result.songs:,} songs, "
        f"audio from {audio}."
    )
