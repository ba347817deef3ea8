"""``genredb shell``."""

import contextlib
import signal
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from genredb.cli.answers import FOR_PEOPLE, RAW_FILES_CHANGED, Format, ask
from genredb.cli.console import near, terminal_width
from genredb.cli.options import Context, command
from genredb.errors import GenredbError

if TYPE_CHECKING:
    from genredb.query.ask import Question
    from genredb.query.guard import Limits

TABLE_ROWS = 1_000


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("shell")(shell)


@command(reports=False)
def shell(
    context: Context,
    trusted: Annotated[
        bool, typer.Option("--trusted", help="Let the SQL read files and take any memory; never write.")
    ] = False,
) -> None:
    """Ask in SQL, one query after the other. What else there is, .help lists.

    Example: genredb shell

    Example: echo "select count(*) from songs;" | genredb shell
    """
    from genredb.build.current import raw_files_changed
    from genredb.query.guard import Limits
    from genredb.warehouse.database import open_reader

    with open_reader(context.config.database):
        pass  # says what to do where there is none
    session = Session(context, Limits(None, None if trusted else Limits.memory, trusted), is_trusted=trusted)
    if raw_files_changed(context.config):
        context.console.say(RAW_FILES_CHANGED, "yellow")
    if sys.stdin.isatty() and sys.stdout.isatty():
        _talk(session)
    else:
        session.run_all(sys.stdin)


@dataclass
class Session:
    """What the shell remembers from one query to the next."""

    context: Context
    limits: "Limits"
    is_trusted: bool
    format: Format = Format.TABLE
    is_timed: bool = False
    last: str = ""
    is_over: bool = False

    def run_all(self, lines: Iterable[str]) -> None:
        """Do what lines of statements and dot commands say; GenredbError at the first that cannot be done."""
        for text in _pieces(lines):
            if not self.is_over:
                self.run(text)

    def run(self, text: str) -> None:
        """Do what one statement or dot command says."""
        from genredb.cli.dot_commands import as_dot_command, run_dot_command

        started = time.perf_counter()
        command = as_dot_command(text)
        if command is not None:
            run_dot_command(self, command)
        elif text.strip():
            self.ask(text)
            if self.is_timed:
                self.context.console.say(f"It took {time.perf_counter() - started:.3f} seconds.", "dim")

    def ask(self, sql: str) -> None:
        """Print what a query finds, in the format chosen."""
        from genredb.cli.pager import paged

        limit = TABLE_ROWS if self.format in FOR_PEOPLE else None
        question = self.question(sql, limit)
        notes: list[str] = []
        with paged() as stream:
            width, cure = terminal_width(), ".format csv"
            notes = ask(self.context, question, self.format, self.limits, stream, width=width, cure=cure)
        self.last = sql.strip()
        for note in notes:
            self.context.console.say(note, "yellow")

    def question(self, sql: str, limit: int | None = None) -> "Question":
        """Return a query to ask; what it calls is imported here, so that each query's process has it."""
        from genredb.query.ask import Question, calls_classifier

        if calls_classifier(sql):
            with self.context.console.progress() as progress:
                progress("import scikit-learn", 0, 0)
                import genredb.query.functions  # noqa: F401
        return Question(sql, limit=limit, is_trusted=self.is_trusted)


def _talk(session: Session) -> None:
    """Read and run until the end is asked for; an error or Ctrl-C ends a query, not the shell."""
    from genredb import __version__
    from genredb.cli.prompt import Prompt

    console = session.context.console
    database = near(session.context.config.database)
    console.say(f"genredb {__version__} on {database}; .help helps, Ctrl-D leaves.")
    prompt = Prompt(session.context.config)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # while a line is typed, Ctrl-C is a key
    while not session.is_over:
        try:
            text = prompt.read()
        except KeyboardInterrupt:
            continue
        except EOFError:
            return
        try:
            with _interruptible():
                session.run_all(text.splitlines(keepends=True))
        except GenredbError as error:
            console.line(("error: ", "red bold"), (str(error), ""))
        except KeyboardInterrupt:
            console.line(("interrupted", "yellow"))
        except Exception as error:  # noqa: BLE001 - a bug of genredb's must not cost the session
            bug = f"{type(error).__name__}: {error}\nThis is a bug of genredb's."
            console.line(("error: ", "red bold"), (bug, ""))


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """Let Ctrl-C raise KeyboardInterrupt inside, and nowhere else."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def _pieces(lines: Iterable[str]) -> Iterator[str]:
    """Yield the statements and dot commands of a text, the last one whether or not a semicolon ends it.

    Empty lines stand before a statement in place of what came before it, so that errors count all lines.
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
