"""``genredb sample``."""

from pathlib import Path
from typing import Annotated

import typer

from genredb.cli.options import Context, command


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("sample")(sample)


@command()
def sample(
    context: Context,
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder to write into.")],
    rows: Annotated[
        int,
        typer.Option(
            min=1, help="Number of songs in the training file; the test file has a quarter as many."
        ),
    ] = 453,
    seed: Annotated[
        int, typer.Option(min=0, help="Random seed; the same rows and seed give the same files.")
    ] = 0,
    defects: Annotated[
        bool, typer.Option("--defects", help="Add invalid rows, which a build quarantines.")
    ] = False,
) -> None:
    """Generate synthetic CSVs in the competition's format. The songs are invented; the values are plausible.

    Example: genredb sample --rows 10000 -o big && genredb build --raw-dir big
    """
    from genredb.cli.console import print_json
    from genredb.songs.sample.write import write_sample

    with context.console.progress() as progress:
        result = write_sample(
            output, rows, seed, defects=defects, progress=lambda done, total: progress("sample", done, total)
        )
    if context.json:
        print_json(result)
    extra = f" and {result.defects} invalid rows" if result.defects else ""
    context.console.say(
        f"Wrote {result.train_rows:,} + {result.test_rows:,} synthetic songs{extra} to {result.folder}.",
        "green",
    )
