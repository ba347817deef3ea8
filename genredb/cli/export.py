"""``genredb export``."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from genredb.cli.answers import is_stdout, refuse_binary
from genredb.cli.complete import relations
from genredb.cli.engines import EngineName, EngineOption, Master, on_engine
from genredb.cli.options import Context, Force, command
from genredb.cli.visible import stdout_bytes
from genredb.errors import UsageError
from genredb.warehouse.file_formats import FILE_FORMATS

Format = StrEnum("Format", {name.upper(): name for name in FILE_FORMATS})  # type: ignore[misc]

if TYPE_CHECKING:
    from collections.abc import Callable

    from genredb.ask.export import ExportResult


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("export")(export)


@command(limits=True)
def export(
    context: Context,
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write; - is stdout.")],
    relation: Annotated[
        str, typer.Argument(help="A table or view.", autocompletion=relations)
    ] = "submission",
    file_format: Annotated[
        Format | None, typer.Option("--format", help="Format; default: by the file's extension.")
    ] = None,
    raw: Annotated[
        bool, typer.Option("--raw", help="In a CSV, do not escape text that looks like a formula.")
    ] = False,
    force: Force = False,
    engine: EngineOption = EngineName.DUCKDB,
    master: Master = None,
) -> None:
    """Export a table or view to a file. A submission is written only if it is valid and up to date.

    Example: genredb export -o submission.csv
    """
    from genredb.ask.export import export as run_export
    from genredb.ask.output import FORCE
    from genredb.cli.consent import with_consent
    from genredb.cli.console import print_json

    context = on_engine(context, engine, master)

    def run(path: Path, given: frozenset[str] = frozenset()) -> "ExportResult":
        chosen = file_format.value if file_format else ""
        return run_export(context.config, relation, path, chosen, raw=raw, is_forced=force or FORCE in given)

    if is_stdout(output):
        if context.json:
            raise UsageError("--json and -o - would both write to stdout", cure="leave out one of them")
        result = _to_stdout(run, file_format)
    else:
        result = with_consent(lambda given: run(output, given))
    if context.json:
        print_json(result)
    where = "stdout" if is_stdout(output) else result.path
    rows = "1 row" if result.rows == 1 else f"{result.rows:,} rows"
    context.console.say(f"Wrote {rows} of {result.relation} to {where}.", "green")
    context.console.admit_sample(result.is_sample)
    if result.foreign_songs:
        songs = "1 labelled song" if result.foreign_songs == 1 else f"{result.foreign_songs:,} labelled songs"
        context.console.warn(
            f"The training data includes {songs} from outside the competition, which its rules forbid; "
            "move songs_extra*.csv away, then build and predict again before you submit."
        )


def _to_stdout(run: "Callable[[Path], ExportResult]", file_format: str | None) -> "ExportResult":
    """Export to a temporary file, where it can be verified, and print it."""
    import shutil

    from genredb.drafts import temporary_folder

    if file_format and FILE_FORMATS[file_format].is_binary and sys.stdout.isatty():
        refuse_binary(file_format)
    with temporary_folder() as folder:
        result = run(folder / "export")
        with result.path.open("rb") as exported:
            shutil.copyfileobj(exported, stdout_bytes())
    return result
