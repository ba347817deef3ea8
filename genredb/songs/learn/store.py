"""Stores fitted classifiers in ml.classifiers: skops bytes with their sha256, never a pickle, and a manifest.

Loading checks, in this order, that the bytes are those that were stored, the library versions are those that
wrote them, they contain only known types, the features match the view, and golden rows reproduce.
"""

import hashlib
import json
import zipfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from genredb.errors import InputError, UsageError
from genredb.songs.classifiers_yml import CLASSIFIERS_FILE
from genredb.songs.learn.classifiers import SEED, ClassifierSpec
from genredb.songs.learn.dataset import LABEL, Songs, feature_types, feature_view
from genredb.songs.learn.fitted import Fitted, class_scores, estimator_errors, make
from genredb.songs.learn.manifest import Changed, ClassifierError, Flaw, Manifest, Unusable, read_manifest
from genredb.songs.learn.packed_forest import packed
from genredb.songs.learn.quick_skops import QUICK, judge
from genredb.songs.learn.registry import find_used
from genredb.songs.learn.sound_trees import tree_fault
from genredb.songs.staleness import classifier_settings, read_fingerprints
from genredb.songs.versions import versions
from genredb.songs.views import PREDICT_VIEW, TRAIN_VIEW
from genredb.warehouse.connection import Connection

GOLDEN_ROWS = 3
_TOLERANCE = 1e-9


