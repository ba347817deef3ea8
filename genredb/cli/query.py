"""``genredb query``."""

import csv
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from genredb.cli.options import Context, command
from genredb.errors import UsageError

TABLE_ROWS = 100


class Format(StrEnum):
    """The formats of an answer."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("query")(query)


@command(reports=False)
def query(
    context: Context,
    sql: Annotated[str | None, typer.Argument(help="The SQL; - reads it from stdin.")] = None,
    file: Annotated[Path | None, typer.Option("-f", "--file", help="Read the SQL from a file.")] = None,
    answer_format: Annotated[Format, typer.Option("--format", help="How to print.")] = Format.TABLE,
    limit: Annotated[
        int | None, typer.Option(min=1, help=f"Rows at most; a table has {TABLE_ROWS} unless told.")
    ] = None,
) -> None:
    """Ask the database in SQL. Nothing can be written, and no file but the database is read.

    Example: genredb query "select genre_group, count(*) from songs group by all order by 2 desc"
    """
    from genredb.cli.console import print_rows_json, print_table
    from genredb.query.ask import ask

    if limit is None and answer_format is Format.TABLE:
        limit = TABLE_ROWS
    answer = ask(context.config, _read_sql(sql, file), limit)
    if answer_format is Format.TABLE:
        print_table(answer.columns, answer.rows)
    elif answer_format is Format.JSON:
        print_rows_json(answer.columns, answer.rows)
    else:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(answer.columns)
        writer.writerows(answer.rows)
    if answer.is_cut:
        context.console.say(f"Only the first {limit} rows; --limit shows more.", "yellow")


def _read_sql(sql: str | None, file: Path | None) -> str:
    if (sql is None) == (file is None):
        raise UsageError('Give the SQL as one argument, such as "select count(*) from songs", or by -f FILE.')
    if sql is not None:
        return sys.stdin.read() if sql == "-" else sql
    try:
        return Path(str(file)).read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise UsageError(f"{file} is not UTF-8 text.") from None
