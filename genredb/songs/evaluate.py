"""The verb ``evaluate``: evaluates classifiers under a protocol and stores the results as tables.

Each fit sees only the songs of its fold. A classifier's results are published as soon as they are complete,
so an interrupted run resumes where it stopped.
"""

import functools
import time
import warnings
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
from joblib import delayed

from genredb.errors import InputError, UsageError
from genredb.runner.artifacts.history import record_run, run_id_of
from genredb.runner.planning.built_with import built_with
from genredb.runner.project.config import Config
from genredb.songs.learn.classifiers import ClassifierSpec
from genredb.songs.learn.dataset import LabelledSongs, evaluation_digest, feature_view, read_labelled_songs
from genredb.songs.learn.evaluations import Judged, is_known, write
from genredb.songs.learn.fitted import class_scores, estimator_errors, make
from genredb.songs.learn.fold_answers import FoldAnswers
from genredb.songs.learn.leaderboard import LABELS, Evaluation, read_leaderboard
from genredb.songs.learn.past import remember
from genredb.songs.learn.protocols import FOLDS, PROTOCOLS, Fold, Protocol
from genredb.songs.learn.registry import registry
from genredb.songs.learn.scores import Answers, ask_permuted, by_group, read_answers, unknown_share
from genredb.songs.learn.store import classifier_id_of
from genredb.songs.learn.workers import answers_of
from genredb.songs.staleness import DEFAULT, classifier_settings, read_fingerprints
from genredb.songs.tables import ML_TABLES
from genredb.songs.train import Progress, built, ignore
from genredb.songs.views import TRAIN_VIEW
from genredb.warehouse.connection import Connection
from genredb.warehouse.database import open_reader
from genredb.warehouse.publish import publication
from genredb.warehouse.tables import create_tables

# How often each column is permuted, over all folds.
PERMUTATIONS = 30
MOST_ASKED = 1_000_000  # permuted songs per call


def evaluate(
    config: Config, names: Sequence[str], protocol_name: str = "cv", progress: Progress = ignore
) -> list[Evaluation]:
    """Evaluate classifiers under a protocol; return their evaluations for both labels, best first.

    The default classifier is always evaluated, since the others are compared with it. Results already stored
    for the same songs are reused. UsageError for an unknown name.
    """
    wanted = list(dict.fromkeys([DEFAULT, *names]))
    judge(config, wanted, protocol_name, progress)
    with open_reader(config.database, config.engine) as connection:
        return [one for label in LABELS for one in read_leaderboard(connection, protocol_name, label, wanted)]


def judge(config: Config, names: Sequence[str], protocol_name: str, progress: Progress) -> None:
    """Evaluate only these classifiers, unless results are stored already; write the results to the tables."""
    if protocol_name not in PROTOCOLS:
        raise UsageError(f"There is no protocol '{protocol_name}'", name=protocol_name, choices=PROTOCOLS)
    known = registry(config.home)
    for name in names:
        if name not in known:
            raise UsageError(f"There is no classifier '{name}'", name=name, choices=known)
    protocol = PROTOCOLS[protocol_name]
    total = len(names) * protocol.fold_count
    for place, name in enumerate(names):
        report_progress = functools.partial(
            _tell, progress, f"evaluate {name}", place * protocol.fold_count, total
        )
        _evaluate_one(config, known[name], protocol, report_progress)


def _tell(progress: Progress, what: str, before: int, total: int, folds: int) -> None:
    progress(what, before + folds, total)


