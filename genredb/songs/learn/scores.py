"""Scores of answers: the measures of one fold, and of all songs over the folds with their errors."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

BINS = 10
TOP = 3
Floats = npt.NDArray[np.float64]
Texts = npt.NDArray[np.object_]


@dataclass(frozen=True)
class Answers:
    """A classifier's answers for n songs.

    ``ranks`` is the rank of the true label among the classifier's, from 0; if the classifier does not know
    the label, a rank beyond all of them and beyond ``TOP``. ``probabilities`` are those of the answer and of
    the true label, NaN if the classifier gives none.
    """

    predicted: Texts
    ranks: npt.NDArray[np.intp]
    confidence: Floats
    true_probability: Floats


@dataclass(frozen=True)
class Measures:
    """Measures over songs; None if a classifier gives no probabilities."""

    accuracy: float
    top_3: float
    macro_f1: float
    log_loss: float | None
    calibration_error: float | None


def read_answers(
    classes: Texts, scores: Floats, truth: Texts, unknown_mass: float, *, are_probabilities: bool
) -> Answers:
    """Return the answers given by scores (n × classes, larger is likelier) for songs with labels ``truth``.

    The probability of a true label is mixed with one of ``unknown_mass`` spread over all classes and one
    more, so that a label the classifier has never seen has a finite loss.
    """
    order = np.argsort(-scores, axis=1, kind="stable")
    best = order[:, 0]
    places = {label: place for place, label in enumerate(classes)}
    true_places = np.array([places.get(label, -1) for label in truth])
    is_known = true_places >= 0
    ranks = np.full(len(truth), max(len(classes), TOP))
    ranks[is_known] = np.argmax(order[is_known] == true_places[is_known, None], axis=1)
    nothing = np.full(len(truth), np.nan)
    if not are_probabilities:
        return Answers(classes[best], ranks, nothing, nothing)
    rows = np.arange(len(truth))
    found = np.where(is_known, scores[rows, np.maximum(true_places, 0)], 0.0)
    true_probability = (1 - unknown_mass) * found + unknown_mass / (len(classes) + 1)
    return Answers(classes[best], ranks, scores[rows, best], true_probability)


def joined(parts: Sequence[Answers]) -> Answers:
    """Concatenate the answers of several folds."""
    return Answers(*(np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Answers)))


def by_group(classes: Texts, scores: Floats, groups: Mapping[str, str]) -> tuple[Texts, Floats]:
    """Return groups and their probabilities, summed over their genres."""
    of_class = np.array([groups[genre] for genre in classes], dtype=object)
    names = np.unique(of_class.astype(str)).astype(object)
    return names, np.stack([scores[:, of_class == name].sum(axis=1) for name in names], axis=1)


def unknown_share(labels: Texts) -> float:
    """Return the probability that the next label is new: the share of labels seen once (Good–Turing)."""
    _, counts = np.unique(labels.astype(str), return_counts=True)
    return float(np.clip((counts == 1).sum() / len(labels), 0.001, 0.5))


def measure(answers: Answers, truth: Texts) -> Measures:
    """Return the measures of these answers."""
    from sklearn.metrics import f1_score  # noqa: PLC0415 - what reads scores back does not need it

    has_probabilities = not np.isnan(answers.confidence).any()
    right = answers.predicted == truth
    return Measures(
        accuracy=float(right.mean()),
        top_3=float((answers.ranks < TOP).mean()),
        macro_f1=float(
            f1_score(truth.astype(str), answers.predicted.astype(str), average="macro", zero_division=0)
        ),
        log_loss=float(-np.log(answers.true_probability).mean()) if has_probabilities else None,
        calibration_error=calibration_error(answers.confidence, right) if has_probabilities else None,
    )


def calibration_error(confidence: Floats, right: npt.NDArray[Any]) -> float:
    """Return the mean distance between confidence and accuracy over ten bins of equal width."""
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    return float(np.abs(np.bincount(bins, confidence - right)).sum() / len(bins))


def standard_error(values: Floats, artists: Texts) -> float:
    """Return the standard error of a mean over songs, clustered by artist."""
    deviations = values - values.mean()
    _, cluster = np.unique(artists.astype(str), return_inverse=True)
    return float(np.sqrt((np.bincount(cluster, deviations) ** 2).sum()) / len(values))


def ask_permuted(
    estimator: Any, features: Floats, repeats: int, generator: np.random.Generator
) -> tuple[Texts, Texts]:
    """Return the answers for n songs, and the answers with each column permuted among them.

    The shapes are n, and columns × repeats × n. One call predicts all of them, since a forest's time is per
    call rather than per song.
    """
    songs, columns = features.shape
    asked = np.tile(features, (1 + columns * repeats, 1, 1))  # the songs, and a copy for each permutation
    for place, copy in enumerate(asked[1:]):
        copy[:, place // repeats] = generator.permutation(copy[:, place // repeats])
    answers = estimator.predict(asked.reshape(-1, columns))
    return answers[:songs], answers[songs:].reshape(columns, repeats, songs)
