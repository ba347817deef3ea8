"""Writes a relation to a file; the submission only after it is proved to be what the competition takes.

A file appears under its name whole or not at all.
"""

import csv
from dataclasses import dataclass
from pathlib import Path

from genredb.build.built_with import built_with
from genredb.build.freshness import TRAIN_VIEW, stale_reason
from genredb.build.unbuilt import SUBMISSION, unbuilt_change
from genredb.errors import InputError, UsageError
from genredb.output import replaced
from genredb.project.config import Config
from genredb.warehouse.database import (
    Connection,
    column_types,
    fetch_all,
    find_relation,
    open_reader,
    quote,
    relation_exists,
    write_file,
)
from genredb.warehouse.duckdb_errors import query_errors

HEADER = ["Id", "top genre"]
FORMATS = ("csv", "parquet", "json")
# A spreadsheet takes a cell that begins so for a formula.
_FORMULA = "[=+\\-@\\t\\r].*"


@dataclass(frozen=True)
class ExportResult:
    """What was written.

    ``foreign_songs`` counts the labelled songs beyond the competition's own that decide a submission.
    """

    relation: str
    path: Path
    rows: int
    is_sample: bool
    foreign_songs: int = 0


def export(  # noqa: PLR0913 - two of them are options
    config: Config,
    relation: str,
    path: Path,
    file_format: str = "",
    *,
    raw: bool = False,
    is_forced: bool = False,
) -> ExportResult:
    """Write ``relation`` (``name`` or ``schema.name``) to ``path``, whole or not at all.

    The format is that of the file's ending unless given. In a CSV for people, text that a spreadsheet
    would take for a formula is led by an apostrophe unless ``raw``; a submission is never altered.
    A file that genredb did not write is replaced only if that is ``is_forced``, else ConsentError.
    Raises InputError where a submission would not be valid, UsageError for an unknown name or format.
    """
    chosen = _format(path, file_format)
    with replaced(config, path, is_forced=is_forced) as partial, open_reader(config.database) as connection:
        is_sample = built_with(config, connection).is_sample
        schema, name = find_relation(connection, relation)
        is_submission = (schema, name) == ("main", SUBMISSION)
        if is_submission:
            _refuse_unbuilt(config, connection)
            _refuse_invalid(connection, config.home)
        columns = column_types(connection, schema, name)
        sql = _select(
            schema, name, columns, guards_formulas=chosen == "csv" and not raw and not is_submission
        )
        with query_errors():
            rows = write_file(connection, sql, partial, chosen)
        if is_submission and chosen == "csv":
            _verify(partial, connection)
        foreign_songs = _count_foreign(connection) if is_submission else 0
    return ExportResult(f"{schema}.{name}", path, rows, is_sample, foreign_songs)


def _format(path: Path, file_format: str) -> str:
    chosen = file_format or path.suffix.lstrip(".").lower() or "csv"
    if chosen not in FORMATS:
        raise UsageError(f"There is no format '{chosen}'; choose csv, parquet or json with --format.")
    return chosen


def _select(schema: str, name: str, columns: dict[str, str], *, guards_formulas: bool) -> str:
    shown = []
    for column, data_type in columns.items():
        text = quote(column)
        if guards_formulas and data_type == "VARCHAR":
            is_formula = f"regexp_full_match({text}, '{_FORMULA}', 's')"
            text = f"case when {is_formula} then '''' || {text} else {text} end as {text}"
        shown.append(text)
    return f"select {', '.join(shown)} from {quote(schema)}.{quote(name)}"


def _refuse_unbuilt(config: Config, connection: Connection) -> None:
    """Raise InputError where a build of the project as it is now could give another submission."""
    change = unbuilt_change(config, connection)
    if change is not None:
        raise InputError(
            f"The submission would not be what the project says now: since {config.database.name} was built, "
            f"{change}; run `genredb build && genredb predict`."
        )


def _refuse_invalid(connection: Connection, home: Path) -> None:
    """Raise InputError with the cure where the submission view does not make a valid submission."""
    sql = "select line, reason from raw.quarantine where source = 'raw.songs_test' order by line"
    quarantined = fetch_all(connection, sql) if relation_exists(connection, "raw", "quarantine") else []
    if quarantined:
        line, reason = quarantined[0]
        raise InputError(
            f"{len(quarantined)} row(s) of the test file are quarantined and would be missing "
            f"(line {line}: {reason}); mend the file and run `genredb build && genredb predict`."
        )
    reason = stale_reason(connection, home)
    if reason:
        raise InputError(f"No valid submission yet: {reason}; run `genredb predict`.")
    unlabelled = fetch_all(
        connection, f'select "Id" from {SUBMISSION} where "top genre" is null or trim("top genre") = \'\''
    )
    if unlabelled:
        raise InputError(
            f"{len(unlabelled)} songs of the test file have no prediction (the first is Id "
            f"{unlabelled[0][0]}); run `genredb build && genredb predict`."
        )
    ids = [row[0] for row in fetch_all(connection, f'select "Id" from {SUBMISSION}')]
    if ids != _test_ids(connection):
        raise InputError(
            f"The submission would have {len(ids)} rows for the {len(_test_ids(connection))} songs of the "
            "test file, or other Ids than theirs; run `genredb build && genredb predict`."
        )
    unknown = fetch_all(
        connection,
        f'select distinct "top genre" from {SUBMISSION} where "top genre" not in (select genre from genres)',
    )
    if unknown:
        raise InputError(
            f"The genre '{unknown[0][0]}' is predicted but occurs in no labelled song; run `genredb predict`."
        )


def _count_foreign(connection: Connection) -> int:
    sql = f"select count(*) from features.{TRAIN_VIEW} where source <> 'train'"
    return int(fetch_all(connection, sql)[0][0])


def _test_ids(connection: Connection) -> list[int]:
    return [row[0] for row in fetch_all(connection, "select id from raw.songs_test order by id")]


def _verify(path: Path, connection: Connection) -> None:
    """Read a written submission back and hold it against the loaded test file."""
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    ids = [str(number) for number in _test_ids(connection)]
    if header != HEADER or [row[0] for row in rows] != ids or not all(row[1] for row in rows):
        raise InputError("The submission was not written as it should; nothing was replaced.")