def _evaluate_one(
    config: Config, spec: ClassifierSpec, protocol: Protocol, report_progress: Callable[[int], None]
) -> None:
    """Evaluate one classifier and publish its results, unless they exist for these songs.

    Others may write to the database meanwhile; this matters only if they change the songs.
    """
    started_at = datetime.now(UTC)
    report_progress(0)
    with open_reader(config.database, config.engine) as reader:
        built_with(config, reader)
        digest = _digest(reader, spec, protocol)
        fitted_id = classifier_id_of(reader, spec, read_fingerprints(reader).training)
        reads_artist = spec.uses_artist and protocol.knows_artists
        judged = Judged(spec.name, protocol.name, digest, fitted_id, reads_artist)
        if is_known(reader, judged):
            return
        data = read_labelled_songs(reader, feature_view(reader, TRAIN_VIEW))
        fewest = classifier_settings(reader)["min_genre_songs"]
    data = data[protocol.takes_part(data)]
    if len(data) < FOLDS:
        raise InputError(f"{len(data)} labelled songs are too few to evaluate under {protocol.name}")
    jobs = (delayed(_fit_and_ask)(spec, protocol, data, fold, fewest) for fold in protocol.folds(data))
    found = []
    for answers in answers_of(jobs):
        found.append(answers)
        report_progress(len(found))
    with publication(config.database, config.engine) as writer:
        if _digest(built(writer, config), spec, protocol) != judged.digest:
            raise InputError(
                f"The songs changed while {spec.name} was being evaluated",
                cure="run `genredb evaluate` again",
            )
        connection = writer.begin()
        create_tables(connection, *ML_TABLES)
        write(connection, judged, data, found, _columns(spec, data))
        remember(connection, judged, run_id_of(started_at), data.songs.feature_names)
        record_run(connection, "evaluate", started_at)
        writer.commit()


def _digest(connection: Connection, spec: ClassifierSpec, protocol: Protocol) -> str:
    """Return a digest of an evaluation's inputs: those that all share, and the classifier's entry."""
    return f"{evaluation_digest(connection, protocol.name)}-{spec.entry}"


def _columns(spec: ClassifierSpec, data: LabelledSongs) -> tuple[str, ...]:
    """Return the columns that a classifier reads."""
    return (*(("artist",) if spec.uses_artist else ()), *data.songs.feature_names)


def _fit_and_ask(
    spec: ClassifierSpec, protocol: Protocol, data: LabelledSongs, fold: Fold, min_songs: int
) -> FoldAnswers:
    """Fit on a fold's songs, predict the others, and predict them again with each column permuted."""
    matrix = data.songs.matrix(uses_artist=spec.uses_artist)
    if spec.uses_artist and not protocol.knows_artists:
        matrix[:, 0] = np.nan
    genres = data.songs.labels
    started = time.perf_counter()
    with estimator_errors(spec.name, "be fitted"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the notebook's logistic regression does not converge
        estimator = make(spec, len(fold.train), min_songs).fit(matrix[fold.train], genres[fold.train])
    fitted = time.perf_counter()
    most = MOST_ASKED // max(1, matrix.shape[1] * len(fold.test))
    repeats = max(1, min(PERMUTATIONS // protocol.fold_count, most))
    generator = np.random.default_rng([fold.repeat, fold.number])
    with estimator_errors(spec.name, "answer"):
        predicted, permuted = ask_permuted(estimator, matrix[fold.test], repeats, generator)
        asking = time.perf_counter()
        scores, are_probabilities = class_scores(estimator, matrix[fold.test], predicted)
        asked = time.perf_counter()
    groups = by_group(estimator.classes_, scores, dict(zip(genres, data.groups, strict=True)))
    given = {"genre": (estimator.classes_, scores), "genre_group": groups}
    answers, ceilings = _by_label(data, fold, given, are_probabilities=are_probabilities)
    truth = genres[fold.test]
    lost = (predicted == truth).mean() - (permuted == truth).mean(axis=2)
    kept = groups if are_probabilities else None
    return FoldAnswers(fold, answers, ceilings, kept, lost, fitted - started, asked - asking)


def _by_label(
    data: LabelledSongs, fold: Fold, given: dict[str, tuple[Any, Any]], *, are_probabilities: bool
) -> tuple[dict[str, Answers], dict[str, float]]:
    """Return the answers for each label from classes and scores, and the share of songs with known labels."""
    answers, ceilings = {}, {}
    for label, (names, sums) in given.items():
        truth = data.truth(label)
        learned, asked = truth[fold.train], truth[fold.test]
        mass = unknown_share(learned)
        answers[label] = read_answers(names, sums, asked, mass, are_probabilities=are_probabilities)
        ceilings[label] = float(np.isin(asked, learned).mean())
    return answers, ceilings
