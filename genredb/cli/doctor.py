"""``genredb doctor``."""

import typer

from genredb.cli.options import Context, command
from genredb.cli.visible import visible

_STYLES = {"ok": "green", "note": "yellow", "problem": "red bold"}


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("doctor")(doctor)


@command()
def doctor(context: Context) -> None:
    """Check the project and the database, and suggest a fix for each problem.

    Covers versions, project files, raw files, disk space, leftover files, the integrity of every table, the
    classifier, predictions, drift and out-of-date relations.

    Example: genredb doctor
    """
    from genredb.cli.console import print_json, stdout_console
    from genredb.doctor import examine

    with context.console.progress() as progress:
        progress("examine", 0, 0)
        findings = list(examine(context.settings))
    if context.json:
        print_json(findings)
    else:
        out = stdout_console()
        for finding in findings:
            cure = f" → {finding.cure}" if finding.cure else ""
            out.print(f"{finding.level:<8}", style=_STYLES[finding.level], end="")
            out.print(visible(f"{finding.about}: {finding.text}{cure}"), markup=False, soft_wrap=True)
    raise typer.Exit(max((finding.exit_code for finding in findings), default=0))
