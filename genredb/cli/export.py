"""``genredb export``."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from genredb.cli.complete import relations
from genredb.cli.options import Context, command


class Format(StrEnum):
    """The formats of an export."""

    CSV = "csv"
    PARQUET = "parquet"
    JSON = "json"


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("export")(export)


@command()
def export(
    context: Context,
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write.")],
    relation: Annotated[
        str, typer.Argument(help="A table or view.", autocompletion=relations)
    ] = "submission",
    file_format: Annotated[
        Format | None, typer.Option("--format", help="The format; else the file's ending says it.")
    ] = None,
    raw: Annotated[
        bool, typer.Option("--raw", help="In a CSV, leave text that begins like a formula as it is.")
    ] = False,
) -> None:
    """Write a table or view to a file. A submission is written only if it is valid and current.

    Example: genredb export -o submission.csv
    """
    from genredb.cli.console import print_json
    from genredb.export import export as run_export

    result = run_export(context.config, relation, output, file_format.value if file_format else "", raw=raw)
    if context.json:
        print_json(result)
    rows = "1 row" if result.rows == 1 else f"{result.rows:,} rows"
    context.console.say(f"Wrote {rows} of {result.relation} to {result.path}.", "green")
    context.console.admit_sample(result.is_sample)
    if result.foreign_songs:
        songs = "1 labelled song" if result.foreign_songs == 1 else f"{result.foreign_songs:,} labelled songs"
        context.console.warn(
            f"{songs} beyond the competition's own decided this submission, "
            "which its rules forbid; move songs_extra*.csv away, build and predict before you hand one in."
        )
