"""``genredb evaluate``."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from genredb.cli.options import Context, command

if TYPE_CHECKING:
    from genredb.learn.evaluations import Evaluation


class Label(StrEnum):
    """What is predicted."""

    genre = "genre"
    genre_group = "genre_group"


COLUMNS = (
    "classifier",
    "accuracy",
    "seen",
    "unseen",
    "top 3",
    "macro F1",
    "log-loss",
    "calibration",
    "ceiling",
    "fit s",
    "difference",
)


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("evaluate")(evaluate)


@command()
def evaluate(
    context: Context,
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[CLASSIFIER]...", help="Beside the default one.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Judge every classifier of the registry.")] = False,
    protocol: Annotated[
        str,
        typer.Option(
            help="cv: folds over songs; unseen: no artist on both sides; seed: the notebook's one split."
        ),
    ] = "cv",
    label: Annotated[Label, typer.Option(help="What is predicted.")] = Label.genre,
) -> None:
    """Judge classifiers on songs that they did not see. A leaderboard is printed.

    What came out is kept in ml.evaluations, ml.fold_scores, ml.song_scores, ml.confusion and ml.importances,
    and not done again for the same songs. Errors are standard errors over songs, an artist's songs taken
    together. A difference to the default classifier below two of its errors is called noise.

    Example: genredb evaluate --all --protocol unseen
    """
    from genredb.cli.console import print_json, print_table

    console = context.console
    with console.progress() as progress:
        progress("import scikit-learn", 0, 0)
        from genredb.learn.classifiers import CLASSIFIERS
        from genredb.learn.evaluate import evaluate as run_evaluate

        chosen = list(CLASSIFIERS) if every else (names or [])
        found = [
            e for e in run_evaluate(context.config, chosen, protocol, progress) if e.label == label.value
        ]
    if context.json:
        print_json(found)
        return
    print_table(COLUMNS, [_row(one) for one in found])
    console.say(f"{found[0].songs} songs, protocol {protocol}, label {label}.")


def _row(one: "Evaluation") -> list[str]:
    """Return a line of the leaderboard."""
    difference = "default"
    if one.difference is not None and one.difference_error is not None:
        is_noise = abs(one.difference) < 2 * one.difference_error
        difference = f"{one.difference:+.3f} ± {one.difference_error:.3f}{' noise' if is_noise else ''}"
    measures = (
        one.seen_accuracy,
        one.unseen_accuracy,
        one.top_3,
        one.macro_f1,
        one.log_loss,
        one.calibration_error,
        one.ceiling,
    )
    return [
        one.classifier,
        f"{one.accuracy:.3f} ± {one.accuracy_error:.3f}",
        *("–" if value is None else f"{value:.3f}" for value in measures),
        f"{one.fit_seconds:.1f}",
        difference,
    ]
