"""The submission: verifies that it is valid for the competition and matches the current project."""

import csv
from pathlib import Path

from genredb.errors import InputError
from genredb.runner.project.config import Config
from genredb.songs.staleness import find_stale
from genredb.songs.unbuilt import find_unbuilt
from genredb.songs.views import SUBMISSION, TRAIN_VIEW
from genredb.warehouse.connection import Connection
from genredb.warehouse.database import relation_exists

HEADER = ["Id", "top genre"]


def refuse_invalid(config: Config, connection: Connection) -> None:
    """Raise InputError with the cure if the submission view does not produce a valid submission."""
    _refuse_unbuilt(config, connection)
    _refuse_invalid_rows(connection, config.home)


def _refuse_unbuilt(config: Config, connection: Connection) -> None:
    """Raise InputError if a build of the current project could change the submission."""
    change = find_unbuilt(config, connection)
    if change is not None:
        raise InputError(
            f"The submission would be out of date: since {config.database.name} was built, {change}",
            cure="run `genredb build && genredb predict`",
        )


def _refuse_invalid_rows(connection: Connection, home: Path) -> None:
    """Raise InputError with the cure if the submission view does not produce a valid submission."""
    sql = "select line, reason from raw.quarantine where source = 'raw.songs_test' order by line"
    quarantined = connection.rows(sql) if relation_exists(connection, "raw", "quarantine") else []
    if quarantined:
        line, reason = quarantined[0]
        raise InputError(
            f"{len(quarantined)} row(s) of the test file are quarantined and would be missing "
            f"(line {line}: {reason})",
            cure="fix the file and run `genredb build && genredb predict`",
        )
    stale = find_stale(connection, home)
    if stale:
        raise InputError(f"No valid submission yet: {stale}", cure="run `genredb predict`")
    unlabelled = connection.rows(
        f'select "Id" from {SUBMISSION} where "top genre" is null or trim("top genre") = \'\''
    )
    if unlabelled:
        raise InputError(
            f"{len(unlabelled)} songs of the test file have no prediction (the first is Id "
            f"{unlabelled[0][0]})",
            cure="run `genredb build && genredb predict`",
        )
    ids = [row[0] for row in connection.rows(f'select "Id" from {SUBMISSION}')]
    if ids != _test_ids(connection):
        raise InputError(
            f"The {len(ids)} Ids of the submission are not those of the {len(_test_ids(connection))} "
            "songs of the test file",
            cure="run `genredb build && genredb predict`",
        )
    unknown = connection.rows(
        f'select distinct "top genre" from {SUBMISSION} where "top genre" not in (select genre from genres)',
    )
    if unknown:
        raise InputError(
            f"The genre '{unknown[0][0]}' is predicted but occurs in no labelled song",
            cure="run `genredb predict`",
        )


def count_foreign(connection: Connection) -> int:
    """Return how many labelled songs outside the competition's data influence a submission."""
    sql = f"select count(*) from features.{TRAIN_VIEW} where source <> 'train'"
    return int(connection.rows(sql)[0][0])


def _test_ids(connection: Connection) -> list[int]:
    return [row[0] for row in connection.rows("select id from raw.songs_test order by id")]


def verify(path: Path, connection: Connection) -> None:
    """Read a written submission back and compare it with the loaded test file."""
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    ids = [str(number) for number in _test_ids(connection)]
    if header != HEADER or [row[0] for row in rows] != ids or not all(row[1] for row in rows):
        raise InputError("The submission was not written correctly; nothing was replaced")
