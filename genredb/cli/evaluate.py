"""``genredb evaluate``."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from genredb.cli.comparison import print_comparison
from genredb.cli.complete import revisions
from genredb.cli.console import print_json, print_table
from genredb.cli.options import Context, command
from genredb.errors import UsageError

if TYPE_CHECKING:
    from genredb.songs.learn.leaderboard import Evaluation
    from genredb.songs.learn.reports import ProbabilityReport
    from genredb.songs.learning_curve import CurvePoint


class Label(StrEnum):
    """The target to predict."""

    genre = "genre"
    genre_group = "genre_group"


class By(StrEnum):
    """The groupings of a report on one classifier."""

    genre = "genre"
    group = "group"
    artist = "artist"
    source = "source"
    probability = "probability"


# The columns of the leaderboard and their meanings.
LEGEND = {
    "classifier": "always includes the default",
    "accuracy": "share of correct predictions ± standard error, clustered by artist",
    "difference": "accuracy minus the default's on the same songs; noise: could be chance (Holm's test, 5 %)",
    "unseen": "accuracy for artists with no labelled song in the training folds ± standard error",
    "log-loss": "mean of −log of the probability given to the true label; lower is better",
    "top 3": "share of songs whose true label is among the three most likely",
    "calibration": "mean gap between predicted probability and accuracy",
    "seen": "accuracy for artists with labelled songs in the training folds",
    "macro F1": "mean over labels of the harmonic mean of precision and recall",
    "ceiling": "share of songs whose label occurs in the training folds: an upper bound",
    "fit s": "total fitting time in seconds",
}
VALUE_LEGEND = {
    "songs": "labelled songs",
    "recall": "share of these songs predicted correctly",
    "recall by artist": "the same, each artist counted once",
    "precision": "share of predictions of it that are correct",
}
PROBABILITY_LEGEND = {
    "songs": "songs predicted with a probability in this range",
    "stated": "their mean probability",
    "right": "share of them predicted correctly",
    "answered": "share of songs predicted with at least this probability",
    "right of these": "accuracy for those songs ± standard error",
}
CURVE_LEGEND = {
    "songs": "labelled songs trained on",
    "artists": "their artists",
    "known": "share of test songs by these artists",
    "accuracy": "accuracy ± standard error",
    "unseen": "accuracy for test songs by other artists",
}


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("evaluate")(evaluate)


@command(limits=True)
def evaluate(
    context: Context,
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[CLASSIFIER]...", help="Classifiers to evaluate; the default one is always included."
        ),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Evaluate every available classifier.")] = False,
    protocol: Annotated[
        str,
        typer.Option(
            help=(
                "cv: cross-validation over songs; unseen: no artist in both training and test "
                "songs; seed: the notebook's single split."
            )
        ),
    ] = "cv",
    asked_label: Annotated[
        Label | None,
        typer.Option("--label", help="What to predict: genre by default, genre_group with --by group."),
    ] = None,
    by: Annotated[
        By | None,
        typer.Option(help="Report on one classifier by genre, group, artist, source or probability."),
    ] = None,
    curve: Annotated[
        bool,
        typer.Option(
            "--learning-curve", help="Show how one classifier's accuracy grows with the number of songs."
        ),
    ] = False,
    against: Annotated[
        str | None,
        typer.Option(
            "--compare-to",
            metavar="REVISION|FILE|RUN",
            help="Compare one classifier with a git revision, another database or an earlier run.",
            autocompletion=revisions,
        ),
    ] = None,
) -> None:
    """Evaluate classifiers on held-out songs and print a leaderboard.

    Results are cached in ml.evaluations, ml.fold_scores, ml.song_scores, ml.confusion, ml.calibration,
    ml.importances and ml.group_sets; ml.past_song_scores keeps the scores of earlier runs.

    `--by`, `--learning-curve` and `--compare-to` report on one classifier: the one named, or the default
    one. `--compare-to HEAD` builds the committed project from the same raw files, and reports how much each
    measure changed on the same folds, and which changes are noise.

    Example: genredb evaluate logistic --protocol unseen
    """
    console = context.console
    stated = names or []
    if sum(map(bool, (by, curve, against))) > 1:
        raise UsageError(
            "`--by`, `--learning-curve` and `--compare-to` cannot be combined", cure="give one of them"
        )
    if (by or curve or against) and (every or len(stated) > 1):
        raise UsageError(
            "`--by`, `--learning-curve` and `--compare-to` report on one classifier", cure="name one"
        )
    label = asked_label or (Label.genre_group if by is By.group else Label.genre)
    if curve and (protocol, label) != ("cv", Label.genre):
        raise UsageError(
            "`--learning-curve` supports only the protocol cv and the label genre",
            cure="leave out --protocol and --label",
        )
    with console.progress() as progress:
        progress("import scikit-learn", 0, 0)
        from genredb.songs.evaluate import evaluate as run_evaluate
        from genredb.songs.learn.registry import registry
        from genredb.songs.learning_curve import learning_curve
        from genredb.songs.staleness import DEFAULT

        name = stated[0] if stated else DEFAULT
        if against:
            from genredb.songs.compare import compare

            comparisons = compare(context.config, against, name, protocol, progress)
        elif curve:
            points = learning_curve(context.config, name, progress)
        else:
            chosen = list(registry(context.config.home)) if every else stated
            found = [
                e for e in run_evaluate(context.config, chosen, protocol, progress) if e.label == label.value
            ]
    context.warn_of_unbuilt()
    if against:
        print_comparison(context, next(one for one in comparisons if one.label == label.value))
    elif curve:
        _print_curve(context, name, points)
    elif by:
        _print_report(context, name, protocol, label, by)
    elif context.json:
        print_json(found)
    else:
        print_table(list(LEGEND), [_row(one) for one in found])
        _explain(context, LEGEND, f"{found[0].songs} songs, protocol {protocol}, label {label}.")


def _explain(context: Context, legend: Mapping[str, str], *lines: str) -> None:
    """Print what was evaluated and what the columns mean."""
    for line in lines:
        context.console.say(line)
    for column, meaning in legend.items():
        context.console.say(f"  {column}: {meaning}", "dim")


def _print_curve(context: Context, name: str, points: "Sequence[CurvePoint]") -> None:
    if context.json:
        print_json(points)
        return
    rows = [
        [
            round(one.songs),
            round(one.artists),
            f"{one.known_share:.3f}",
            f"{one.accuracy:.3f} ± {one.accuracy_error:.3f}",
            _share(one.unseen_accuracy),
        ]
        for one in points
    ]
    print_table(list(CURVE_LEGEND), rows)
    _explain(context, CURVE_LEGEND, f"{name}, protocol cv, label genre.")


def _print_report(context: Context, name: str, protocol: str, label: Label, by: By) -> None:
    from genredb.catalog import Catalog
    from genredb.songs.learn.reports import report_by, report_by_probability

    said = f"{name}, protocol {protocol}"
    with Catalog(context.config) as catalog:
        connection = catalog.connection
        if by is not By.probability:
            values = report_by(connection, name, protocol, label.value, by.value)
            if context.json:
                print_json(values)
                return
            columns = [by.value, "songs", "artists", "recall", "recall by artist", "precision"]
            rows = [
                [
                    o.value,
                    o.songs,
                    o.artists,
                    f"{o.recall:.3f}",
                    f"{o.artist_recall:.3f}",
                    _share(o.precision),
                ]
                for o in values
            ]
            print_table(columns, rows)
            _explain(context, VALUE_LEGEND, f"{said}, label {label}, by {by}.")
            return
        found = report_by_probability(connection, name, protocol, label.value)
    if context.json:
        print_json(found)
        return
    columns = ["artist", "probability", *PROBABILITY_LEGEND]
    print_table(columns, [_probability_row(one) for one in found.probabilities])
    _explain(
        context,
        PROBABILITY_LEGEND,
        f"{said}, label {label}: calibration error {found.calibration.error:.3f}, "
        f"where a perfectly calibrated classifier would show {found.calibration.perfect:.3f}.",
    )


def _probability_row(one: "ProbabilityReport") -> list[str]:
    return [
        "known" if one.is_artist_known else "unknown",
        f"{one.at_least:.1f} – {one.below:.1f}",
        f"{one.songs:.0f}",
        f"{one.mean_probability:.3f}",
        f"{one.right:.3f}",
        f"{one.answered:.3f}",
        f"{one.answered_right:.3f} ± {one.answered_right_error:.3f}",
    ]


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _row(one: "Evaluation") -> list[str]:
    """Return a line of the leaderboard."""
    difference = "default"
    if one.difference is not None:
        difference = (
            f"{one.difference:+.3f} ± {one.difference_error or 0:.3f}{' noise' if one.is_noise else ''}"
        )
    unseen = _share(one.unseen_accuracy)
    if one.unseen_error is not None:
        unseen += f" ± {one.unseen_error:.3f}"
    measures = (
        one.log_loss,
        one.top_3,
        one.calibration_error,
        one.seen_accuracy,
        one.macro_f1,
        one.ceiling,
    )
    return [
        one.classifier,
        f"{one.accuracy:.3f} ± {one.accuracy_error:.3f}",
        difference,
        unseen,
        *(_share(value) for value in measures),
        f"{one.fit_seconds:.1f}",
    ]
