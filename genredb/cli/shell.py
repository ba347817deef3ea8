"""``genredb shell``."""

import contextlib
import signal
import sys
import time
from collections.abc import Iterable, Iterator
from typing import Annotated

import typer

from genredb.cli.answers import RAW_FILES_CHANGED
from genredb.cli.console import near
from genredb.cli.options import Context, command
from genredb.cli.session import Session
from genredb.errors import GenredbError


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("shell")(shell)


@command(reports=False, limits=True)
def shell(
    context: Context,
    trusted: Annotated[
        bool,
        typer.Option(
            "--trusted",
            help="Allow the query to read files and use any amount of memory. It still cannot write.",
        ),
    ] = False,
) -> None:
    """Open an interactive SQL prompt. Type .help for its commands.

    Example: genredb shell

    Example: echo "select count(*) from songs;" | genredb shell
    """
    from genredb.ask.query import limits_of
    from genredb.runner.planning.receipt import raw_files_changed
    from genredb.warehouse.database import open_reader

    with open_reader(context.config.database, context.config.engine):
        pass  # a missing database is an error that says what to do
    session = Session(context, limits_of(context.config, None, is_trusted=trusted), is_trusted=trusted)
    if raw_files_changed(context.config):
        context.console.say(RAW_FILES_CHANGED, "yellow")
    if sys.stdin.isatty() and sys.stdout.isatty():
        _talk(session)
    else:
        run_all(session, sys.stdin)


def run_all(session: Session, lines: Iterable[str]) -> None:
    """Run statements and dot commands; raises the GenredbError of the first that fails."""
    for text in _pieces(lines):
        if not session.is_over:
            _run(session, text)


def _run(session: Session, text: str) -> None:
    """Run one statement or dot command."""
    from genredb.cli.dot_commands import as_dot_command, run_dot_command

    started = time.perf_counter()
    command = as_dot_command(text)
    if command is not None:
        run_dot_command(session, command)
    elif text.strip():
        session.ask(text)
        if session.is_timed:
            session.context.console.say(f"Took {time.perf_counter() - started:.3f} s.", "dim")


def _talk(session: Session) -> None:
    """Read and run input until the user leaves; an error or Ctrl-C ends a query, not the shell."""
    from genredb import __version__
    from genredb.cli.prompt import Prompt

    console = session.context.console
    database = near(session.context.config.database)
    console.say(f"genredb {__version__} on {database}. Type .help for commands, Ctrl-D to exit.")
    prompt = Prompt(session.context.config)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # at the prompt, prompt_toolkit handles Ctrl-C as a key
    while not session.is_over:
        try:
            text = prompt.read()
        except KeyboardInterrupt:
            continue
        except EOFError:
            return
        try:
            with _interruptible():
                run_all(session, text.splitlines(keepends=True))
        except GenredbError as error:
            console.line(("error: ", "red bold"), (str(error), ""))
        except KeyboardInterrupt:
            console.line(("interrupted", "yellow"))
        except Exception as error:  # noqa: BLE001 - an internal error must not end the session
            bug = f"{type(error).__name__}: {error}\nThis is an internal error; please report it."
            console.line(("error: ", "red bold"), (bug, ""))


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """Let Ctrl-C raise KeyboardInterrupt inside this context only."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def _pieces(lines: Iterable[str]) -> Iterator[str]:
    """Yield the statements and dot commands of a text; the last one needs no semicolon.

    Each statement is padded with empty lines for those before it, so that errors give line numbers in the
    whole text.
    """
    from genredb.cli.dot_commands import as_dot_command
    from genredb.warehouse.user_sql import is_blank, split_statements

    held, passed = "", 0
    for line in lines:
        if not held.strip() and as_dot_command(line) is not None:
            yield line
            passed += 1
            continue
        statements, held = split_statements(held + line)
        for statement in statements:
            yield "\n" * passed + statement
            passed += statement.count("\n")
    if not is_blank(held):
        yield "\n" * passed + held
