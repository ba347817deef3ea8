"""The verb ``export``: writes a relation to a file.

Files are written atomically, a submission only after it was checked against the competition's rules.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from genredb.ask.output import replaced
from genredb.errors import UsageError
from genredb.runner.planning.built_with import built_with
from genredb.runner.project.config import Config
from genredb.songs.submission import count_foreign, refuse_invalid, verify
from genredb.songs.views import SUBMISSION
from genredb.warehouse.connection import Connection
from genredb.warehouse.database import column_types, open_reader, quote, write_file
from genredb.warehouse.duckdb_errors import query_errors
from genredb.warehouse.file_formats import FILE_FORMATS, FileFormat
from genredb.warehouse.user_sql import find_relation

# A spreadsheet treats a cell that begins like this as a formula.
_FORMULA = "[=+\\-@\\t\\r].*"


@dataclass(frozen=True)
class ExportResult:
    """The result of an export.

    ``foreign_songs`` counts the labelled songs that influence a submission but are not the competition's.
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
    """Write ``relation`` (``name`` or ``schema.name``) to ``path`` atomically.

    The format defaults to that of the file's suffix. In a CSV, an apostrophe is put before text that a
    spreadsheet would treat as a formula, unless ``raw``; a submission is never altered. A file that genredb
    did not write is replaced only if ``is_forced``, otherwise ConsentError is raised.
    Raises InputError if a submission would be invalid, UsageError for an unknown name or format.
    """
    chosen = _format(path, file_format)
    with replaced(config, path, is_forced=is_forced) as partial, _opened(config, relation) as found:
        connection, schema, name = found.connection, found.schema, found.name
        is_submission = (schema, name) == ("main", SUBMISSION)
        if is_submission:
            refuse_invalid(config, connection)
        columns = column_types(connection, schema, name)
        sql = _select(
            schema, name, columns, guards_formulas=chosen.guards_formulas and not raw and not is_submission
        )
        with query_errors():
            rows = write_file(connection, sql, partial, chosen)
        if is_submission and chosen.is_submitted:
            verify(partial, connection)
        foreign_songs = count_foreign(connection) if is_submission else 0
    return ExportResult(f"{schema}.{name}", path, rows, found.is_sample, foreign_songs)


@dataclass(frozen=True)
class _Found:
    """A relation, the connection that reads it, and whether it was built from the sample."""

    connection: Connection
    schema: str
    name: str
    is_sample: bool


@contextlib.contextmanager
def _opened(config: Config, relation: str) -> Iterator[_Found]:
    """Find a relation (``name`` or ``schema.name``); from Spark, its rows are in files that DuckDB reads."""
    if config.settings.engine != "spark":
        with open_reader(config.database, config.engine) as connection:
            is_sample = built_with(config, connection).is_sample
            yield _Found(connection, *find_relation(connection, relation), is_sample)
        return
    if relation.lower() in (SUBMISSION, f"main.{SUBMISSION}"):
        raise UsageError(
            "A submission is checked before it is written, for which all relations must be in DuckDB",
            cure="run `genredb pull -o FILE`, then `genredb export --database FILE`",
        )
    from genredb.ask.on_spark import stored  # noqa: PLC0415 - brings pyspark

    with stored(config, relation) as (connection, schema, name, is_sample):
        yield _Found(connection, schema, name, is_sample)


def _format(path: Path, stated: str) -> FileFormat:
    name = stated or path.suffix.lstrip(".").lower() or "csv"
    if name not in FILE_FORMATS:
        cure = "choose one with --format"
        raise UsageError(f"There is no format '{name}'", cure=cure, name=name, choices=FILE_FORMATS)
    return FILE_FORMATS[name]


def _select(schema: str, name: str, columns: dict[str, str], *, guards_formulas: bool) -> str:
    shown = []
    for column, data_type in columns.items():
        text = quote(column)
        if guards_formulas and data_type == "VARCHAR":
            is_formula = f"regexp_full_match({text}, '{_FORMULA}', 's')"
            text = f"case when {is_formula} then '''' || {text} else {text} end as {text}"
        shown.append(text)
    return f"select {', '.join(shown)} from {quote(schema)}.{quote(name)}"
