"""The verb ``evaluate``: judges classifiers under a protocol and keeps what came out as tables.

Every fit sees its fold's songs alone. Each classifier's results are published as soon as they are there, so
a run that was ended goes on where it was.
"""

import functools
import time
import warnings
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
from joblib import delayed

from genredb.build.built_with import built_with
from genredb.build.freshness import DEFAULT, TRAIN_VIEW, classifier_settings, read_fingerprints
from genredb.build.history import record_run, run_id_of
from genredb.build.versions import versions
from genredb.errors import InputError, UsageError, did_you_mean
from genredb.learn.classifiers import ClassifierSpec
from genredb.learn.dataset import LabelledSongs, feature_view, fold_fingerprint, read_labelled_songs
from genredb.learn.evaluations import (
    LABELS,
    Evaluation,
    FoldAnswers,
    Judged,
    is_known,
    read,
    with_verdicts,
    write,
)
from genredb.learn.fitted import class_scores, estimator_errors, make
from genredb.learn.past import remember
from genredb.learn.protocols import FOLDS, PROTOCOLS, Fold, Protocol
from genredb.learn.registry import registry
from genredb.learn.scores import Answers, ask_permuted, by_group, read_answers, unknown_share
from genredb.learn.store import classifier_id_of
from genredb.learn.train import Progress, built, ignore
from genredb.learn.workers import answers_of
from genredb.project.config import Config
from genredb.warehouse.database import Connection, open_reader
from genredb.warehouse.publish import publication
from genredb.warehouse.tables import create_tables

# How often each column is permuted, over all folds.
PERMUTATIONS = 30
MOST_ASKED = 1_000_000  # permuted songs at once


def evaluate(
    config: Config, names: Sequence[str], protocol_name: str = "cv", progress: Progress = ignore
) -> list[Evaluation]:
    """Judge classifiers under a protocol; return what is known of each under both labels, best first.

    The default classifier is judged, too, for the others are compared with it. What is known already for
    the same songs is not done again. UsageError for a name that does not exist.
    """
    wanted = list(dict.fromkeys([DEFAULT, *names]))
    judge(config, wanted, protocol_name, progress)
    with open_reader(config.database) as connection:
        found = [
            one
            for label in LABELS
            for one in with_verdicts([read(connection, name, protocol_name, label) for name in wanted])
        ]
    return sorted(found, key=lambda one: (LABELS.index(one.label), -one.accuracy))


def judge(config: Config, names: Sequence[str], protocol_name: str, progress: Progress) -> None:
    """Judge these classifiers alone, but for what is known already; what comes out stands in the tables."""
    if protocol_name not in PROTOCOLS:
        raise UsageError(f"There is no protocol '{protocol_name}'.{did_you_mean(protocol_name, PROTOCOLS)}")
    known = registry(config.home)
    for name in names:
        if name not in known:
            raise UsageError(f"There is no classifier '{name}'.{did_you_mean(name, known)}")
    protocol = PROTOCOLS[protocol_name]
    total = len(names) * protocol.fold_count
    for place, name in enumerate(names):
        told = functools.partial(_tell, progress, f"evaluate {name}", place * protocol.fold_count, total)
        _evaluate_one(config, known[name], protocol, told)


def _tell(progress: Progress, what: str, before: int, total: int, folds: int) -> None:
    progress(what, before + folds, total)


def _evaluate_one(
    config: Config, spec: ClassifierSpec, protocol: Protocol, told: Callable[[int], None]
) -> None:
    """Judge one classifier and publish its results, unless they are there for these songs.

    Others may write while it is judged; that only counts if they did not change the songs.
    """
    started_at = datetime.now(UTC)
    told(0)
    with open_reader(config.database) as reader:
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
        raise InputError(f"{len(data)} labelled songs are too few to judge by under {protocol.name}.")
    jobs = (delayed(_fit_and_ask)(spec, protocol, data, fold, fewest) for fold in protocol.folds(data))
    found = []
    for answers in answers_of(jobs):
        found.append(answers)
        told(len(found))
    with publication(config.database) as turn:
        if _digest(built(turn, config), spec, protocol) != judged.digest:
            raise InputError(f"The songs changed while {spec.name} was judged; run `genredb evaluate` again.")
        connection = turn.begin()
        create_tables(connection)
        write(connection, judged, data, found, _columns(spec, data))
        remember(connection, judged, run_id_of(started_at), data.songs.feature_names)
        record_run(connection, "evaluate", started_at)
        turn.commit()


def _digest(connection: Connection, spec: ClassifierSpec, protocol: Protocol) -> str:
    """Return what an evaluation depends on: songs, how they are parted, settings, libraries, the entry."""
    songs = (read_fingerprints(connection).training, fold_fingerprint(connection, protocol.parted_by))
    settings = map(str, classifier_settings(connection).values())
    return "-".join((*songs, *settings, *versions().values(), spec.entry))


def _columns(spec: ClassifierSpec, data: LabelledSongs) -> tuple[str, ...]:
    """Return the columns that a classifier reads."""
    return (*(("artist",) if spec.uses_artist else ()), *data.songs.feature_names)


def _fit_and_ask(
    spec: ClassifierSpec, protocol: Protocol, data: LabelledSongs, fold: Fold, min_songs: int
) -> FoldAnswers:
    """Fit on a fold's songs, ask for the others, and ask again with each column permuted among them."""
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
    """Return what the classes and scores given for each label say, and the share of songs of known labels."""
    answers, ceilings = {}, {}
    for label, (names, sums) in given.items():
        truth = data.truth(label)
        learned, asked = truth[fold.train], truth[fold.test]
        mass = unknown_share(learned)
        answers[label] = read_answers(names, sums, asked, mass, are_probabilities=are_probabilities)
        ceilings[label] = float(np.isin(asked, learned).mean())
    return answers, ceilings
