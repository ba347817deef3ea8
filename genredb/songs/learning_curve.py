"""Learning curves: accuracy by number of training songs, on the folds of ``cv`` with parts of their songs."""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from joblib import delayed

from genredb.errors import InputError, UsageError
from genredb.runner.planning.built_with import built_with
from genredb.runner.project.config import Config
from genredb.songs.learn.classifiers import ClassifierSpec
from genredb.songs.learn.dataset import LabelledSongs, feature_view, read_labelled_songs
from genredb.songs.learn.fitted import estimator_errors, make
from genredb.songs.learn.protocols import FOLDS, PROTOCOLS, Fold
from genredb.songs.learn.registry import registry
from genredb.songs.learn.scores import standard_error
from genredb.songs.learn.workers import answers_of
from genredb.songs.needed_columns import SONGS_TABLE, refuse_missing_columns
from genredb.songs.staleness import classifier_settings, read_fingerprints
from genredb.songs.train import Progress, ignore
from genredb.songs.views import TRAIN_VIEW
from genredb.warehouse.database import open_reader

SHARES = (0.1, 0.2, 0.4, 0.6, 0.8, 1.0)
REPEATS = 2


@dataclass(frozen=True)
class CurvePoint:
    """Accuracy after training on ``songs`` songs by ``artists`` artists; all are means over the folds.

    ``known_share`` is the share of test songs whose artist is among the training songs; ``unseen_accuracy``
    is the accuracy on the others, None if there are none. ``accuracy_error`` is a standard error over songs.
    """

    songs: float
    artists: float
    known_share: float
    accuracy: float
    accuracy_error: float
    unseen_accuracy: float | None


def learning_curve(config: Config, name: str, progress: Progress = ignore) -> list[CurvePoint]:
    """Fit a classifier on growing parts of each fold's songs; each part contains the smaller ones."""
    known = registry(config.home)
    if name not in known:
        raise UsageError(f"There is no classifier '{name}'", name=name, choices=known)
    protocol = PROTOCOLS["cv"]
    with open_reader(config.database, config.engine) as reader:
        built_with(config, reader)
        read_fingerprints(reader)  # raises an error if there are no songs
        refuse_missing_columns(reader, [SONGS_TABLE])
        data = read_labelled_songs(reader, feature_view(reader, TRAIN_VIEW))
        fewest = classifier_settings(reader)["min_genre_songs"]
    data = data[protocol.takes_part(data)]
    if len(data) < FOLDS / SHARES[0]:
        raise InputError(f"{len(data)} labelled songs are too few for a learning curve")
    folds = [fold for fold in protocol.folds(data) if fold.repeat < REPEATS]
    tasks = [(share, fold) for share in SHARES for fold in folds]
    jobs = (delayed(_ask)(known[name], data, _part(fold, share), fewest) for share, fold in tasks)
    found = []
    for answers in answers_of(jobs):
        found.append(answers)
        progress(f"learning curve of {name}", len(found), len(tasks))
    return list(_points(data, [fold for _, fold in tasks], found))


def _part(fold: Fold, share: float) -> Any:
    """Return the indices of a share of a fold's songs, in the order of the songs."""
    shuffled = np.random.default_rng([fold.repeat, fold.number]).permutation(fold.train)
    return Fold(fold.repeat, fold.number, np.sort(shuffled[: round(share * len(shuffled))]), fold.test)


def _ask(spec: ClassifierSpec, data: LabelledSongs, fold: Fold, min_songs: int) -> tuple[Any, ...]:
    """Return the numbers of training songs and artists, which answers are right, which artists are known."""
    matrix = data.songs.matrix(uses_artist=spec.uses_artist)
    genres, artists = data.songs.labels, data.artists
    with estimator_errors(spec.name, f"learn from {len(fold.train)} songs"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-learn takes few songs of many genres for a regression target
        estimator = make(spec, len(fold.train), min_songs).fit(matrix[fold.train], genres[fold.train])
        right = estimator.predict(matrix[fold.test]) == genres[fold.test]
    known = set(artists[fold.train]) - {""}
    is_known = np.array([artist in known for artist in artists[fold.test]], dtype=bool)
    return len(fold.train), len(set(data.artist_groups[fold.train])), right, is_known


def _points(data: LabelledSongs, folds: list[Fold], found: list[tuple[Any, ...]]) -> Iterator[CurvePoint]:
    count = len(folds) // len(SHARES)
    for start in range(0, len(found), count):
        own = found[start : start + count]
        right = np.concatenate([one[2] for one in own]).astype(np.float64)
        is_known = np.concatenate([one[3] for one in own])
        artists = np.concatenate([data.artist_groups[fold.test] for fold in folds[start : start + count]])
        yield CurvePoint(
            float(np.mean([one[0] for one in own])),
            float(np.mean([one[1] for one in own])),
            float(is_known.mean()),
            float(right.mean()),
            standard_error(right, artists),
            float(right[~is_known].mean()) if not is_known.all() else None,
        )
