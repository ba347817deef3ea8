"""The verb ``predict``: predict every song without a genre, fitting a classifier first if necessary."""

from collections.abc import Iterator
from dataclasses import astuple, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa

from genredb.errors import GenredbError
from genredb.runner.artifacts.history import record_run
from genredb.runner.planning.built_with import read_built_with
from genredb.runner.project.config import Config
from genredb.songs.classifiers import write_chosen
from genredb.songs.freshness import chosen, find_stale, read_fingerprints
from genredb.songs.learn.dataset import Songs, feature_view, stream_songs
from genredb.songs.learn.drift import Drift, find_drift
from genredb.songs.learn.fitted import Fitted
from genredb.songs.learn.manifest import ClassifierError, Unusable
from genredb.songs.learn.registry import find_choice, find_classifier, find_used
from genredb.songs.learn.store import classifier_id_of, find_unusable, load
from genredb.songs.tables import ML_TABLES
from genredb.songs.train import Progress, Session, TrainResult, built, fit_anew, ignore
from genredb.songs.views import PREDICT_VIEW
from genredb.warehouse.connection import Connection
from genredb.warehouse.publish import publication
from genredb.warehouse.tables import create_tables

BATCH_ROWS = 10_000

_PROBABILITY = ("probability", pa.float64())
_SCHEMA = pa.schema(
    [
        ("song_key", pa.string()),
        ("genre", pa.string()),
        ("probability", pa.float64()),
        ("basis", pa.string()),
        ("genre_group", pa.string()),
        ("group_probability", pa.float64()),
        ("group_probabilities", pa.list_(pa.struct([("genre_group", pa.string()), _PROBABILITY]))),
        ("runner_ups", pa.list_(pa.struct([("genre", pa.string()), _PROBABILITY]))),
    ]
)


@dataclass(frozen=True)
class PredictResult:
    """The result of a prediction: ``unnamed`` songs are below the requested probability.

    ``trained`` is None if a current classifier was stored. ``stale_reason`` says why the stored one had to be
    fitted again; ``drift`` lists the columns whose distribution differs from the training songs.
    """

    classifier_id: str
    songs: int
    by_artist: int
    unnamed: int
    is_published: bool
    is_sample: bool
    trained: TrainResult | None = None
    stale_reason: Unusable | None = None
    drift: tuple[Drift, ...] = ()


def predict(
    config: Config,
    progress: Progress = ignore,
    min_probability: float = 0.0,
    classifier: str | None = None,
) -> PredictResult:
    """Predict every song without a genre and publish ml.predictions, fitting a classifier if necessary.

    The relation ``predictions`` leaves the genre empty if its probability is below ``min_probability``; a
    submission names one for every song. ``classifier``, a name or an id, is used from now on. If predictions
    and data still match, nothing is written.
    """
    started_at = datetime.now(UTC)
    with publication(config.database, config.engine) as writer:
        reader = built(writer, config)
        fingerprints = read_fingerprints(reader)
        used = chosen(reader)
        is_named = classifier is not None
        choice = find_choice(config.home, reader, classifier) if classifier is not None else used
        spec = find_classifier(config.home, choice) if is_named else find_used(config.home, reader)
        classifier_id = classifier_id_of(reader, spec, fingerprints.training)
        drift = find_drift(reader, feature_view(reader, PREDICT_VIEW).features)
        if choice == used and _is_done(reader, config.home, classifier_id, min_probability):
            return replace(_result(reader, classifier_id, None, is_published=False), drift=drift)
        session = Session(writer.begin(), fingerprints, spec, progress)
        create_tables(session.connection, *ML_TABLES)
        write_chosen(session.connection, choice)
        fitted, trained, reason = _current(session, classifier_id)
        _score(session, fitted, classifier_id, min_probability, choice.digest(config.home))
        record_run(session.connection, "predict", started_at)
        result = _result(session.connection, classifier_id, trained, is_published=True)
        writer.commit()
    return replace(result, stale_reason=reason, drift=drift)


def _is_done(connection: Connection, home: Path, classifier_id: str, min_probability: float) -> bool:
    """Return True if exactly the songs to predict have current predictions by this classifier."""
    if find_stale(connection, home) is not None:
        return False
    sql = """
        select
            (select count(*) from ml.predictions) = (select count(*) from features.predict)
            and (select count(*) from ml.predictions where classifier_id <> ? or min_probability <> ?) = 0
            and exists (select 1 from ml.classifiers where classifier_id = ?)
        """
    return bool(connection.rows(sql, [classifier_id, min_probability, classifier_id])[0][0])


def _result(
    connection: Connection, classifier_id: str, trained: TrainResult | None, *, is_published: bool
) -> PredictResult:
    sql = """
        select
            count(*),
            count(*) filter (where basis = 'artist'),
            count(*) filter (where probability < min_probability)
        from ml.predictions
        """
    songs, by_artist, unnamed = connection.rows(sql)[0]
    return PredictResult(
        classifier_id,
        songs,
        by_artist,
        unnamed,
        is_published=is_published,
        is_sample=read_built_with(connection).is_sample,
        trained=trained,
    )


def _current(session: Session, classifier_id: str) -> tuple[Fitted, TrainResult | None, Unusable | None]:
    """Return the stored classifier if it is current and sound, else a newly fitted one, and why."""
    connection = session.connection
    if session.count("select count(*) from ml.classifiers where classifier_id = ?", classifier_id):
        try:
            return load(connection, classifier_id, session.spec.trusts), None, None
        except ClassifierError as error:
            reason: Unusable | None = error.unusable
    else:
        reason = find_unusable(connection, session.spec.name, session.fingerprints.training)
    return *fit_anew(session), reason


def _score(session: Session, fitted: Fitted, classifier_id: str, min_probability: float, choice: str) -> None:
    """Replace ml.predictions with predictions for every row of features.predict, in batches."""
    view = session.view(PREDICT_VIEW)
    total = session.count(f"select count(*) from features.{PREDICT_VIEW}")
    refused: list[GenredbError] = []

    def batches() -> Iterator[pa.RecordBatch]:
        done = 0
        for songs in stream_songs(session.connection, view, BATCH_ROWS):
            try:
                yield _batch(songs, fitted)
            except GenredbError as error:  # DuckDB would turn it into an error of its own
                refused.append(error)
                raise
            done += len(songs)
            session.progress("predict", done, total)

    connection = session.connection
    connection.execute("delete from ml.predictions")
    try:
        with connection.given("scored", pa.RecordBatchReader.from_batches(_SCHEMA, batches())):
            connection.execute(
                "insert into ml.predictions select scored.*, ?, ?, ?, ?, ? from scored",
                [min_probability, choice, classifier_id, *astuple(session.fingerprints)],
            )
    except Exception:
        if refused:
            raise refused[0] from None
        raise


def _batch(songs: Songs, fitted: Fitted) -> pa.RecordBatch:
    predicted = fitted.predict(songs)
    group_probabilities = [
        [{"genre_group": group, "probability": probability} for group, probability in groups]
        for groups in predicted.groups
    ]
    runner_ups = [
        [{"genre": genre, "probability": probability} for genre, probability in genres[1:]]
        for genres in predicted.genres
    ]
    columns = [
        songs.keys.tolist(),
        [genres[0][0] for genres in predicted.genres],
        [genres[0][1] for genres in predicted.genres],
        predicted.bases,
        [groups[0][0] for groups in predicted.groups],
        [groups[0][1] for groups in predicted.groups],
        group_probabilities,
        runner_ups,
    ]
    arrays = [pa.array(column, field.type) for column, field in zip(columns, _SCHEMA, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=_SCHEMA)
