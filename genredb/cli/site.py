"""``genredb site``."""

from pathlib import Path
from typing import Annotated

import typer

from genredb.cli.options import Context, command


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("site")(site)


@command(limits=True)
def site(
    context: Context,
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder to write.")] = Path("site"),
) -> None:
    """Write a report that a browser opens from disk: songs, genres, predictions, lineage, runs.

    The folder holds plain files, which any web server can publish. Writing it again replaces it.

    Example: genredb site -o report
    """
    from genredb.catalog import Catalog
    from genredb.cli.console import print_json
    from genredb.look.site.write import write_site

    with Catalog(context.config) as catalog, context.console.progress() as progress:
        result = write_site(catalog, output, progress=progress)
    if context.json:
        print_json(result)
    context.console.say(f"Wrote {result.path}: {result.files:,} files, {result.bytes / 1e6:.1f} MB.", "green")
    context.console.admit_sample(result.is_sample)
