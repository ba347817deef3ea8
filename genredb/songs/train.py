"""The verb ``train``: fit a classifier on the labelled songs and store it."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from warnings import WarningMessage, catch_warnings, simplefilter

from genredb.errors import InputError
from genredb.runner.artifacts.history import record_run
from genredb.runner.planning.built_with import built_with, no_database, read_built_with
from genredb.runner.project.config import Config
from genredb.songs.learn.classifiers import ClassifierSpec
from genredb.songs.learn.dataset import (
    LABEL,
    FeatureView,
    feature_types,
    feature_view,
    read_groups,
    read_songs,
)
from genredb.songs.learn.fitted import Fitted, fit
from genredb.songs.learn.registry import find_classifier, find_used
from genredb.songs.learn.store import Training, classifier_id_of, make_manifest, store
from genredb.songs.staleness import Chosen, Fingerprints, chosen, classifier_settings, read_fingerprints
from genredb.songs.tables import ML_TABLES
from genredb.songs.views import TRAIN_VIEW
from genredb.warehouse.connection import Connection
from genredb.warehouse.publish import Publication, publication
from genredb.warehouse.tables import create_tables

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class TrainResult:
    """What was fitted: the numbers of songs and of artists, 0 if the classifier does not use artists.

    ``audio_songs`` and ``audio_genres`` count what the part that reads the audio was fitted on; ``is_used``
    means that this classifier is the one in use; ``warnings`` are scikit-learn's, one line each.
    """

    classifier_id: str
    songs: int
    artists: int
    audio_songs: int
    audio_genres: int
    is_sample: bool
    is_used: bool = True
    warnings: tuple[str, ...] = ()


def ignore(_what: str, _done: int, _total: int) -> None:
    """Show no progress."""


@dataclass(frozen=True)
class Session:
    """State shared by the steps of one training or prediction."""

    connection: Connection
    fingerprints: Fingerprints
    spec: ClassifierSpec
    progress: Progress

    def view(self, name: str) -> FeatureView:
        """Return a feature view as it was built."""
        return feature_view(self.connection, name)

    def count(self, sql: str, *parameters: str) -> int:
        """Return the first value of a counting query."""
        return int(self.connection.rows(sql, list(parameters))[0][0])


def train(
    config: Config,
    progress: Progress = ignore,
    name: str | None = None,
    parameters: Mapping[str, Any] | None = None,
) -> TrainResult:
    """Fit a classifier, by default the one in use, and publish it in ml.classifiers.

    ``parameters`` override its own; UsageError lists the valid ones if one does not exist.
    """
    started_at = datetime.now(UTC)
    with publication(config.database, config.engine) as writer:
        reader = built(writer, config)
        fingerprints = read_fingerprints(reader)
        used = chosen(reader)
        asked = Chosen(used.name if name is None else name, parameters or {})
        choice = used if name is None and not parameters else asked
        spec = find_used(config.home, reader) if choice == used else find_classifier(config.home, choice)
        session = Session(writer.begin(), fingerprints, spec, progress)
        create_tables(session.connection, *ML_TABLES)
        _, result = fit_anew(session)
        result = replace(result, is_used=choice == used)
        record_run(session.connection, "train", started_at)
        writer.commit()
    return result


def built(writer: Publication, config: Config) -> Connection:
    """Return a reader of the published state; UsageError if nothing or something else is built there."""
    if writer.current is None:
        raise no_database(config)
    built_with(config, writer.current)
    return writer.current


def fit_anew(session: Session) -> tuple[Fitted, TrainResult]:
    """Fit the session's classifier and store it; InputError if there are too few songs."""
    spec = session.spec
    session.progress("train", 0, 0)
    songs = read_songs(session.connection, session.view(TRAIN_VIEW), LABEL, has_keys=False)
    counts = Counter(songs.labels)
    fewest = classifier_settings(session.connection)["min_genre_songs"]
    if not counts:
        raise InputError(f"features.{TRAIN_VIEW} has no songs to train on")
    if "min_genre_songs" in spec.settings and max(counts.values()) < fewest:
        raise InputError(
            f"No genre has the {fewest} labelled songs that {spec.name} needs",
            cure="lower min_genre_songs in dbt_project.yml",
        )
    groups = read_groups(session.connection)
    session.connection.give_back_memory()  # reading many songs took more than they take
    with catch_warnings(record=True) as caught:
        simplefilter("always")
        fitted = fit(spec, songs, groups, fewest)
    training = Training(
        LABEL,
        session.fingerprints.training,
        _view_hash(session),
        len(songs),
        feature_types(session.connection, songs.feature_names),
        {"min_genre_songs": fewest} if "min_genre_songs" in spec.settings else {},
        spec.parameters,
        spec.entry,
        _metrics(session),
    )
    classifier_id = classifier_id_of(session.connection, spec, session.fingerprints.training)
    manifest = make_manifest(fitted, training, songs)
    del songs  # storing takes about as much memory again
    store(session.connection, classifier_id, fitted, manifest, spec.trusts)
    return fitted, TrainResult(
        classifier_id,
        songs=training.rows,
        artists=len(fitted.estimator.artists_) if spec.uses_artist else 0,
        audio_songs=sum(counts[genre] for genre in fitted.audio_genres),
        audio_genres=len(fitted.audio_genres),
        is_sample=read_built_with(session.connection).is_sample,
        warnings=_first_lines(caught),
    )


def _first_lines(caught: Sequence[WarningMessage]) -> tuple[str, ...]:
    """Return the first lines of warnings, without duplicates; further lines are advice and links."""
    lines = (str(one.message).strip().partition("\n")[0].rstrip(" .:") for one in caught)
    return tuple(dict.fromkeys(lines))


def _metrics(session: Session) -> dict[str, float]:
    """Return the accuracies that ``evaluate`` found for this classifier on these songs, by protocol."""
    sql = """
        select protocol, accuracy
        from ml.evaluations
        where classifier = ? and label = ? and starts_with(digest, ? || '-') and ends_with(digest, '-' || ?)
        """
    if session.spec.parameters:  # never evaluated with these
        return {}
    values = [session.spec.name, LABEL, session.fingerprints.training, session.spec.entry]
    return dict(session.connection.rows(sql, values))


def _view_hash(session: Session) -> str:
    """Return the fingerprint with which the training view was built."""
    sql = "select fingerprint from meta.fingerprints where relation = ?"
    rows = session.connection.rows(sql, [f"features.{TRAIN_VIEW}"])
    return str(rows[0][0]) if rows else ""
