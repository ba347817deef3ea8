"""The state of the shell, and how it runs queries."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from genredb.cli.answers import FOR_PEOPLE, Format, ask
from genredb.cli.console import terminal_width
from genredb.cli.options import Context

if TYPE_CHECKING:
    from genredb.ask.guard import Limits
    from genredb.ask.query import Question

TABLE_ROWS = 1_000


@dataclass
class Session:
    """The state of the shell between queries."""

    context: Context
    limits: "Limits"
    is_trusted: bool
    format: Format = Format.TABLE
    is_timed: bool = False
    last: str = ""
    is_over: bool = False

    def ask(self, sql: str) -> None:
        """Run a query and print its result in the current format."""
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
        """Return a query to run. If it calls the classifier, imports it here for the processes to inherit."""
        from genredb.ask.query import Question, calls_classifier

        if calls_classifier(sql):
            with self.context.console.progress() as progress:
                progress("import scikit-learn", 0, 0)
                import genredb.ask.functions  # noqa: F401
        return Question(sql, limit=limit, is_trusted=self.is_trusted)
