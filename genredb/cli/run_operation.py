"""``genredb run-operation``."""

from typing import Annotated

import typer

from genredb.cli.options import Context, command, parse_mapping
from genredb.cli.visible import echo


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("run-operation")(run_operation)


@command(limits=True)
def run_operation(
    context: Context,
    macro: Annotated[str, typer.Argument(help="A macro of the project, or package.macro.")],
    arguments: Annotated[
        str, typer.Option("--args", help="Arguments of the macro as YAML: 'schema: staging'.")
    ] = "",
) -> None:
    """Call a macro with the database; print what it logs.

    It works on a copy, which is published only if the macro succeeds.

    Example: genredb run-operation clean_up --args 'schema: staging'
    """
    from genredb.cli.console import print_json
    from genredb.runner.run_operation import run_operation as call
    from genredb.songs.extension import SONGS

    result = call(context.config, macro, parse_mapping(arguments, "--args", "schema: staging"), SONGS)
    if context.json:
        print_json(result)
        return
    for message in result.messages:
        echo(message)
    wrote = f"published {context.config.database.name}" if result.published else "it wrote nothing"
    context.console.say(f"Called {macro} in {result.seconds:.1f} s; {wrote}.", "green")
