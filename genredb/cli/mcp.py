"""``genredb mcp``."""

from typing import Annotated

import typer

from genredb.cli.options import Context, command
from genredb.cli.query import SECONDS
from genredb.errors import UsageError


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("mcp")(mcp)


@command(reports=False)
def mcp(
    context: Context,
    timeout: Annotated[
        float,
        typer.Option(min=0, max=1e6, metavar="SECONDS", help="End an answer after this time; 0: never."),
    ] = SECONDS,
) -> None:
    """Let an assistant ask, by the Model Context Protocol on stdin and stdout. Nothing can be written.

    It asks as `query` does, lists relations and columns, follows lineage and explains genres.

    Example: genredb mcp --timeout 20
    """
    from genredb.query.guard import Limits

    try:
        from genredb.mcp.server import make_server
    except ModuleNotFoundError:
        raise UsageError(
            "The SDK of the protocol is not installed; pip install 'genredb[mcp]' does that."
        ) from None
    # Each question reads the project anew; what is wrong with it is said at once, too.
    make_server(context.config.settings, Limits(timeout or None)).run()
