"""Reads input in the shell, with history, colours and completion."""

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import typer
from prompt_toolkit import PromptSession
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.filters import Condition
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.lexers import PygmentsLexer
from pygments.lexers.sql import SqlLexer

from genredb.ask.completion import Suggestion, suggest
from genredb.ask.relations import Relation, Vocabulary, read_values, read_vocabulary
from genredb.cli.dot_commands import DOT_COMMANDS, FORMATS, as_dot_command
from genredb.cli.saved_queries import saved
from genredb.errors import GenredbError
from genredb.runner.project.config import Config
from genredb.warehouse.user_sql import is_blank, split_statements


class Prompt:
    """Prompts for statements and dot commands."""

    def __init__(self, config: Config) -> None:
        name = config.database_name
        self._session: PromptSession[str] = PromptSession(
            f"{name}> ",
            prompt_continuation=f"{'.' * len(name)}> ",
            # Not the focused buffer, which may be a search in the history.
            multiline=Condition(lambda: not is_complete(self._session.default_buffer.text)),
            lexer=PygmentsLexer(SqlLexer),
            completer=_Completer(config),
            complete_while_typing=True,
            history=_history(),
        )

    def read(self) -> str:
        """Return the typed text; EOFError after Ctrl-D, KeyboardInterrupt after Ctrl-C."""
        return self._session.prompt()


def is_complete(text: str) -> bool:
    """Whether Enter ends the input: it is empty, a dot command, or its last statement has a semicolon."""
    if as_dot_command(text) is not None:
        return True
    _, rest = split_statements(text)
    return is_blank(rest) or as_dot_command(rest) is not None


class _History(FileHistory):
    """A history file; write errors are ignored, so that a full disk does not end the shell."""

    def store_string(self, string: str) -> None:
        with contextlib.suppress(OSError):
            super().store_string(string)


def _history() -> History:
    """Return the history in the user's application folder, or one in memory if that cannot be written."""
    path = Path(typer.get_app_dir("genredb")) / "history"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
    except OSError:
        return InMemoryHistory()
    return _History(str(path))


class _Completer(Completer):
    """Completes SQL and dot commands from the current state of the database."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._known: tuple[object, Vocabulary] | None = None
        self._held: dict[tuple[str, str, str], Sequence[str]] = {}

    def get_completions(self, document: Document, event: CompleteEvent) -> Iterable[Completion]:
        """Yield suggestions at the cursor; before anything is typed, only if the user asks for them."""
        before, after = document.text_before_cursor, document.text_after_cursor
        is_dotted = before.lstrip().startswith(".")
        found = self._dotted(before.lstrip()) if is_dotted else self._in_query(before, after)
        for one in found:
            if one.typed or event.completion_requested or before.endswith("."):
                yield Completion(one.text, -one.typed, display_meta=one.meaning)

    def _in_query(self, before: str, after: str) -> list[Suggestion]:
        return suggest(before, after, self._vocabulary(), self._values)

    def _values(self, relation: Relation, column: str) -> Sequence[str]:
        """Return a column's values, read once per state of the database."""
        key = (relation.schema, relation.name, column)
        if key not in self._held:
            self._held[key] = read_values(self._config, relation, column)
        return self._held[key]

    def _dotted(self, before: str) -> Iterator[Suggestion]:
        name, gap, argument = before[1:].partition(" ")
        if not gap:
            offered = [(f".{known}", one.meaning) for known, one in DOT_COMMANDS.items()]
            typed = before
        elif name == "explain":
            yield from self._in_query(argument, "")
            return
        else:
            offered, typed = self._arguments(name), argument.lstrip()
        for text, meaning in offered:
            if text.startswith(typed):
                yield Suggestion(text, len(typed), meaning)

    def _arguments(self, name: str) -> list[tuple[str, str]]:
        if name in ("schema", "lineage"):
            return [(one.asked_as, one.description) for one in self._vocabulary().relations]
        if name == "run":
            return [(one, "saved query") for one in saved(self._config)]
        choices = {"format": FORMATS, "timer": ("on", "off")}
        return [(choice, "") for choice in choices.get(name, ())]

    def _vocabulary(self) -> Vocabulary:
        """Return the vocabulary of the published database; empty if it cannot be read."""
        try:
            state = self._config.database.stat()
            identity = (state.st_ino, state.st_mtime_ns)
            if self._known is None or self._known[0] != identity:
                self._known = (identity, read_vocabulary(self._config))
                self._held.clear()
        except (OSError, GenredbError):
            return Vocabulary((), {})
        return self._known[1]
