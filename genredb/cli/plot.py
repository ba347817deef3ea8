"""``genredb plot``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from genredb.cli.complete import numbers, plots
from genredb.cli.options import Context, Force, command

if TYPE_CHECKING:
    from genredb.look.plot import Plot


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("plot")(plot)


@command(limits=True)
def plot(
    context: Context,
    kind: Annotated[str, typer.Argument(help="The kind of plot; see below.", autocompletion=plots)],
    columns: Annotated[
        list[str] | None,
        typer.Argument(help="Columns of songs, for some kinds.", autocompletion=numbers),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The file to write: .svg, .png, or .json for Vega-Lite."),
    ] = None,
    force: Force = False,
) -> None:
    """Draw a plot of the songs, the classifiers or the predictions.

    Kinds: heatmap, genres, years, map, confusion, calibration, importance and leaderboard; and of
    columns of songs: scatter X Y, histogram X, distribution X. Without -o, a terminal with graphics
    (kitty, sixel) shows the plot; elsewhere it is written to KIND.svg.

    Example: genredb plot scatter nrgy dnce -o plot.svg
    """
    from genredb.catalog import Catalog
    from genredb.look.plot import plot as draw

    with Catalog(context.config) as catalog:
        found = draw(catalog, kind, columns or ())
    if output is None and not context.json and _is_shown(found):
        return
    _write(context, found, output or Path(f"{kind}.svg"), is_forced=force)


def _is_shown(found: "Plot") -> bool:
    """Show a plot in the terminal, and say whether that could be done."""
    from genredb.cli.inline import show_inline
    from genredb.look.draw import DRAWN

    return show_inline(lambda: DRAWN["png"](found.spec))


def _write(context: Context, found: "Plot", path: Path, *, is_forced: bool) -> None:
    from genredb.ask.output import FORCE
    from genredb.cli.consent import with_consent
    from genredb.cli.console import print_json
    from genredb.look.plot import write_plot

    result = with_consent(
        lambda given: write_plot(context.config, found, path, is_forced=is_forced or FORCE in given)
    )
    if context.json:
        print_json(result)
    context.console.say(f"Wrote {result.path}.", "green")
    context.console.admit_sample(result.is_sample)
