"""The shell's dot commands, such as ``.tables``."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genredb.cli.answers import Format, run_patiently, write_to_file
from genredb.cli.console import near, table_text, terminal_width
from genredb.cli.saved_queries import read_saved, save, saved
from genredb.cli.session import Session
from genredb.cli.visible import visible
from genredb.errors import UsageError
from genredb.runner.project.files import read_text

CELL_WIDTHS = (200, 100, 80, 60, 40, 20)  # descriptions may be long if the terminal is wide
FORMATS = tuple(one.value for one in Format if one is not Format.PARQUET)

# Words that people type out of habit and that start no SQL statement.
_WORDS = {"exit": "quit", "quit": "quit", "help": "help", "clear": "clear"}


@dataclass(frozen=True)
class DotCommand:
    """A command of the shell; ``argument`` names its argument, in brackets if optional."""

    argument: str
    meaning: str
    run: Callable[[Session, str], None]


def as_dot_command(line: str) -> str | None:
    """Return a line as a dot command if it is one, or a word such as ``exit`` that needs no dot."""
    word = line.strip().rstrip(";").strip()
    if word.lower() in _WORDS:
        return f".{_WORDS[word.lower()]}"
    return word if word.startswith(".") else None


def run_dot_command(session: Session, text: str) -> None:
    """Run ``.name argument``; UsageError for an unknown command or a wrong number of arguments."""
    name, *rest = text[1:].split(maxsplit=1)
    argument = "".join(rest)
    if name not in DOT_COMMANDS:
        known = [f".{one}" for one in DOT_COMMANDS]
        raise UsageError(f"There is no command '.{name}'", name=f".{name}", choices=known)
    found, argument = DOT_COMMANDS[name], argument.strip()
    if found.argument and not found.argument.startswith("[") and not argument:
        raise UsageError(f".{name} needs an argument: {found.argument}")
    if argument and not found.argument:
        raise UsageError(f".{name} takes no argument")
    found.run(session, argument)


def _tables(session: Session, _argument: str) -> None:
    from genredb.catalog import Catalog

    with Catalog(session.context.config) as catalog:
        relations = catalog.relations
    _print(("relation", "kind", "meaning"), [(one.asked_as, one.kind, one.description) for one in relations])


def _schema(session: Session, name: str) -> None:
    from genredb.catalog import Catalog

    with Catalog(session.context.config) as catalog:
        relations = catalog.relations
    asked = name.lower()
    chosen = [
        one for one in relations if asked in ("", one.asked_as.lower(), f"{one.schema}.{one.name}".lower())
    ]
    if not chosen:
        names = [one.asked_as for one in relations]
        raise UsageError(f"There is no table or view '{name}'", name=name, choices=names)
    rows = [
        (*(() if name else (one.asked_as,)), column.name, column.data_type, column.description)
        for one in chosen
        for column in one.columns
    ]
    _print((*(() if name else ("relation",)), "column", "type", "meaning"), rows)


def _models(session: Session, _argument: str) -> None:
    from genredb.catalog import Catalog

    with Catalog(session.context.config) as catalog:
        models = catalog.project.models.values()
    rows = [(one.name, one.path, " ".join(one.description.split())) for one in models]
    _print(("model", "path", "meaning"), rows)


def _lineage(session: Session, name: str) -> None:
    from genredb.cli.lineage import print_lineage

    print_lineage(session.context, name, downstream=False)


def _explain(session: Session, sql: str) -> None:
    import functools

    from genredb.ask.query import explain_answer
    from genredb.cli.pager import paged

    explain = functools.partial(explain_answer, session.context.config, session.question(sql))
    with paged() as stream:
        run_patiently(
            session.context, lambda out: out.write(visible(f"{explain()}\n").encode()), stream, session.limits
        )


def _format(session: Session, name: str) -> None:
    if name not in FORMATS:
        raise UsageError(f"There is no format '{name}'", name=name, choices=FORMATS)
    session.format = Format(name)


def _vertical(session: Session, _argument: str) -> None:
    session.format = Format.VERTICAL


def _export(session: Session, name: str) -> None:
    import typer

    question = session.question(_last(session))
    try:
        notes = write_to_file(session.context, question, Path(name).expanduser(), session.limits)
    except typer.Abort:
        raise UsageError("Nothing was written") from None
    for note in notes:
        session.context.console.say(note, "yellow")
    session.context.console.say(f"Wrote the last result to {name}.", "green")


def _save(session: Session, name: str) -> None:
    path = save(session.context.config, name, _last(session))
    session.context.console.say(f"Saved as {near(path)}; .run {name} runs it again.", "green")


def _run(session: Session, name: str) -> None:
    from genredb.warehouse.user_sql import is_blank, split_statements

    ended, rest = split_statements(read_saved(session.context.config, name))
    for sql in (*ended, rest):
        if not is_blank(sql):
            session.ask(sql)


def _saved(session: Session, _argument: str) -> None:
    found = saved(session.context.config)
    rows = [(name, " ".join(read_text(path).split())) for name, path in found.items()]
    _print(("query", "SQL"), rows)


def _last(session: Session) -> str:
    """Return the last SQL that succeeded; UsageError if there is none."""
    if not session.last:
        raise UsageError("There is no last query yet", cure="run one first")
    return session.last


def _timer(session: Session, state: str) -> None:
    if state not in ("on", "off"):
        raise UsageError(".timer takes on or off")
    session.is_timed = state == "on"


def _help(_session: Session, _argument: str) -> None:
    rows = [(f".{name} {one.argument}".rstrip(), one.meaning) for name, one in DOT_COMMANDS.items()]
    rows.append(("SQL;", "run a query; it may span several lines and ends with a semicolon"))
    _print(("type", "to"), rows)


def _clear(_session: Session, _argument: str) -> None:
    if sys.stdout.isatty():
        print("\x1b[2J\x1b[H", end="", flush=True)


def _quit(session: Session, _argument: str) -> None:
    session.is_over = True


def _print(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    from genredb.cli.pager import paged

    with paged() as stream:
        stream.write(table_text(columns, rows, terminal_width(), CELL_WIDTHS)[0].encode())


DOT_COMMANDS = {
    "tables": DotCommand("", "list the tables and views with their descriptions", _tables),
    "schema": DotCommand("[RELATION]", "list the columns of a relation, or of all", _schema),
    "models": DotCommand("", "list the project's models and their files", _models),
    "lineage": DotCommand("NAME[.COLUMN]", "show the lineage of a relation or column", _lineage),
    "explain": DotCommand("SQL", "show how DuckDB would run a query", _explain),
    "format": DotCommand("FORMAT", f"set the output format: {', '.join(FORMATS)}", _format),
    "vertical": DotCommand("", "print one column per line; .format table switches back", _vertical),
    "export": DotCommand("FILE", "write the last result to a file; its extension sets the format", _export),
    "save": DotCommand("NAME", "save the last query in the project's queries folder", _save),
    "run": DotCommand("NAME", "run a saved query", _run),
    "saved": DotCommand("", "list the saved queries", _saved),
    "timer": DotCommand("on|off", "show or hide how long queries take", _timer),
    "clear": DotCommand("", "clear the screen", _clear),
    "help": DotCommand("", "list these commands", _help),
    "quit": DotCommand("", "leave the shell, as do exit, quit and Ctrl-D", _quit),
}
