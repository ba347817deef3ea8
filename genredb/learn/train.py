"""The verb ``train``: fit a classifier on the labelled songs and keep it."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from genredb.build.built_with import built_with, read_built_with
from genredb.build.freshness import (
    TRAIN_VIEW,
    Fingerprints,
    chosen,
    classifier_settings,
    read_fingerprints,
)
from genredb.build.history import record_run
from genredb.errors import InputError, UsageError
from genredb.learn.classifiers import ClassifierSpec, find_classifier
from genredb.learn.dataset import LABEL, FeatureView, feature_types, feature_view, read_groups, read_songs
from genredb.learn.fitted import Fitted, fit
from genredb.learn.store import Training, classifier_id_of, make_manifest, store
from genredb.project.config import Config
from genredb.warehouse.database import Connection, fetch_all
from genredb.warehouse.publish import Publication, publication
from genredb.warehouse.tables import create_tables

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class TrainResult:
    """What was fitted: on how many songs by how many artists, 0 where the classifier reads no artists.

    ``audio_songs`` and ``audio_genres`` count what the part that reads the audio learned from.
    """

    classifier_id: str
    songs: int
    artists: int
    audio_songs: int
    audio_genres: int
    is_sample: bool


def ignore(_what: str, _done: int, _total: int) -> None:
    """Show no progress."""


@dataclass(frozen=True)
class Session:
    """What the steps of one training or prediction share."""

    connection: Connection
    fingerprints: Fingerprints
    spec: ClassifierSpec
    progress: Progress

    def view(self, name: str) -> FeatureView:
        """Return a feature view as it was built."""
        return feature_view(self.connection, name)

    def count(self, sql: str, *parameters: str) -> int:
        """Return the first value of a query that counts."""
        return int(fetch_all(self.connection, sql, list(parameters))[0][0])


def train(config: Config, progress: Progress = ignore, name: str | None = None) -> TrainResult:
    """Fit a classifier of the registry, else the one that predicts, and publish it in ml.classifiers."""
    started_at = datetime.now(UTC)
    with publication(config.database) as turn:
        reader = built(turn, config)
        fingerprints = read_fingerprints(reader)
        spec = find_classifier(name or chosen(reader))
        session = Session(turn.begin(), fingerprints, spec, progress)
        create_tables(session.connection)
        _, result = fit_anew(session)
        record_run(session.connection, "train", started_at)
        turn.commit()
    return result


def built(turn: Publication, config: Config) -> Connection:
    """Return the reader of the published state; UsageError if nothing or something else is built there."""
    if turn.current is None:
        raise UsageError(f"There is no database {config.database} yet; run `genredb build` first.")
    built_with(config, turn.current)
    return turn.current


def fit_anew(session: Session) -> tuple[Fitted, TrainResult]:
    """Fit the session's classifier and store it; InputError where there are too few songs."""
    spec = session.spec
    session.progress("train", 0, 0)
    songs = read_songs(session.connection, session.view(TRAIN_VIEW), LABEL)
    counts = Counter(songs.labels)
    fewest = classifier_settings(session.connection)["min_genre_songs"]
    if not counts:
        raise InputError(f"features.{TRAIN_VIEW} has no songs to learn from.")
    if "min_genre_songs" in spec.settings and max(counts.values()) < fewest:
        raise InputError(
            f"No genre has the {fewest} labelled songs that {spec.name} wants; lower min_genre_songs in "
            "dbt_project.yml."
        )
    fitted = fit(spec, songs, read_groups(session.connection), fewest)
    training = Training(
        LABEL,
        session.fingerprints.training,
        _view_hash(session),
        len(songs),
        feature_types(session.connection, songs.feature_names),
        {"min_genre_songs": fewest} if "min_genre_songs" in spec.settings else {},
        _metrics(session),
    )
    classifier_id = classifier_id_of(session.connection, spec, session.fingerprints.training)
    store(session.connection, classifier_id, fitted, make_manifest(fitted, training, songs))
    return fitted, TrainResult(
        classifier_id,
        songs=len(songs),
        artists=len(set(songs.artists) - {""}) if spec.uses_artist else 0,
        audio_songs=sum(counts[genre] for genre in fitted.audio_genres),
        audio_genres=len(fitted.audio_genres),
        is_sample=read_built_with(session.connection).is_sample,
    )


def _metrics(session: Session) -> dict[str, float]:
    """Return the accuracies that ``evaluate`` found for this classifier on these songs, by protocol."""
    sql = """
        select protocol, accuracy
        from ml.evaluations
        where classifier = ? and label = ? and starts_with(digest, ?)
        """
    values = [session.spec.name, LABEL, session.fingerprints.training]
    return dict(fetch_all(session.connection, sql, values))


def _view_hash(session: Session) -> str:
    """Return the fingerprint under which the training view was built."""
    sql = "select fingerprint from meta.fingerprints where relation = ?"
    rows = fetch_all(session.connection, sql, [f"features.{TRAIN_VIEW}"])
    return str(rows[0][0]) if rows else ""
