"""How accuracy grows with the songs learned from: the folds of ``cv``, each with a part of its songs."""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from joblib import delayed

from genredb.build.built_with import built_with
from genredb.build.freshness import TRAIN_VIEW, classifier_settings, read_fingerprints
from genredb.errors import InputError, UsageError, did_you_mean
from genredb.learn.classifiers import ClassifierSpec
from genredb.learn.dataset import LabelledSongs, feature_view, read_labelled_songs
from genredb.learn.fitted import estimator_errors, make
from genredb.learn.protocols import FOLDS, PROTOCOLS, Fold
from genredb.learn.registry import registry
from genredb.learn.scores import standard_error
from genredb.learn.train import Progress, ignore
from genredb.learn.workers import answers_of
from genredb.project.config import Config
from genredb.warehouse.database import open_reader

SHARES = (0.1, 0.2, 0.4, 0.6, 0.8, 1.0)
REPEATS = 2


@dataclass(frozen=True)
class CurvePoint:
    """Accuracy after learning from ``songs`` songs by ``artists`` artists, means over the folds.

    ``known_share`` is the share of the songs asked whose artist is among these; ``unseen_accuracy`` is over
    the others, None where there are none. ``accuracy_error`` is a standard error over songs.
    """

    songs: float
    artists: float
    known_share: float
    accuracy: float
    accuracy_error: float
    unseen_accuracy: float | None


def learning_curve(config: Config, name: str, progress: Progress = ignore) -> list[CurvePoint]:
    """Fit a classifier on growing parts of each fold's songs; the smaller part is within the larger one."""
    known = registry(config.home)
    if name not in known:
        raise UsageError(f"There is no classifier '{name}'.{did_you_mean(name, known)}")
    protocol = PROTOCOLS["cv"]
    with open_reader(config.database) as reader:
        built_with(config, reader)
        read_fingerprints(reader)  # says so where there are no songs
        data = read_labelled_songs(reader, feature_view(reader, TRAIN_VIEW))
        fewest = classifier_settings(reader)["min_genre_songs"]
    data = data[protocol.takes_part(data)]
    if len(data) < FOLDS / SHARES[0]:
        raise InputError(f"{len(data)} labelled songs are too few for a learning curve.")
    folds = [fold for fold in protocol.folds(data) if fold.repeat < REPEATS]
    tasks = [(share, fold) for share in SHARES for fold in folds]
    jobs = (delayed(_ask)(known[name], data, _part(fold, share), fewest) for share, fold in tasks)
    found = []
    for answers in answers_of(jobs):
        found.append(answers)
        progress(f"learning curve of {name}", len(found), len(tasks))
    return list(_points(data, [fold for _, fold in tasks], found))


def _part(fold: Fold, share: float) -> Any:
    """Return the places of a share of a fold's songs, in the order of the songs."""
    shuffled = np.random.default_rng([fold.repeat, fold.number]).permutation(fold.train)
    return Fold(fold.repeat, fold.number, np.sort(shuffled[: round(share * len(shuffled))]), fold.test)


def _ask(spec: ClassifierSpec, data: LabelledSongs, fold: Fold, min_songs: int) -> tuple[Any, ...]:
    """Return how many songs and artists were learned from, which answers are right, which artists known."""
    matrix = data.songs.matrix(uses_artist=spec.uses_artist)
    genres, artists = data.songs.labels, data.songs.artists
    with estimator_errors(spec.name, f"learn from {len(fold.train)} songs"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # few songs of many genres look like numbers to be regressed
        estimator = make(spec, len(fold.train), min_songs).fit(matrix[fold.train], genres[fold.train])
        right = estimator.predict(matrix[fold.test]) == genres[fold.test]
    known = set(artists[fold.train]) - {""}
    is_known = np.array([artist in known for artist in artists[fold.test]], dtype=bool)
    return len(fold.train), len(set(data.singers[fold.train])), right, is_known


def _points(data: LabelledSongs, folds: list[Fold], found: list[tuple[Any, ...]]) -> Iterator[CurvePoint]:
    count = len(folds) // len(SHARES)
    for start in range(0, len(found), count):
        own = found[start : start + count]
        right = np.concatenate([one[2] for one in own]).astype(np.float64)
        is_known = np.concatenate([one[3] for one in own])
        artists = np.concatenate([data.singers[fold.test] for fold in folds[start : start + count]])
        yield CurvePoint(
            float(np.mean([one[0] for one in own])),
            float(np.mean([one[1] for one in own])),
            float(is_known.mean()),
            float(right.mean()),
            standard_error(right, artists),
            float(right[~is_known].mean()) if not is_known.all() else None,
        )
