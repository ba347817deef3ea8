"""Keeps fitted classifiers in ml.classifiers: skops bytes with their sha256, never a pickle, and a manifest.

Loading checks, in this order: the bytes are those that were stored, the libraries are of the versions
that wrote them, only known types are inside, the features are the view's, and golden rows reproduce.
"""

import hashlib
import json
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import skops.io

from genredb.build.freshness import (
    PREDICT_VIEW,
    TRAIN_VIEW,
    classifier_settings,
    read_fingerprints,
)
from genredb.build.versions import versions
from genredb.errors import InputError, UsageError
from genredb.learn.classifiers import SEED, ClassifierSpec
from genredb.learn.dataset import LABEL, Songs, feature_types, feature_view
from genredb.learn.fitted import Fitted, class_scores, estimator_errors, make
from genredb.learn.manifest import ClassifierError, Manifest, read_manifest
from genredb.learn.registry import find_used
from genredb.learn.sound_trees import tree_fault
from genredb.project.classifiers import CLASSIFIERS_FILE
from genredb.warehouse.database import Connection, fetch_all

TRUSTED_TYPES = frozenset(
    {
        "genredb.learn.estimators.ArtistClassifier",
        "genredb.learn.estimators.BinarizedTree",
        "genredb.learn.packed_forest.PackedForest",
        "genredb.learn.sql_neighbors.SqlNeighbors",
        "numpy.dtype",
        "sklearn.tree._tree.Tree",
        "sklearn.utils._bunch.Bunch",
    }
)
GOLDEN_ROWS = 3
_TOLERANCE = 1e-9


@dataclass(frozen=True)
class Training:
    """What a classifier was fitted on: the label, the fingerprint and number of rows, the view's SQL.

    ``feature_types`` are DuckDB's types of the feature columns, ``settings`` the project's variables that it
    heeds, ``stated`` the parameters that were set for this fit, ``entry`` a digest of its entry in
    classifiers.yml, ``metrics`` the accuracies that ``evaluate`` found by protocol, as far as it was asked.
    """

    label: str
    fingerprint: str
    view_hash: str
    rows: int
    feature_types: tuple[str, ...] = ()
    settings: Mapping[str, int] = field(default_factory=dict)
    stated: Mapping[str, Any] = field(default_factory=dict)
    entry: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)


def make_manifest(fitted: Fitted, training: Training, songs: Songs) -> Manifest:
    """Describe a fitted classifier, with its answers to a few training songs as golden rows.

    Half of these have no artist, so that both of its ways to an answer are held.
    """
    golden = np.nan_to_num(songs[: 2 * GOLDEN_ROWS].matrix(uses_artist=fitted.uses_artist))
    if fitted.uses_artist:
        golden[::2, 0] = 0.0  # nobody's code
    with estimator_errors(fitted.name, "answer"):
        golden_scores = class_scores(fitted.estimator, golden)[0].tolist()
    return Manifest(
        name=fitted.name,
        label=training.label,
        versions=versions(),
        feature_names=list(fitted.feature_names),
        feature_types=list(training.feature_types),
        classes=[str(name) for name in fitted.estimator.classes_],
        groups=dict(fitted.groups),
        seed=SEED,
        settings=dict(training.settings),
        stated=dict(training.stated),
        entry=training.entry,
        parameters=_parameters(fitted.estimator),
        training_fingerprint=training.fingerprint,
        training_rows=training.rows,
        training_view_hash=training.view_hash,
        metrics=dict(training.metrics),
        golden_features=golden.tolist(),
        golden_scores=golden_scores,
    )


def _parameters(estimator: Any) -> dict[str, Any]:
    """Return the parameters of an estimator and of those within it, which are named by their class."""
    return {key: _told(value) for key, value in sorted(estimator.get_params().items())}


def _told(value: Any) -> Any:
    """Return a parameter as JSON holds it: lists and mappings in full, other objects by their class."""
    if isinstance(value, list | tuple):
        return [_told(item) for item in value]
    if isinstance(value, Mapping):
        return [[_told(key), _told(item)] for key, item in value.items()]
    return value if value is None or isinstance(value, str | int | float | bool) else type(value).__name__


def trusted_types(spec: ClassifierSpec) -> frozenset[str]:
    """Return the types that may be read back with a classifier: genredb's and those of its entry."""
    return TRUSTED_TYPES | frozenset(spec.stated.trusts if spec.stated else ())


def store(
    connection: Connection, classifier_id: str, fitted: Fitted, manifest: Manifest, trusted: frozenset[str]
) -> None:
    """Write a classifier into ml.classifiers, in place of an equal one.

    InputError names the types that it holds beside those that are trusted, for it could not be read back.
    """
    content = skops.io.dumps(fitted.estimator, compression=zipfile.ZIP_DEFLATED, compresslevel=1)
    unknown = sorted(set(skops.io.get_untrusted_types(data=content)) - trusted)
    if unknown:
        raise InputError(
            f"{fitted.name} cannot be kept, for it holds types that nothing trusts; to trust them, add "
            f"`trusts: [{', '.join(unknown)}]` to its entry in {CLASSIFIERS_FILE}."
        )
    connection.execute("delete from ml.classifiers where classifier_id = ?", [classifier_id])
    connection.execute(
        "insert into ml.classifiers values (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            classifier_id,
            fitted.name,
            manifest.label,
            manifest.training_fingerprint,
            json.dumps(asdict(manifest)),
            content,
            hashlib.sha256(content).hexdigest(),
            datetime.now(UTC),
        ],
    )


