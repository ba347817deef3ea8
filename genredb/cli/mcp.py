"""``genredb mcp``."""

from typing import Annotated

import typer

from genredb.cli.options import Context, command
from genredb.cli.query import SECONDS
from genredb.errors import UsageError


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("mcp")(mcp)


@command(reports=False, limits=True)
def mcp(
    context: Context,
    timeout: Annotated[
        float,
        typer.Option(
            min=0, max=1e6, metavar="SECONDS", help="Cancel a request after this time; 0 disables the limit."
        ),
    ] = SECONDS,
) -> None:
    """Serve an AI assistant over the Model Context Protocol, on stdin and stdout. Read-only.

    It runs queries with the limits of `query`, lists relations and columns, traces lineage and explains
    predictions.

    Example: genredb mcp --timeout 20
    """
    from genredb.ask.query import limits_of

    try:
        from genredb.mcp.server import make_server
    except ModuleNotFoundError:
        raise UsageError("The MCP SDK is not installed", cure="run `pip install 'genredb[mcp]'`") from None
    # Each request reads the project again; reading it here reports its errors at the start.
    make_server(context.config.settings, limits_of(context.config, timeout or None)).run()
