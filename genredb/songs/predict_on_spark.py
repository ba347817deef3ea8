"""The verb ``predict`` on Spark: the classifier is fitted on this machine, and predicts in Spark's tasks.

What is read of the songs here is read by DuckDB, from the snapshot's files. So classifiers and fingerprints
are those of a database of the same songs that was built on DuckDB.
"""

import contextlib
from contextlib import closing
from dataclasses import astuple, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from genredb.runner.artifacts.history import record_run
from genredb.runner.project.config import Config
from genredb.runner.templates.relation import Relation
from genredb.songs.classifiers import write_chosen
from genredb.songs.learn.dataset import feature_view
from genredb.songs.learn.drift import find_drift
from genredb.songs.learn.scoring_tasks import ARTISTS, ScoringTask, artists_of, songs_with_artists
from genredb.songs.learn.store import classifier_id_of
from genredb.songs.predict import PredictResult, choose, current_classifier, result_of
from genredb.songs.staleness import chosen, read_fingerprints
from genredb.songs.tables import ML_TABLES
from genredb.songs.train import Progress, Session, built, ignore
from genredb.songs.views import PREDICT_VIEW, VIEWS
from genredb.spark.engine import SparkEngine
from genredb.warehouse.database import column_types
from genredb.warehouse.publish import publication
from genredb.warehouse.tables import create_tables

if TYPE_CHECKING:
    from genredb.spark.executor import SparkExecutor

PREDICTIONS = Relation(None, "ml", "predictions")
_READS = [f"features.{view}" for view in VIEWS]
# The columns of ml.predictions that are the same for every song, in their order.
_SAME = ("min_probability", "choice", "classifier_id", "training_fingerprint", "features_fingerprint")


def predict_on_spark(
    config: Config,
    progress: Progress = ignore,
    min_probability: float = 0.0,
    classifier: str | None = None,
) -> PredictResult:
    """Predict every song without a genre and publish ml.predictions in a new snapshot.

    Otherwise as ``predict``; the songs that the classifier is fitted on must fit on this machine.
    """
    started_at = datetime.now(UTC)
    with publication(config.database, config.engine) as writer, closing(SparkEngine(config)) as engine:
        built(writer, config)
        connection = writer.begin()
        create_tables(connection, *ML_TABLES)
        executor = engine.executor(connection)
        with engine.shown(connection):
            fingerprints = read_fingerprints(connection)
            used = chosen(connection)
            choice, spec = choose(config.home, connection, classifier)
            session = Session(connection, fingerprints, spec, progress)
            classifier_id = classifier_id_of(connection, spec, fingerprints.training)
            view = feature_view(connection, PREDICT_VIEW)
            drift = find_drift(connection, view.features)
            values = (min_probability, choice.digest(config.home), classifier_id, *astuple(fingerprints))
            stored_with = dict(zip(_SAME, values, strict=True))
            fitted, trained, reason = current_classifier(session, classifier_id)
            if trained is None and choice == used and _is_done(executor, session, stored_with):
                rows = f"({executor.rows_here(PREDICTIONS)})"
                result = result_of(connection, classifier_id, rows, is_published=False)
                return replace(result, drift=drift)
            columns = column_types(connection, "ml", "predictions")
        progress("predict", 0, 0)
        query = songs_with_artists(view, uses_artist=fitted.uses_artist)
        task = ScoringTask.of(fitted, stored_with)
        with executor.given(ARTISTS, artists_of(fitted)) if fitted.uses_artist else contextlib.nullcontext():
            executor.compute(PREDICTIONS, columns, query, task, _READS)
        write_chosen(connection, choice)
        record_run(connection, "predict", started_at)
        rows = f"({executor.rows_here(PREDICTIONS)})"
        result = result_of(connection, classifier_id, rows, is_published=True)
        writer.commit()
        engine.publish()
    return replace(result, trained=trained, stale_reason=reason, drift=drift)


def _is_done(executor: "SparkExecutor", session: Session, stored_with: dict[str, Any]) -> bool:
    """Return True if the predictions are of these songs and by this classifier."""
    if not executor.is_computed_from_current(PREDICTIONS):
        return False
    sql = f"select distinct {', '.join(_SAME)} from ({executor.rows_here(PREDICTIONS)})"
    return session.connection.rows(sql) in ([], [tuple(stored_with.values())])
