"""Runs a query in a guarded process and prints the result, for ``query`` and for the shell."""

import contextlib
import functools
import sys
import time
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NoReturn

from genredb.cli.options import Context
from genredb.cli.visible import visible_stream
from genredb.errors import UsageError

if TYPE_CHECKING:
    from genredb.ask.guard import Limits
    from genredb.ask.query import Question
    from genredb.runner.project.config import Config

RAW_FILES_CHANGED = "The raw files changed since the last build; `genredb build` loads them."


class Format(StrEnum):
    """The output formats of a query."""

    TABLE = "table"
    VERTICAL = "vertical"
    CSV = "csv"
    JSON = "json"
    JSONL = "jsonl"
    MARKDOWN = "markdown"
    PARQUET = "parquet"


# These collect all rows before printing, so the number of rows is limited by default.
FOR_PEOPLE = (Format.TABLE, Format.VERTICAL)
ENDINGS = {f".{one.value}": one for one in Format} | {".md": Format.MARKDOWN, ".txt": Format.TABLE}


def refuse_binary(name: str) -> NoReturn:
    """Raise UsageError for a binary format on a terminal."""
    raise UsageError(f"{name.capitalize()} is binary; write it to a file with -o FILE.")


def is_stdout(path: Path) -> bool:
    """Whether a path is another name for stdout."""
    return str(path) in ("-", "/dev/stdout", "/dev/fd/1")


def format_of(path: Path) -> Format:
    """Return the format for a file's extension, a table if it has none; UsageError if it is unknown."""
    ending = path.suffix.lower()
    if ending and ending not in ENDINGS:
        cure = "choose one with --format"
        raise UsageError(f"There is no format '{ending[1:]}'", cure=cure, name=ending[1:], choices=Format)
    return ENDINGS[ending] if ending else Format.TABLE


def write_to_file(
    context: Context,
    question: "Question",
    path: Path,
    limits: "Limits",
    answer_format: Format | None = None,
    *,
    is_forced: bool = False,
) -> list[str]:
    """Write the result to a file, by default in the format of its extension; return notes for the user.

    A file that genredb did not write is replaced if ``is_forced`` or if the user agrees on a terminal.
    """
    from genredb.ask.output import FORCE, replaced
    from genredb.cli.consent import with_consent

    chosen = answer_format or format_of(path)

    def run(given: frozenset[str]) -> list[str]:
        is_agreed = is_forced or FORCE in given
        with replaced(context.config, path, is_forced=is_agreed) as partial, partial.open("wb") as stream:
            return ask(context, question, chosen, limits, stream, width=None, cure="--limit")

    return with_consent(run)


def ask(
    context: Context,
    question: "Question",
    answer_format: Format,
    limits: "Limits",
    stream: BinaryIO,
    *,
    width: int | None,
    cure: str,
) -> list[str]:
    """Write the result to a stream; return notes about what was left out.

    ``width`` is the terminal's width if the stream is one; ``cure`` names the option that shows more rows.
    """
    task = functools.partial(_answer, context.config, question, answer_format, width)
    has_more, left_out = run_patiently(context, task, stream, limits)
    notes = [f"Not shown: {left_out}; use the format csv to see all."] if left_out else []
    return [*notes, f"Showing the first {question.limit:,} rows; use {cure} for more."] if has_more else notes


def run_patiently(
    context: Context, task: Callable[[BinaryIO], Any], stream: BinaryIO, limits: "Limits"
) -> Any:
    """Run a task in a guarded process; show a spinner on a terminal if it takes longer than a second."""
    from genredb.ask.guard import run_guarded

    with contextlib.ExitStack() as shown:
        started = time.monotonic()
        is_shown = False

        def wait() -> None:
            nonlocal is_shown
            if not is_shown and time.monotonic() - started > 1:
                is_shown = True
                shown.enter_context(context.console.progress())("run query", 0, 0)

        def write(content: bytes) -> None:
            if sys.stdout.isatty():
                shown.close()
            stream.write(content)

        result = run_guarded(task, write, limits, wait)
    stream.flush()
    return result


def _answer(
    config: "Config", question: "Question", answer_format: Format, width: int | None, stream: BinaryIO
) -> tuple[bool, str]:
    """Write the result; return whether there are more rows, and what the table leaves out."""
    from genredb.ask.query import fetch_answer, write_answer

    if answer_format not in FOR_PEOPLE:
        shown = stream if width is None else visible_stream(stream)
        return write_answer(config, question, answer_format.value, shown), ""
    from genredb.cli.console import table_text, vertical_text

    answer = fetch_answer(config, question)
    if answer_format is Format.VERTICAL:
        stream.write(vertical_text(answer.columns, answer.rows).encode())
        return answer.is_cut, ""
    text, left_out = table_text(answer.columns, answer.rows, width)
    stream.write(text.encode())
    return answer.is_cut, left_out