@dataclass(frozen=True)
class Training:
    """What a classifier was fitted on: the label, the fingerprint and number of rows, the view's SQL.

    ``feature_types`` are DuckDB's types of the feature columns, ``settings`` the project variables that it
    uses, ``stated`` the parameters set for this fit, ``entry`` the digest of its entry in classifiers.yml,
    ``metrics`` the accuracies that ``evaluate`` has found so far, by protocol.
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
    """Describe a fitted classifier, with its predictions for a few training songs as golden rows.

    Half of these have no artist, so that both ways of predicting are verified.
    """
    golden = np.nan_to_num(songs[: 2 * GOLDEN_ROWS].matrix(uses_artist=fitted.uses_artist))
    if fitted.uses_artist:
        golden[::2, 0] = 0.0  # no artist's code
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
    """Return the parameters of an estimator and of nested ones, which are represented by their class."""
    return {key: _as_json(value) for key, value in sorted(estimator.get_params().items())}


def _as_json(value: Any) -> Any:
    """Return a parameter as JSON: lists and mappings in full, other objects by their class."""
    if isinstance(value, list | tuple):
        return [_as_json(item) for item in value]
    if isinstance(value, Mapping):
        return [[_as_json(key), _as_json(item)] for key, item in value.items()]
    return value if value is None or isinstance(value, str | int | float | bool) else type(value).__name__


def store(
    connection: Connection, classifier_id: str, fitted: Fitted, manifest: Manifest, trusted: Collection[str]
) -> None:
    """Write a classifier to ml.classifiers, replacing one with the same id.

    InputError names types in it that are not trusted, since it could not be loaded again.
    """
    try:
        content = QUICK.dumps(fitted.estimator, compression=zipfile.ZIP_DEFLATED, compresslevel=1)
    finally:
        packed.cache_clear()
    _, unknown = judge(content, trusted)
    if unknown:
        raise InputError(
            f"{fitted.name} cannot be stored: it contains types that are not trusted",
            cure=_cure_of_distrust(unknown, is_stated=bool(manifest.entry)),
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
    """Return the id of a classifier: its name and a digest of everything its predictions depend on.

    That is the data and choice of features, the parameters (settings included) and the versions.
    """
    songs = int(connection.rows(f"select count(*) from features.{TRAIN_VIEW}")[0][0])
    estimator = make(spec, songs, classifier_settings(connection)["min_genre_songs"])
    parameters = [_parameters(estimator), spec.entry]
    stated = json.dumps([spec.name, LABEL, training_fingerprint, versions(), SEED, *parameters])
    return f"{spec.name}-{hashlib.sha256(stated.encode()).hexdigest()[:8]}"


def _cure_of_distrust(unknown: Sequence[str], *, is_stated: bool) -> str:
    if is_stated:
        return f"to trust them, add `trusts: [{', '.join(unknown)}]` to its entry in {CLASSIFIERS_FILE}"
    listed = ", ".join(f'"{one}"' for one in unknown)
    return f"to trust them, add `trusts=({listed},)` to its line in genredb/songs/learn/classifiers.py"


def load(connection: Connection, classifier_id: str, trusted: Collection[str]) -> Fitted:
    """Load a classifier; ClassifierError says in one sentence what is wrong with it.

    It may contain ``trusted`` types besides scikit-learn's harmless ones.
    """
    feature_names = feature_view(connection, PREDICT_VIEW).features
    row = connection.row(
        "select manifest, skops, sha256 from ml.classifiers where classifier_id = ?", [classifier_id]
    )
    if row is None:
        raise ClassifierError(Unusable(Flaw.MISSING, classifier_id))
    manifest = read_manifest(classifier_id, row[0])
    content = bytes(row[1])
    if hashlib.sha256(content).hexdigest() != row[2]:
        raise ClassifierError(Unusable(Flaw.OTHER_BYTES, classifier_id))
    if changed := _changed(manifest.versions, versions()):
        raise ClassifierError(Unusable(Flaw.OTHER_SETTINGS, classifier_id, changes=changed))
    types = feature_types(connection, feature_names)
    if (tuple(manifest.feature_names), tuple(manifest.feature_types)) != (feature_names, types):
        raise ClassifierError(Unusable(Flaw.OTHER_COLUMNS, classifier_id))
    estimator = _read(classifier_id, content, trusted)
    if not _gives_golden(estimator, manifest):
        raise ClassifierError(Unusable(Flaw.OTHER_ANSWERS, classifier_id))
    if not set(map(str, estimator.classes_)) <= manifest.groups.keys():
        raise ClassifierError(Unusable(Flaw.DAMAGED, classifier_id, "some of its genres have no group"))
    return Fitted(manifest.name, estimator, feature_names, manifest.groups)


def _read(classifier_id: str, content: bytes, trusted: Collection[str]) -> Any:
    """Return the estimator in the bytes; ClassifierError for unknown types or invalid trees."""
    try:
        skops, unknown = judge(content, trusted)
        estimator = None if unknown else skops.loads(content, trusted=sorted(trusted))
        fault = tree_fault(estimator)
    except Exception as error:  # noqa: BLE001 - bytes of the right digest may hold anything
        raise ClassifierError(Unusable(Flaw.UNREADABLE, classifier_id, str(error))) from None
    if unknown:
        raise ClassifierError(Unusable(Flaw.UNKNOWN_TYPES, classifier_id, ", ".join(unknown)))
    if fault or not hasattr(estimator, "predict"):
        raise ClassifierError(Unusable(Flaw.DAMAGED, classifier_id, fault or "it cannot predict"))
    return estimator


def load_current(connection: Connection, home: Path) -> Fitted:
    """Load the classifier in use, fitted on the current data; UsageError if there is none.

    ``home`` is the folder of classifiers.yml.
    """
    training = read_fingerprints(connection).training
    spec = find_used(home, connection)
    classifier_id = classifier_id_of(connection, spec, training)
    try:
        return load(connection, classifier_id, spec.trusts)
    except ClassifierError as error:
        raise UsageError(str(error.unusable), cure="run `genredb predict`, or `genredb train`") from None


def _gives_golden(estimator: Any, manifest: Manifest) -> bool:
    """Return True if the classifier still gives its original answers for the golden rows."""
    try:
        with estimator_errors(manifest.name, "answer"):
            answers, _ = class_scores(estimator, np.array(manifest.golden_features))
            return bool(np.allclose(answers, manifest.golden_scores, rtol=0, atol=_TOLERANCE))
    except InputError:  # different shape, or not as it was fitted
        return False


def find_unusable(connection: Connection, name: str, training_fingerprint: str) -> Unusable | None:
    """Return why the last classifier with this name, fitted under another id, cannot be used any more.

    None if there is none.
    """
    rows = connection.rows(
        "select classifier_id, manifest from ml.classifiers where name = ? order by fitted_at desc limit 1",
        [name],
    )
    if not rows:
        return None
    classifier_id, text = rows[0]
    try:
        manifest = read_manifest(classifier_id, text)
    except ClassifierError as error:
        return error.unusable
    if tuple(manifest.feature_names) != feature_view(connection, PREDICT_VIEW).features:
        return Unusable(Flaw.OTHER_COLUMNS, classifier_id)
    if manifest.training_fingerprint != training_fingerprint:
        return Unusable(Flaw.OTHER_SONGS, classifier_id)
    changed = _changed(manifest.versions, versions()) or _changed(
        manifest.settings, classifier_settings(connection)
    )
    return Unusable(Flaw.OTHER_SETTINGS, classifier_id, "other parameters", changed)


def _changed(before: Mapping[str, object], now: Mapping[str, object]) -> tuple[Changed, ...]:
    """Return which versions or settings differ from the current ones."""
    return tuple(
        Changed(name, str(value), str(now.get(name)))
        for name, value in before.items()
        if now.get(name) != value
    )
