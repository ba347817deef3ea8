"""``genredb train``."""

import contextlib
from typing import TYPE_CHECKING, Annotated, Any

import typer

from genredb.cli.options import Context, command
from genredb.errors import UsageError
from genredb.runner.project.files import parse_yaml

if TYPE_CHECKING:
    from genredb.cli.console import Console
    from genredb.songs.train import TrainResult


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("train")(train)


@command(limits=True)
def train(
    context: Context,
    classifier: Annotated[
        str | None, typer.Option(help="A name listed by `classifiers available`; default: the one in use.")
    ] = None,
    stated: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="NAME=VALUE", help="Set a parameter of the estimator. Can be given repeatedly."
        ),
    ] = None,
) -> None:
    """Train a classifier and store it in the database.

    Example: genredb train --classifier artist_forest --set n_estimators=500
    """
    from genredb.cli.console import print_json

    console = context.console
    parameters = dict(_parameter(text) for text in stated or [])
    with console.progress() as progress:
        progress("import scikit-learn", 0, 0)
        from genredb.songs.train import train as run_train

        result = run_train(context.config, progress, classifier, parameters)
    if context.json:
        print_json(result)
    console.admit_sample(result.is_sample)
    context.warn_of_unbuilt()
    admit_warnings(console, result)
    console.say(describe(result), "green")
    if not result.is_used:
        console.say(
            f"The classifier in use stays the same; `genredb predict --classifier {result.classifier_id}` "
            "switches to this one."
        )


def _parameter(text: str) -> tuple[str, Any]:
    """Return name and value of ``NAME=VALUE``; the value is parsed as YAML."""
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise UsageError(f"--set should be NAME=VALUE such as n_estimators=500, not {text!r}")
    parsed = parse_yaml(f"value: {value}", f"--set {name}").get("value")
    with contextlib.suppress(ValueError):  # YAML reads 1e-3 as text
        parsed = float(parsed) if isinstance(parsed, str) else parsed
    return name.strip(), parsed


def admit_warnings(console: "Console", result: "TrainResult") -> None:
    """Print scikit-learn's warnings from fitting."""
    for line in result.warnings:
        console.warn(f"{result.classifier_id}: {line}.")


def describe(result: "TrainResult") -> str:
    """Return a one-line summary of a classifier's training data."""
    audio = f"{result.audio_songs:,} songs in {result.audio_genres} genres"
    if not result.artists:
        return f"Fitted {result.classifier_id}: {audio}."
    return (
        f"Fitted {result.classifier_id}: {result.artists:,} artists from {result.songs:,} songs, "
        f"audio from {audio}."
    )
