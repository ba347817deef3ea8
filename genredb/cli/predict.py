"""``genredb predict``."""

from typing import Annotated

import typer

from genredb.cli.options import Context, command


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("predict")(predict)


@command()
def predict(
    context: Context,
    min_probability: Annotated[
        float,
        typer.Option(
            min=0,
            max=1,
            help="Leave a song unnamed in `predictions` if its genre is less probable; a submission has all.",
        ),
    ] = 0.0,
    classifier: Annotated[
        str | None,
        typer.Option(help="A name or id: it predicts from now on, as by `classifiers use`."),
    ] = None,
) -> None:
    """Predict the genre of every song without one. A classifier is fitted first if none is current.

    Example: genredb predict && genredb query "from predictions limit 5"
    """
    from genredb.cli.console import print_json
    from genredb.cli.train import admit_warnings, describe

    console = context.console
    with console.progress() as progress:
        progress("import scikit-learn", 0, 0)
        from genredb.learn.drift import describe_drift
        from genredb.learn.predict import predict as run_predict

        result = run_predict(context.config, progress, min_probability, classifier)
    if context.json:
        print_json(result)
    console.admit_sample(result.is_sample)
    if result.stale_reason:
        console.say(f"{result.stale_reason}: fitting anew.", "yellow")
    if result.trained:
        admit_warnings(console, result.trained)
        console.say(describe(result.trained))
    for sentence in describe_drift(result.drift):
        console.warn(sentence)
    context.warn_of_unbuilt()
    if not result.is_published:
        console.say(f"The predictions of {result.songs:,} songs are current; nothing was written.", "green")
        return
    by_audio = result.songs - result.by_artist
    told = f"Predicted {result.songs:,} songs: {result.by_artist:,} by their artist, {by_audio:,} by audio"
    if result.unnamed:
        told += f"; {result.unnamed:,} of them are less probable than {min_probability:g} and stay unnamed"
    console.say(f"{told}.", "green")
