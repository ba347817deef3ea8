"""The ``genredb`` command: assembles the commands and turns errors into messages and exit codes."""

import gc
import importlib
import os
import re
import sys
from collections.abc import Sequence
from typing import Annotated, NoReturn

import typer

from genredb.cli import signals
from genredb.cli.log import log_end, logger
from genredb.cli.selection import joined
from genredb.cli.visible import visible
from genredb.errors import GenredbError
from genredb.version import __version__

# In the order of the help; each is a file in genredb/cli.
COMMANDS = (
    "build plan retry load test freshness run-operation ls show compile lineage train evaluate predict"
    " explain classifiers export pull query shell describe plot site diff mcp sample init deps doctor"
    " clean".split()
)
INTERNAL_ERROR = 70
# An SQL comment looks like an option; a space in front makes it an argument.
_COMMENT = re.compile(r"--(\s|[^=\n]*\n)")
EXIT_CODES = """Exit codes: 0 ok · 1 checks failed · 2 usage · 3 bad input or project · 4 timeout ·
5 database locked · 6 database corrupt · 70 internal error (please report) · 128 + n ended by signal n."""

app = typer.Typer(
    name="genredb",
    help="A song-genre warehouse in one DuckDB file: load CSVs, build SQL models, predict genres, export.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(value: bool) -> None:
    if value:
        typer.echo(f"genredb {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    _version: Annotated[
        bool,
        typer.Option("--version", help="Print the version and exit.", callback=_print_version, is_eager=True),
    ] = False,
) -> None:
    """Handle the options of genredb itself."""


def add_commands(arguments: Sequence[str]) -> None:
    """Add the command that the first argument names, or all; importing all of them takes long."""
    named = [name for name in COMMANDS if arguments[:1] == [name]]
    for name in (one.replace("-", "_") for one in named or COMMANDS):
        importlib.import_module(f"genredb.cli.{name}").add_to(app)


def main() -> NoReturn:
    """Run the command line and exit with its code."""
    try:
        _run()
    except SystemExit as end:
        log_end(end.code)
        gc.freeze()  # else Python looks for garbage in all that is left, half a second after a report
        raise


def _run() -> NoReturn:
    gc.set_threshold(100_000, 50, 50)  # imports leave no garbage; looking for it takes 5 % of start-up
    signals.listen()
    try:
        arguments = joined([f" {text}" if _COMMENT.match(text) else text for text in sys.argv[1:]])
        add_commands(arguments)
        app(args=arguments, standalone_mode=True)
    except GenredbError as error:
        _complain(str(error), error.exit_code)
    except signals.InterruptedBySignal:
        _end_interrupted()
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        _complain(f"{where}{error.strerror or error}.", GenredbError.exit_code)
    except MemoryError:
        _complain("Out of memory.", GenredbError.exit_code)
    except Exception as error:
        if signals.arrived:
            _end_interrupted()
        if os.environ.get("GENREDB_TRACEBACK"):
            raise
        logger.error("internal error", exc_info=True)
        _complain(
            (
                f"{type(error).__name__}: {error}\nThis is an internal error; please report it. "
                "Set GENREDB_TRACEBACK=1 to see the traceback."
            ),
            INTERNAL_ERROR,
        )
    sys.exit(0)


def _end_interrupted() -> NoReturn:
    logger.error("interrupted by signal %s", signals.arrived[0])
    typer.echo("interrupted; nothing was published", err=True)
    sys.exit(128 + signals.arrived[0])


def _complain(message: str, exit_code: int) -> NoReturn:
    logger.error("%s", message)
    typer.secho("error: ", fg="red", bold=True, err=True, nl=False, color=_color())
    typer.echo(visible(message), err=True)
    sys.exit(exit_code)


def _color() -> bool | None:
    """Return False under NO_COLOR; otherwise click decides by the terminal."""
    return False if os.environ.get("NO_COLOR") else None
