"""``genredb site``."""

import contextlib
import webbrowser
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
    with_sql: Annotated[
        Path | None,
        typer.Option(
            "--with-sql", help="Add live SQL: the folder where `npm install @duckdb/duckdb-wasm` ran."
        ),
    ] = None,
    is_opened: Annotated[bool, typer.Option("--open", help="Open the report in the browser.")] = False,
    is_served: Annotated[
        bool,
        typer.Option("--serve", help="Serve it on this machine until Ctrl-C, for browsers without files."),
    ] = False,
) -> None:
    """Write a report that a browser opens from disk: songs, genres, predictions, lineage, runs.

    The folder holds plain files, which any web server can publish. Writing it again replaces it.

    Example: genredb site -o report --open
    """
    from genredb.catalog import Catalog
    from genredb.cli.console import print_json
    from genredb.look.site.write import write_site
    from genredb.runner.planning.built_with import as_last_built, read_built_with

    with Catalog(context.config) as catalog:
        found = read_built_with(catalog.connection)
    # The models and their SQL are shown as they made what the database holds.
    config, _ = as_last_built(context.config, found)
    with Catalog(config) as catalog, context.console.progress() as progress:
        result = write_site(catalog, output, live_sql=with_sql, progress=progress)
    if context.json:
        print_json(result)
    size = f"{result.files:,} files, {result.bytes / 1e6:.1f} MB"
    context.console.say(f"Wrote {result.path}: {size}.", "green")
    if with_sql:
        from genredb.look.site.live_sql import MEMORY_MB

        context.console.say(f"Live SQL needs about {MEMORY_MB} MB of memory in the browser.")
    context.console.admit_sample(result.is_sample)
    if is_served:
        _serve(context, output, is_opened=is_opened)
    elif is_opened:
        _open(context, result.path.resolve().as_uri())


def _serve(context: Context, folder: Path, *, is_opened: bool) -> None:
    """Serve the report until Ctrl-C, which is how it is meant to end."""
    from genredb.cli.signals import InterruptedBySignal
    from genredb.look.site.serve import address_of, server_of

    with server_of(folder) as server:
        context.console.say(f"Serving it at {address_of(server)} until Ctrl-C.")
        if is_opened:
            _open(context, address_of(server))
        with contextlib.suppress(InterruptedBySignal):
            server.serve_forever()


def _open(context: Context, address: str) -> None:
    if not webbrowser.open(address):
        context.console.warn(f"No browser could be opened; the report is at {address}.")
