"""The verb ``predict``: predict every song without a genre, fitting a classifier first if necessary."""

from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, replace
from datetime import UTC, datetime
from itertools import chain, islice
from pathlib import Path

import pyarrow as pa

from genredb.runner.artifacts.history import record_run
from genredb.runner.graph.identity import digest
from genredb.runner.planning.built_with import read_built_with
from genredb.runner.project.config import Config
from genredb.songs.classifiers import write_chosen
from genredb.songs.learn.classifiers import ClassifierSpec
from genredb.songs.learn.dataset import feature_view, stream_songs
from genredb.songs.learn.drift import Drift, find_drift
from genredb.songs.learn.fitted import Fitted
from genredb.songs.learn.manifest import ClassifierError, Unusable
from genredb.songs.learn.registry import find_choice, find_classifier, find_used
from genredb.songs.learn.scored_parts import ScoredParts
from genredb.songs.learn.scoring import SCHEMA, scored
from genredb.songs.learn.store import classifier_id_of, find_unusable, load
from genredb.songs.staleness import Chosen, chosen, find_stale, read_fingerprints
from genredb.songs.tables import ML_TABLES
from genredb.songs.train import Progress, Session, TrainResult, built, fit_anew, ignore
from genredb.songs.views import PREDICT_VIEW
from genredb.warehouse.connection import Connection
from genredb.warehouse.database import relation_exists
from genredb.warehouse.publish import publication
from genredb.warehouse.tables import create_tables

BATCH_ROWS = 10_000
PART_BATCHES = 10  # batches after which predictions of many songs are kept
_COUNT = f"select count(*) from features.{PREDICT_VIEW}"