def classifier_id_of(connection: Connection, spec: ClassifierSpec, training_fingerprint: str) -> str:
    """Return the id of a classifier: its name and a digest of all that decides its answers.

    That is the data with the choice of features, the parameters, settings among them, and the versions.
    """
    songs = int(fetch_all(connection, f"select count(*) from features.{TRAIN_VIEW}")[0][0])
    estimator = make(spec, songs, classifier_settings(connection)["min_genre_songs"])
    parameters = [_parameters(estimator), spec.entry]
    stated = json.dumps([spec.name, LABEL, training_fingerprint, versions(), SEED, *parameters])
    return f"{spec.name}-{hashlib.sha256(stated.encode()).hexdigest()[:8]}"


def load(connection: Connection, classifier_id: str, trusted: frozenset[str]) -> Fitted:
    """Read a classifier back; ClassifierError says in one sentence what is wrong with it.

    It may hold ``trusted`` types beside scikit-learn's harmless ones.
    """
    feature_names = feature_view(connection, PREDICT_VIEW).features
    row = connection.execute(
        "select manifest, skops, sha256 from ml.classifiers where classifier_id = ?", [classifier_id]
    ).fetchone()
    if row is None:
        raise InputError(f"There is no classifier {classifier_id} in ml.classifiers; run `genredb train`.")
    manifest = read_manifest(classifier_id, row[0])
    content = bytes(row[1])
    if hashlib.sha256(content).hexdigest() != row[2]:
        raise ClassifierError(f"The bytes of classifier {classifier_id} are not those that were stored")
    if manifest.versions != versions():
        raise ClassifierError(
            f"Classifier {classifier_id} was fitted with {_changed(manifest.versions, versions())}"
        )
    types = feature_types(connection, feature_names)
    if (tuple(manifest.feature_names), tuple(manifest.feature_types)) != (feature_names, types):
        raise ClassifierError(f"Classifier {classifier_id} was fitted on other feature columns")
    estimator = _read(classifier_id, content, trusted)
    if not _gives_golden(estimator, manifest):
        raise ClassifierError(f"Classifier {classifier_id} no longer gives the answers it gave when fitted")
    if not set(map(str, estimator.classes_)) <= manifest.groups.keys():
        raise ClassifierError(f"Classifier {classifier_id} is damaged: some of its genres have no group")
    return Fitted(manifest.name, estimator, feature_names, manifest.groups)


def _read(classifier_id: str, content: bytes, trusted: frozenset[str]) -> Any:
    """Return the estimator in the bytes; its types are known and its trees sound, else ClassifierError."""
    try:
        unknown = set(skops.io.get_untrusted_types(data=content)) - trusted
        estimator = None if unknown else skops.io.loads(content, trusted=sorted(trusted))
        fault = tree_fault(estimator)
    except Exception as error:  # noqa: BLE001 - bytes of the right digest may hold anything
        raise ClassifierError(f"Classifier {classifier_id} cannot be read ({error})") from None
    if unknown:
        raise ClassifierError(f"Classifier {classifier_id} holds the types {', '.join(sorted(unknown))}")
    if fault or not hasattr(estimator, "predict"):
        raise ClassifierError(f"Classifier {classifier_id} is damaged: {fault or 'it cannot predict'}")
    return estimator


def load_current(connection: Connection, home: Path) -> Fitted:
    """Read the classifier that predicts, fitted on the data as they are; UsageError where there is none.

    ``home`` is the folder whose classifiers.yml holds.
    """
    training = read_fingerprints(connection).training
    spec = find_used(home, connection)
    classifier_id = classifier_id_of(connection, spec, training)
    try:
        return load(connection, classifier_id, trusted_types(spec))
    except InputError as error:
        what = str(error).partition("; run `genredb train`")[0]
        raise UsageError(f"{what}; run `genredb predict`, or `genredb train`.") from None


def _gives_golden(estimator: Any, manifest: Manifest) -> bool:
    """Whether the classifier still gives the answers that it gave to the golden rows."""
    try:
        with estimator_errors(manifest.name, "answer"):
            answers, _ = class_scores(estimator, np.array(manifest.golden_features))
            return bool(np.allclose(answers, manifest.golden_scores, rtol=0, atol=_TOLERANCE))
    except InputError:  # of another shape, or not as it was fitted
        return False


def stale_classifier(connection: Connection, name: str, training_fingerprint: str) -> str | None:
    """Return why the last classifier of this name, fitted under another id, does not serve any more.

    None where there is none.
    """
    rows = fetch_all(
        connection,
        "select classifier_id, manifest from ml.classifiers where name = ? order by fitted_at desc limit 1",
        [name],
    )
    if not rows:
        return None
    classifier_id, text = rows[0]
    try:
        manifest = read_manifest(classifier_id, text)
    except ClassifierError as error:
        return error.what
    if tuple(manifest.feature_names) != feature_view(connection, PREDICT_VIEW).features:
        return f"Classifier {classifier_id} was fitted on other feature columns"
    if manifest.training_fingerprint != training_fingerprint:
        return f"The labelled songs changed since classifier {classifier_id} was fitted"
    changed = _changed(manifest.versions, versions()) or _changed(
        manifest.settings, classifier_settings(connection)
    )
    return f"Classifier {classifier_id} was fitted with {changed or 'other parameters'}"


def _changed(before: Mapping[str, object], now: Mapping[str, object]) -> str:
    """Return which versions or settings differ from those that hold now."""
    return ", ".join(
        f"{name} {value}, now {now.get(name)}" for name, value in before.items() if now.get(name) != value
    )
