"""The classifiers that the database keeps: which there are, which one predicts, what they were fitted on."""

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from genredb.build.freshness import Chosen, chosen, classifier_settings, read_fingerprints
from genredb.build.history import record_run
from genredb.build.versions import versions
from genredb.errors import UsageError, did_you_mean
from genredb.project.classifiers import read_classifiers
from genredb.project.config import Config
from genredb.warehouse.database import Connection, fetch_all, open_reader
from genredb.warehouse.publish import publication
from genredb.warehouse.tables import create_tables


@dataclass(frozen=True)
class Kept:
    """A fitted classifier in ml.classifiers.

    ``is_current``: it was fitted on the data and with the settings as they are now, by the versions that are
    installed.
    """

    classifier_id: str
    name: str
    parameters: Mapping[str, Any]
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
                manifest ->> 'settings',
                manifest ->> 'stated',
                manifest ->> 'entry'
            from ml.classifiers
            order by fitted_at desc
            """,
            [training],
        )
    stated = read_classifiers(config.home)
    kept = []
    for classifier_id, name, songs, genres, fitted_at, has_same_songs, libraries, heeded, *made in rows:
        has_same_settings = json.loads(heeded or "{}").items() <= settings.items()
        parameters, entry = json.loads(made[0] or "{}"), made[1] or ""
        is_current = (
            has_same_songs
            and has_same_settings
            and json.loads(libraries or "{}") == versions()
            and entry == (stated[name].digest if name in stated else "")
        )
        is_used = is_current and used == Chosen(name, parameters)
        kept.append(Kept(classifier_id, name, parameters, songs, genres, fitted_at, is_current, is_used))
    return kept


def show_classifier(config: Config, classifier_id: str) -> dict[str, Any]:
    """Return the manifest of a fitted classifier, by its id or (a unique beginning of) it.

    Its golden rows are left out: long, and for machines alone.
    """
    with open_reader(config.database) as connection:
        found = _find(connection, classifier_id)
        sql = "select manifest from ml.classifiers where classifier_id = ?"
        manifest: dict[str, Any] = json.loads(fetch_all(connection, sql, [found])[0][0])
    told = {key: value for key, value in manifest.items() if not key.startswith("golden_")}
    return {"classifier_id": found, **told}


def use_classifier(config: Config, asked: str) -> Chosen:
    """Let ``predict`` use the classifier of a name or an id from now on; return which that is."""
    from genredb.learn.registry import find_choice, find_classifier  # noqa: PLC0415 - brings scikit-learn

    with open_reader(config.database) as connection:
        choice = find_choice(config.home, connection, asked)
    find_classifier(config.home, choice)  # which says so where it cannot predict
    with _writing(config, "classifiers use") as connection:
        write_chosen(connection, choice)
    return choice


def write_chosen(connection: Connection, choice: Chosen) -> None:
    """Remember which classifier predicts; nothing is remembered of the default."""
    connection.execute("delete from ml.chosen")
    if choice != Chosen():
        values = [choice.name, json.dumps(dict(choice.parameters))]
        connection.execute("insert into ml.chosen values (?, ?)", values)


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
