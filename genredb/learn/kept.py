"""The classifiers that the database keeps: which there are, which one predicts, what they were fitted on."""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from genredb.build.freshness import chosen, classifier_settings, read_fingerprints
from genredb.build.history import record_run
from genredb.errors import UsageError, did_you_mean
from genredb.learn.versions import versions
from genredb.project.config import Config
from genredb.warehouse.database import Connection, fetch_all, open_reader
from genredb.warehouse.publish import publication
from genredb.warehouse.tables import create_tables

if TYPE_CHECKING:
    from genredb.learn.classifiers import ClassifierSpec


@dataclass(frozen=True)
class Kept:
    """A fitted classifier in ml.classifiers.

    ``is_current``: it was fitted on the data and with the settings as they are now, by the versions that are
    installed.
    """

    classifier_id: str
    name: str
    songs: int
    genres: int
    fitted_at: datetime
    is_current: bool
    is_used: bool


def list_classifiers(config: Config) -> list[Kept]:
    """Return the fitted classifiers, the newest first."""
    with open_reader(config.database) as connection:
        training = read_fingerprints(connection).training
        used, settings = chosen(connection), classifier_settings(connection)
        rows = fetch_all(
            connection,
            """
            select
                classifier_id,
                name,
                (manifest ->> 'training_rows')::bigint,
                json_array_length(manifest -> 'classes'),
                fitted_at,
                coalesce(training_fingerprint = ?, false),
                manifest ->> 'versions',
                manifest ->> 'settings'
            from ml.classifiers
            order by fitted_at desc
            """,
            [training],
        )
    kept = []
    for classifier_id, name, songs, genres, fitted_at, has_same_songs, libraries, heeded in rows:
        has_same_settings = json.loads(heeded or "{}").items() <= settings.items()
        is_current = has_same_songs and has_same_settings and json.loads(libraries or "{}") == versions()
        kept.append(
            Kept(classifier_id, name, songs, genres, fitted_at, is_current, name == used and is_current)
        )
    return kept


def show_classifier(config: Config, classifier_id: str) -> dict[str, Any]:
    """Return the manifest of a fitted classifier, by its id or (a unique beginning of) it."""
    with open_reader(config.database) as connection:
        found = _find(connection, classifier_id)
        sql = "select manifest from ml.classifiers where classifier_id = ?"
        manifest: dict[str, Any] = json.loads(fetch_all(connection, sql, [found])[0][0])
    return {"classifier_id": found, **manifest}


def use_classifier(config: Config, spec: "ClassifierSpec") -> None:
    """Let ``predict`` use this classifier from now on."""
    with _writing(config, "classifiers use") as connection:
        connection.execute("delete from ml.chosen")
        connection.execute("insert into ml.chosen values (?)", [spec.name])


def remove_classifier(config: Config, classifier_id: str) -> str:
    """Remove a fitted classifier; return its id."""
    with open_reader(config.database) as connection:
        found = _find(connection, classifier_id)
    with _writing(config, "classifiers rm") as connection:
        connection.execute("delete from ml.classifiers where classifier_id = ?", [found])
    return found


def _find(connection: Connection, classifier_id: str) -> str:
    read_fingerprints(connection)  # says so where there is nothing to predict
    ids = [row[0] for row in fetch_all(connection, "select classifier_id from ml.classifiers order by all")]
    found = [known for known in ids if known == classifier_id] or [
        known for known in ids if known.startswith(classifier_id)
    ]
    if len(found) != 1:
        what = "no classifier" if not found else "more than one classifier"
        raise UsageError(f"There is {what} '{classifier_id}'.{did_you_mean(classifier_id, ids)}")
    return str(found[0])


@contextlib.contextmanager
def _writing(config: Config, command: str) -> Iterator[Connection]:
    """Give a copy of the published database to change, and publish it."""
    started_at = datetime.now(UTC)
    with publication(config.database) as turn:
        if turn.current is None:
            raise UsageError(f"There is no database {config.database} yet; run `genredb build` first.")
        connection = turn.begin()
        create_tables(connection)
        yield connection
        record_run(connection, command, started_at)
        turn.commit()
