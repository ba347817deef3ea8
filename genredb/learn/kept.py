"""The classifiers that the database keeps: which there are, which one predicts, what they were fitted on."""

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from genredb.build.freshness import Chosen, chosen, classifier_settings, read_fingerprints
from genredb.build.history import record_run
from genredb.build.versions import versions
from genredb.errors import UsageError, did_you_mean
from genredb.learn.manifest import ClassifierError, read_manifest
from genredb.project.classifiers import read_classifiers
from genredb.project.config import Config
from genredb.warehouse.database import Connection, fetch_all, open_reader
from genredb.warehouse.publish import publication
from genredb.warehouse.tables import create_tables, refuse_other_layout


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
        sql = "select classifier_id, name, fitted_at, manifest from ml.classifiers order by fitted_at desc"
        rows = fetch_all(connection, sql)
    stated = read_classifiers(config.home)
    kept = []
    for classifier_id, name, fitted_at, text in rows:
        try:
            manifest = read_manifest(classifier_id, text)
        except ClassifierError:  # which `predict` replaces, and nobody else can use
            kept.append(Kept(classifier_id, name, {}, 0, 0, fitted_at, is_current=False, is_used=False))
            continue
        is_current = (
            manifest.training_fingerprint == training
            and manifest.settings.items() <= settings.items()
            and manifest.versions == versions()
            and manifest.entry == (stated[name].digest if name in stated else "")
        )
        is_used = is_current and used == Chosen(name, manifest.stated)
        songs, genres = manifest.training_rows, len(manifest.classes)
        kept.append(Kept(classifier_id, name, manifest.stated, songs, genres, fitted_at, is_current, is_used))
    return kept


def show_classifier(config: Config, classifier_id: str) -> dict[str, Any]:
    """Return the manifest of a fitted classifier, by its id or (a unique beginning of) it.

    Its golden rows are left out: long, and for machines alone.
    """
    with open_reader(config.database) as connection:
        found = _find(connection, classifier_id)
        sql = "select manifest from ml.classifiers where classifier_id = ?"
        manifest = asdict(read_manifest(found, fetch_all(connection, sql, [found])[0][0]))
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
        refuse_other_layout(turn.current)
        connection = turn.begin()
        create_tables(connection)
        yield connection
        record_run(connection, command, started_at)
        turn.commit()
