"""``genredb query``."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from genredb.cli.answers import (
    FOR_PEOPLE,
    RAW_FILES_CHANGED,
    Format,
    ask,
    format_of,
    is_stdout,
    refuse_binary,
    write_to_file,
)
from genredb.cli.console import terminal_width
from genredb.cli.engines import EngineName, EngineOption, Master, on_engine
from genredb.cli.options import Context, Force, command
from genredb.errors import UsageError

TABLE_ROWS = 100
SECONDS = 60.0  # on DuckDB


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("query")(query)


@command(reports=False, limits=True)
def query(
    context: Context,
    sql: Annotated[str | None, typer.Argument(help="The query; - reads it from stdin.")] = None,
    file: Annotated[Path | None, typer.Option("-f", "--file", help="Read the SQL from a file.")] = None,
    answer_format: Annotated[
        Format | None,
        typer.Option("--format", help="Output format; default: by the file's extension, else table."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Write to a file; - is stdout.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help=f"Maximum number of rows; default for tables: {TABLE_ROWS}.")
    ] = None,
    parameter: Annotated[
        list[str] | None, typer.Option("-p", "--param", metavar="NAME=VALUE", help="Set a value for $NAME.")
    ] = None,
    timeout: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1e6,
            metavar="SECONDS",
            help=f"Cancel the query after this time; 0 disables the limit. Default: {SECONDS:g}, on Spark 0.",
        ),
    ] = None,
    trusted: Annotated[
        bool,
        typer.Option(
            "--trusted",
            help="Allow the query to read files and use any amount of memory. It still cannot write.",
        ),
    ] = False,
    force: Force = False,
    engine: EngineOption = EngineName.DUCKDB,
    master: Master = None,
    as_json: Annotated[bool, typer.Option("--json", hidden=True)] = False,
) -> None:
    """Run a read-only SQL query. It can read the database but no other files.

    Example: genredb query "select genre_group, count(*) from songs group by all order by 2 desc"

    Example: genredb query -p year=1980 'select title from songs where year < $year' --format csv -o old.csv
    """
    from genredb.ask.query import Question, limits_of
    from genredb.runner.planning.receipt import raw_files_changed

    if as_json:
        raise UsageError("`query` has no --json", cure="use --format json")
    if output is not None and is_stdout(output):
        output = None
    if answer_format is Format.PARQUET and output is None and sys.stdout.isatty():
        refuse_binary(answer_format)
    if answer_format is None:
        answer_format = Format.TABLE if output is None else format_of(output)
    if limit is None and answer_format in FOR_PEOPLE:
        limit = TABLE_ROWS
    context = on_engine(context, engine, master)
    question = Question(_read_sql(sql, file), _parameters(parameter or []), limit, is_trusted=trusted)
    limits = limits_of(context.config, _seconds(context, timeout), is_trusted=trusted)
    if output is None:
        width = terminal_width()
        stdout = sys.stdout.buffer
        notes = ask(context, question, answer_format, limits, stdout, width=width, cure="--limit")
    else:
        notes = write_to_file(context, question, output, limits, answer_format, is_forced=force)
    for note in notes:
        context.console.say(note, "yellow")
    if raw_files_changed(context.config):
        context.console.say(RAW_FILES_CHANGED, "yellow")


def _seconds(context: Context, stated: float | None) -> float | None:
    """Return the time limit of a query; Spark takes long to start, so there it is none by default."""
    is_on_spark = context.settings.engine == EngineName.SPARK
    default = None if is_on_spark else SECONDS
    return default if stated is None else stated or None


def _read_sql(sql: str | None, file: Path | None) -> str:
    if (sql is None) == (file is None):
        raise UsageError('Give the SQL as one argument, such as "select count(*) from songs", or as -f FILE')
    if sql is not None and sql != "-":
        return sql
    try:
        if file is None:
            return sys.stdin.buffer.read().decode()
        return Path(str(file)).read_bytes().decode()  # unchanged, including line ends
    except PermissionError:
        raise
    except OSError as error:
        raise UsageError(f"Cannot read {file}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UsageError(f"{file or 'stdin'} is not UTF-8 text") from None


def _parameters(stated: list[str]) -> dict[str, str]:
    """Return the parameters' values by name; they are bound as text, which SQL compares with any type."""
    found = {}
    for text in stated:
        name, is_given, value = text.partition("=")
        if not is_given or not name.isidentifier():
            raise UsageError(f"-p takes NAME=VALUE, such as year=1980, not '{text}'")
        found[name] = value
    return found