@dataclass(frozen=True)
class PredictResult:
    """The result of a prediction: ``unnamed`` songs are below the requested probability.

    ``trained`` is None if a current classifier was stored. ``stale_reason`` says why the stored one had to be
    fitted again; ``drift`` lists the columns whose distribution differs from the training songs. ``resumed``
    counts songs predicted by an earlier run that was interrupted.
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
    resumed: int = 0


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
        choice, spec = choose(config.home, reader, classifier)
        classifier_id = classifier_id_of(reader, spec, fingerprints.training)
        drift = find_drift(reader, feature_view(reader, PREDICT_VIEW).features)
        is_fresh = _has_tables(reader) and not find_stale(reader, config.home, fingerprints)
        if choice == used and is_fresh and _is_done(reader, classifier_id, min_probability):
            return replace(result_of(reader, classifier_id, is_published=False), drift=drift)
        session = Session(writer.begin(), fingerprints, spec, progress)
        create_tables(session.connection, *ML_TABLES)
        fitted, trained, reason = current_classifier(session, classifier_id)
        if trained and _are_many(session.count(_COUNT)):  # it remains if the prediction is interrupted
            writer.commit()
            writer.renew()
            session = replace(session, connection=writer.begin())
        write_chosen(session.connection, choice)
        parts = ScoredParts(config.target_dir / "scored", _identity(session, classifier_id, config.database))
        resumed = parts.songs
        stated = (min_probability, choice.digest(config.home), classifier_id, *astuple(fingerprints))
        _score(session, fitted, parts, stated)
        record_run(session.connection, "predict", started_at)
        result = result_of(session.connection, classifier_id, is_published=True)
        writer.commit()
        parts.remove()
    return replace(result, trained=trained, stale_reason=reason, drift=drift, resumed=resumed)


def choose(home: Path, connection: Connection, classifier: str | None) -> tuple[Chosen, ClassifierSpec]:
    """Return the classifier of this name or id, by default the one in use, and how it is made."""
    if classifier is None:
        return chosen(connection), find_used(home, connection)
    choice = find_choice(home, connection, classifier)
    return choice, find_classifier(home, choice)


def _has_tables(connection: Connection) -> bool:
    """Return True if the tables exist that say what was predicted: somebody may have dropped them."""
    return all(relation_exists(connection, "ml", name) for name in ("classifiers", "predictions"))


def _are_many(songs: int) -> bool:
    """Return True for so many songs to predict that what is done is kept if it is interrupted."""
    return songs > PART_BATCHES * BATCH_ROWS


def _is_done(connection: Connection, classifier_id: str, min_probability: float) -> bool:
    """Return True if the predictions, which are up to date, are by this classifier, and of no other songs."""
    sql = """
        select
            (select count(*) from ml.predictions) = (select count(*) from features.predict)
            and (select count(*) from ml.predictions where classifier_id <> ? or min_probability <> ?) = 0
            and exists (select 1 from ml.classifiers where classifier_id = ?)
        """
    return bool(connection.rows(sql, [classifier_id, min_probability, classifier_id])[0][0])


def result_of(
    connection: Connection,
    classifier_id: str,
    predictions: str = "ml.predictions",
    *,
    is_published: bool,
) -> PredictResult:
    """Return the result of a prediction, whose rows are in ``predictions``."""
    sql = f"""
        select
            count(*),
            count(*) filter (where basis = 'artist'),
            count(*) filter (where probability < min_probability)
        from {predictions}
        """
    [(songs, by_artist, unnamed)] = connection.rows(sql)
    is_sample = read_built_with(connection).is_sample
    return PredictResult(classifier_id, songs, by_artist, unnamed, is_published, is_sample)


def current_classifier(
    session: Session, classifier_id: str
) -> tuple[Fitted, TrainResult | None, Unusable | None]:
    """Return the stored classifier if it is current and sound, else a newly fitted one, and why."""
    connection = session.connection
    reason: Unusable | None
    if session.count("select count(*) from ml.classifiers where classifier_id = ?", classifier_id):
        try:
            return load(connection, classifier_id, session.spec.trusts), None, None
        except ClassifierError as error:
            reason = error.unusable
    else:
        reason = find_unusable(connection, session.spec.name, session.fingerprints.training)
    return *fit_anew(session), reason


def _identity(session: Session, classifier_id: str, database: Path) -> str:
    """Return a digest of everything that the prediction of a song depends on."""
    sql = "select sha256 from ml.classifiers where classifier_id = ?"
    [(fitted,)] = session.connection.rows(sql, [classifier_id])
    return digest(str(database), classifier_id, fitted, session.fingerprints.features)[:16]


def _score(session: Session, fitted: Fitted, parts: ScoredParts, stored_with: Sequence[object]) -> None:
    """Replace ml.predictions with predictions for every row of features.predict.

    ``stored_with`` are the values of its columns that are the same for every song.
    """
    stopped: list[BaseException] = []
    found = _batches(session, fitted, parts)

    def batches() -> Iterator[pa.RecordBatch]:
        try:
            yield from found
        except BaseException as error:  # DuckDB would turn it into an error of its own
            stopped.append(error)
            raise

    connection = session.connection
    connection.execute("delete from ml.predictions")
    try:
        with connection.given("scored", pa.RecordBatchReader.from_batches(SCHEMA, batches())):
            connection.execute(
                "insert into ml.predictions select scored.*, ?, ?, ?, ?, ? from scored", stored_with
            )
    except Exception:
        if stopped:
            raise stopped[0] from None
        raise


def _batches(session: Session, fitted: Fitted, parts: ScoredParts) -> Iterator[pa.RecordBatch]:
    """Return the parts that are done, then those of the other songs; if these are many, each part is kept."""
    # While the batches are read, the session's connection is busy inserting them.
    total = session.count(_COUNT) - parts.songs
    threads = session.count("select current_setting('threads')")
    songs = stream_songs(session.connection, session.view(PREDICT_VIEW), BATCH_ROWS, skip=parts.songs)

    def counted() -> Iterator[pa.RecordBatch]:
        done = 0
        for batch in scored(songs, fitted, threads):
            done += batch.num_rows
            session.progress("predict", done, total)
            yield batch

    def kept() -> Iterator[pa.RecordBatch]:
        found = counted()
        while part := list(islice(found, PART_BATCHES)):
            if _are_many(total):
                parts.add(part)
            yield from part

    return chain(parts.batches(), kept())
