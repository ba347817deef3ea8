"""Prints how an edit changed a classifier: each measure before and after, and a verdict."""

from typing import TYPE_CHECKING

from genredb.cli.console import print_json, print_table
from genredb.cli.options import Context

if TYPE_CHECKING:
    from genredb.songs.compare import Comparison, Difference


def print_comparison(context: Context, found: "Comparison") -> None:
    """Print the measures as a table or as JSON, and the verdict as a message."""
    if context.json:
        print_json(found)
        return
    print_table(["measure", "before", "after", "difference"], [_row(one) for one in found.measures])
    say = context.console.say
    say(
        f"{found.classifier} since {found.before}: {found.songs} songs, protocol "
        f"{found.protocol}, label {found.label}."
    )
    for what, features in (("added", found.added), ("removed", found.removed)):
        if features:
            say(f"Features {what}: {', '.join(features)}.")
    say(_verdict(found))
    say("  difference: after minus before on the same folds ± standard error, clustered by artist", "dim")
    say("  noise: could be chance (Holm's test at 5 % over the measures)", "dim")


def _row(one: "Difference") -> list[str]:
    noise = " noise" if one.is_noise else ""
    return [
        one.measure,
        f"{one.before:.3f}",
        f"{one.after:.3f}",
        f"{one.difference:+.3f} ± {one.error:.3f}{noise}",
    ]


def _verdict(found: "Comparison") -> str:
    clear = [one for one in found.measures if not one.is_noise]
    if not clear:
        return "Verdict: noise. No measure changed more than chance could explain."
    said = [
        f"{one.measure} is {'higher' if one.difference > 0 else 'lower'} by {abs(one.difference):.3f}"
        f" ± {one.error:.3f}"
        for one in clear
    ]
    rest = "; the rest is noise" if len(clear) < len(found.measures) else ""
    return f"Verdict: {', '.join(said)}{rest}."
