"""The classifiers stored in the database: which there are, which is in use, what they were fitted on."""

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any

from genredb.runner.artifacts.history import record_run
from genredb.runner.opened import Opened
from genredb.runner.planning.built_with import no_database
from genredb.runner.project.config import Config
from genredb.songs.classifiers_yml import read_classifiers
from genredb.songs.learn.manifest import ClassifierError, Facts, find_kept_id, read_manifest
from genredb.songs.staleness import (
    Chosen,
    chosen,
    classifier_settings,
    read_fingerprints,
    refuse_missing_views,
)
from genredb.songs.tables import ML_TABLES
from genredb.songs.versions import versions
from genredb.warehouse.connection import Connection
from genredb.warehouse.database import open_reader
from genredb.warehouse.publish import publication
from genredb.warehouse.tables import create_tables, refuse_other_layout


@dataclass(frozen=True)
class Kept:
    """A fitted classifier in ml.classifiers.

    ``is_current`` means that it was fitted on the current data, with the current settings and the installed
    versions.
    """

    classifier_id: str
    name: str
    parameters: Mapping[str, Any]
    songs: int
    genres: int
    fitted_at: datetime
    is_current: bool
    is_used: bool


@dataclass(frozen=True)
class _Stored:
    """A row of ml.classifiers."""

    classifier_id: str


@dataclass(frozen=True)
class KeptFacts(Facts, _Stored):
    """A fitted classifier in ml.classifiers, and what it was fitted on.

    ``settings`` are the project variables that it uses, ``stated`` the parameters set by the user,
    ``parameters`` all parameters. ``entry`` is the digest of its entry in classifiers.yml, empty for a
    built-in classifier. ``metrics`` are the accuracies found by `evaluate`, by protocol.
    """


def list_classifiers(opened: Opened) -> list[Kept]:
    """Return the fitted classifiers, newest first."""
    connection = opened.connection
    training = read_fingerprints(connection).training
    used, settings = chosen(connection), classifier_settings(connection)
    sql = "select classifier_id, name, fitted_at, manifest from ml.classifiers order by fitted_at desc"
    rows = connection.rows(sql)
    stated = read_classifiers(opened.config.home)
    kept = []
    for classifier_id, name, fitted_at, text in rows:
        try:
            manifest = read_manifest(classifier_id, text)
        except ClassifierError:  # `predict` replaces it, and nothing else can use it
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


def show_classifier(config: Config, classifier_id: str) -> KeptFacts:
    """Return the details of a fitted classifier, given its id or a unique prefix of it."""
    with open_reader(config.database, config.engine) as connection:
        found = _find(connection, classifier_id)
        sql = "select manifest from ml.classifiers where classifier_id = ?"
        manifest = read_manifest(found, connection.rows(sql, [found])[0][0])
    return KeptFacts(found, *(getattr(manifest, field.name) for field in fields(Facts)))


def use_classifier(config: Config, asked: str) -> Chosen:
    """Make ``predict`` use the classifier with this name or id from now on; return it."""
    from genredb.songs.learn.registry import find_choice, find_classifier  # noqa: PLC0415 - brings scikit-learn

    with open_reader(config.database, config.engine) as connection:
        refuse_missing_views(connection)
        choice = find_choice(config.home, connection, asked)
    find_classifier(config.home, choice)  # raises an error if it cannot predict
    with _writing(config, "classifiers use") as connection:
        write_chosen(connection, choice)
    return choice


def write_chosen(connection: Connection, choice: Chosen) -> None:
    """Store the choice of classifier; the default is not stored."""
    connection.execute("delete from ml.chosen")
    if choice != Chosen():
        values = [choice.name, json.dumps(dict(choice.parameters))]
        connection.execute("insert into ml.chosen values (?, ?)", values)


def remove_classifier(config: Config, classifier_id: str) -> str:
    """Remove a fitted classifier; return its id."""
    with open_reader(config.database, config.engine) as connection:
        found = _find(connection, classifier_id)
    with _writing(config, "classifiers rm") as connection:
        connection.execute("delete from ml.classifiers where classifier_id = ?", [found])
    return found


def _find(connection: Connection, classifier_id: str) -> str:
    read_fingerprints(connection)  # raises an error if there is nothing to predict
    return find_kept_id(connection, classifier_id)


@contextlib.contextmanager
def _writing(config: Config, command: str) -> Iterator[Connection]:
    """Yield a copy of the published database to change, and publish it."""
    started_at = datetime.now(UTC)
    with publication(config.database, config.engine) as writer:
        if writer.current is None:
            raise no_database(config)
        refuse_other_layout(writer.current)
        connection = writer.begin()
        create_tables(connection, *ML_TABLES)
        yield connection
        record_run(connection, command, started_at)
        writer.commit()
