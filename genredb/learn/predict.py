"""The verbs of learning: fit a classifier and keep it, predict every song without a genre."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pyarrow as pa

from genredb.build.freshness import (
    PREDICT_VIEW,
    TRAIN_VIEW,
    Fingerprints,
    read_fingerprints,
    stale_reason,
)
from genredb.build.history import record_run
from genredb.build.state import is_from_sample
from genredb.errors import InputError, UsageError
from genredb.learn.classifiers import MIN_GENRE_SONGS, ClassifierSpec
from genredb.learn.dataset import Songs, feature_view, read_groups, read_songs, stream_songs
from genredb.learn.drift import Drift, find_drift
from genredb.learn.fitted import Fitted, fit
from genredb.learn.kept import chosen, find_classifier
from genredb.learn.store import (
    ClassifierError,
    Training,
    classifier_id_of,
    load,
    make_manifest,
    stale_classifier,
    store,
)
from genredb.project.config import Config
from genredb.project.discover import Project, read_project
from genredb.project.nodes import Model
from genredb.warehouse.database import Connection, fetch_all
from genredb.warehouse.publish import Publication, publication
from genredb.warehouse.tables import create_tables

BATCH_ROWS = 10_000
LABEL = "genre"

_SCHEMA = pa.schema(
    [
        ("song_key", pa.string()),
        ("genre", pa.string()),
        ("probability", pa.float64()),
        ("basis", pa.string()),
        ("genre_group", pa.string()),
        ("group_probability", pa.float64()),
        ("runner_ups", pa.list_(pa.struct([("genre", pa.string()), ("probability", pa.float64())]))),
    ]
)

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class TrainResult:
    """What was fitted: songs and genres that the look-up and the audio part learned from."""

    classifier_id: str
    songs: int
    artists: int
    audio_songs: int
    audio_genres: int
    is_sample: bool


@dataclass(frozen=True)
class PredictResult:
    """What was predicted. ``trained`` is None where a current classifier was there already.

    ``stale_reason`` says why the one that was there had to be fitted anew; ``drift`` names the columns in
    which the songs are unlike those that it was fitted on.
    """

    classifier_id: str
    songs: int
    by_artist: int
    is_published: bool
    is_sample: bool
    trained: TrainResult | None = None
    stale_reason: str | None = None
    drift: tuple[Drift, ...] = ()


def ignore(_what: str, _done: int, _total: int) -> None:
    """Show no progress."""


@dataclass(frozen=True)
class _Session:
    """What the steps of one training or prediction share."""

    connection: Connection
    project: Project
    fingerprints: Fingerprints
    spec: ClassifierSpec
    progress: Progress

    def view(self, name: str) -> Model:
        """Return a feature view as the project describes it, with the roles of its columns."""
        return feature_view(self.project, name)

    @property
    def min_genre_songs(self) -> int:
        """How many labelled songs make a genre common (a variable of the project)."""
        return int(self.project.config.vars.get("min_genre_songs", MIN_GENRE_SONGS))

    def count(self, sql: str, *parameters: str) -> int:
        """Return the first value of a query that counts."""
        return int(fetch_all(self.connection, sql, list(parameters))[0][0])


def train(config: Config, progress: Progress = ignore, name: str | None = None) -> TrainResult:
    """Fit a classifier of the registry, else the one that predicts, and publish it in ml.classifiers."""
    started_at = datetime.now(UTC)
    project = read_project(config)
    with publication(config.database) as turn:
        reader = built(turn, config)
        fingerprints = read_fingerprints(reader)
        spec = find_classifier(name) if name else chosen(reader)
        session = _Session(turn.begin(), project, fingerprints, spec, progress)
        create_tables(session.connection)
        _, result = _train(session)
        record_run(session.connection, "train", started_at)
        turn.commit()
    return result


def predict(config: Config, progress: Progress = ignore) -> PredictResult:
    """Predict every song without a genre and publish ml.predictions, fitting a classifier if need be.

    Where predictions and data still belong together, nothing is written.
    """
    started_at = datetime.now(UTC)
    project = read_project(config)
    with publication(config.database) as turn:
        reader = built(turn, config)
        fingerprints = read_fingerprints(reader)
        spec = chosen(reader)
        classifier_id = classifier_id_of(spec.name, LABEL, fingerprints.training)
        drift = find_drift(reader, feature_view(project, PREDICT_VIEW).columns_of("feature"))
        if _is_done(reader, classifier_id):
            return replace(_result(reader, classifier_id, None, is_published=False), drift=drift)
        session = _Session(turn.begin(), project, fingerprints, spec, progress)
        create_tables(session.connection)
        fitted, trained, reason = _current(session, classifier_id)
        _score(session, fitted, classifier_id)
        record_run(session.connection, "predict", started_at)
        result = _result(session.connection, classifier_id, trained, is_published=True)
        turn.commit()
    return replace(result, stale_reason=reason, drift=drift)


def built(turn: Publication, config: Config) -> Connection:
    """Return the reader of the published state; UsageError if nothing is built yet."""
    if turn.current is None:
        raise UsageError(f"There is no database {config.database} yet; run `genredb build` first.")
    return turn.current


def _is_done(connection: Connection, classifier_id: str) -> bool:
    """Whether every song to predict has a current prediction by this classifier, and no other song any."""
    if stale_reason(connection) is not None:
        return False
    sql = """
        select
            (select count(*) from ml.predictions) = (select count(*) from features.predict)
            and (select count(*) from ml.predictions where classifier_id <> ?) = 0
            and exists (select 1 from ml.classifiers where classifier_id = ?)
        """
    return bool(fetch_all(connection, sql, [classifier_id, classifier_id])[0][0])


def _result(
    connection: Connection, classifier_id: str, trained: TrainResult | None, *, is_published: bool
) -> PredictResult:
    sql = "select count(*), count(*) filter (where basis = 'artist') from ml.predictions"
    songs, by_artist = fetch_all(connection, sql)[0]
    return PredictResult(
        classifier_id, songs, by_artist, is_published, is_sample=is_from_sample(connection), trained=trained
    )


def _current(session: _Session, classifier_id: str) -> tuple[Fitted, TrainResult | None, str | None]:
    """Return the stored classifier if it is current and sound, else a newly fitted one, and why."""
    connection = session.connection
    names = session.view(PREDICT_VIEW).columns_of("feature")
    if session.count("select count(*) from ml.classifiers where classifier_id = ?", classifier_id):
        try:
            return load(connection, classifier_id, names), None, None
        except ClassifierError as error:
            reason: str | None = error.what
    else:
        reason = stale_classifier(connection, session.spec.name, session.fingerprints.training, names)
    return *_train(session), reason


def _train(session: _Session) -> tuple[Fitted, TrainResult]:
    spec = session.spec
    session.progress("train", 0, 0)
    songs = read_songs(session.connection, session.view(TRAIN_VIEW), LABEL)
    common_songs, common_genres = _common(songs, session.min_genre_songs)
    if not common_songs:
        raise InputError(
            f"features.{TRAIN_VIEW} has no songs to learn from: no genre has enough labelled songs "
            "(see min_genre_songs in dbt_project.yml)."
        )
    fitted = fit(spec, songs, read_groups(session.connection), session.min_genre_songs)
    training = Training(LABEL, session.fingerprints.training, _view_hash(session), len(songs))
    classifier_id = store(session.connection, fitted, make_manifest(fitted, training, songs))
    return fitted, TrainResult(
        classifier_id,
        songs=len(songs),
        artists=len(set(songs.artists) - {""}),
        audio_songs=common_songs,
        audio_genres=common_genres,
        is_sample=is_from_sample(session.connection),
    )


def _common(songs: Songs, min_genre_songs: int) -> tuple[int, int]:
    """Return how many songs are of common genres, and how many such genres there are."""
    common = [count for count in Counter(songs.labels).values() if count >= min_genre_songs]
    return sum(common), len(common)


def _view_hash(session: _Session) -> str:
    """Return the fingerprint under which the training view was built."""
    sql = "select fingerprint from meta.fingerprints where unique_id = ?"
    rows = fetch_all(session.connection, sql, [f"model.{session.project.config.name}.{TRAIN_VIEW}"])
    return str(rows[0][0]) if rows else ""


def _score(session: _Session, fitted: Fitted, classifier_id: str) -> None:
    """Replace ml.predictions by predictions for every row of features.predict, batch by batch."""
    view = session.view(PREDICT_VIEW)
    total = session.count(f"select count(*) from features.{PREDICT_VIEW}")

    def batches() -> Iterator[pa.RecordBatch]:
        done = 0
        for songs in stream_songs(session.connection, view, BATCH_ROWS):
            yield _batch(songs, fitted)
            done += len(songs)
            session.progress("predict", done, total)

    connection = session.connection
    connection.execute("delete from ml.predictions")
    connection.register("scored", pa.RecordBatchReader.from_batches(_SCHEMA, batches()))
    connection.execute(
        "insert into ml.predictions select scored.*, ?, ?, ? from scored",
        [classifier_id, session.fingerprints.training, session.fingerprints.features],
    )
    connection.unregister("scored")


def _batch(songs: Songs, fitted: Fitted) -> pa.RecordBatch:
    predicted = fitted.predict(songs)
    runner_ups = [
        [{"genre": genre, "probability": probability} for genre, probability in genres[1:]]
        for genres in predicted.genres
    ]
    columns = [
        songs.keys.tolist(),
        [genres[0][0] for genres in predicted.genres],
        [genres[0][1] for genres in predicted.genres],
        predicted.bases,
        [group for group, _ in predicted.groups],
        [probability for _, probability in predicted.groups],
        runner_ups,
    ]
    arrays = [pa.array(column, field.type) for column, field in zip(columns, _SCHEMA, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=_SCHEMA)
