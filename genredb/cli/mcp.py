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
    """Serve the Model Context Protocol to an assistant on stdin and stdout. Nothing can be written.

    It runs queries as `query` does, lists relations and columns, follows lineage and explains predictions.

    Example: genredb mcp --timeout 20
    """
    from genredb.ask.query import limits_of

    try:
        from genredb.mcp.server import make_server
    except ModuleNotFoundError:
        raise UsageError("The MCP SDK is not installed", cure="run `pip install 'genredb[mcp]'`") from None
    # Each question reads the project anew; what is wrong with it is said at once, too.
    make_server(context.config.settings, limits_of(context.config, timeout or None)).run()
