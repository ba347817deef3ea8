"""``genredb predict``."""

from typing import Annotated

import typer

from genredb.cli.engines import EngineName, EngineOption, Master, on_engine
from genredb.cli.options import Context, command


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("predict")(predict)


@command(limits=True)
def predict(
    context: Context,
    min_probability: Annotated[
        float,
        typer.Option(
            min=0,
            max=1,
            help=(
                "Leave the genre empty in `predictions` below this probability; a submission "
                "always names one."
            ),
        ),
    ] = 0.0,
    classifier: Annotated[
        str | None,
        typer.Option(help="A classifier's name or id; also used from now on, as after `classifiers use`."),
    ] = None,
    engine: EngineOption = EngineName.DUCKDB,
    master: Master = None,
) -> None:
    """Predict the genre of every song without one. Trains a classifier first if none is up to date.

    Example: genredb predict && genredb query "from predictions limit 5"
    """
    from genredb.cli.console import print_json
    from genredb.cli.train import admit_warnings, describe

    context = on_engine(context, engine, master)
    console = context.console
    with console.progress() as progress:
        progress("import scikit-learn", 0, 0)
        from genredb.songs.learn.drift import describe_drift

        if engine == EngineName.SPARK:
            from genredb.songs.predict_on_spark import predict_on_spark as run_predict
        else:
            from genredb.songs.predict import predict as run_predict

        result = run_predict(context.config, progress, min_probability, classifier)
    if context.json:
        print_json(result)
    console.admit_sample(result.is_sample)
    if result.stale_reason:
        console.say(f"{result.stale_reason}; refitting.", "yellow")
    if result.resumed:
        console.say(f"{result.resumed:,} songs were predicted by an earlier run that was interrupted.")
    if result.trained:
        admit_warnings(console, result.trained)
        console.say(describe(result.trained))
    for clause in describe_drift(result.drift):
        console.warn(f"{clause}.")
    context.warn_of_unbuilt()
    if not result.is_published:
        console.say(
            f"The predictions of {result.songs:,} songs are up to date; nothing was written.", "green"
        )
        return
    by_audio = result.songs - result.by_artist
    said = f"Predicted {result.songs:,} songs: {result.by_artist:,} by their artist, {by_audio:,} by audio"
    if result.unnamed:
        said += f"; {result.unnamed:,} got no genre, as their probability is below {min_probability:g}"
    console.say(f"{said}.", "green")
