"""Creates the estimators defined in classifiers.yml, and sets parameters of any estimator."""

import functools
import importlib
import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from sklearn.base import BaseEstimator, is_classifier
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.utils import get_tags
from sklearn.utils.validation import has_fit_parameter

from genredb.errors import Place, ProjectError, UsageError
from genredb.songs.classifiers_yml import StatedClassifier, is_estimator, parameter_fault
from genredb.songs.learn.classifiers import SEED
from genredb.songs.learn.estimators import ArtistClassifier
from genredb.songs.learn.fitted import estimator_errors


def make_stated(stated: StatedClassifier, _songs: int = 0) -> Any:
    """Return the unfitted estimator of an entry; ProjectError with its place if it is invalid.

    If an estimator does not accept missing values, they are imputed with medians, and random states are fixed
    to the same seed, unless the entry says otherwise.
    """
    with estimator_errors(stated.name, "be made", stated.place):
        return _made(stated)


def _made(stated: StatedClassifier) -> Any:
    estimator = _make(stated.estimator, stated.place)
    steps = [step for _, step in estimator.steps] if isinstance(estimator, Pipeline) else [estimator]
    if not is_classifier(steps[-1]):
        ends = "ends with " if isinstance(estimator, Pipeline) else "is "
        raise ProjectError(
            f"{stated.name} is not a classifier: it {ends}a {type(steps[-1]).__name__}", place=stated.place
        )
    if stated.reads_artist and not hasattr(estimator, "predict_proba"):
        raise ProjectError(
            f"{stated.name} reads the artist, which requires an estimator with probabilities; "
            f"{type(steps[-1]).__name__} gives none",
            place=stated.place,
        )
    if not _take_missing(steps):
        estimator = make_pipeline(SimpleImputer(strategy="median", keep_empty_features=True), *steps)
    if stated.reads_artist:
        estimator = ArtistClassifier(
            estimator,
            min_genre_songs=1,
            min_genre_artists=2,
            weigh_artists=has_fit_parameter(steps[-1], "sample_weight"),
        )
    seeds = {
        name: SEED
        for name, value in estimator.get_params().items()
        if name.rpartition("__")[2] == "random_state" and value is None
    }
    return estimator.set_params(**seeds)


def _make(stated: Any, place: Place) -> Any:
    if isinstance(stated, Mapping) and "pipeline" in stated:
        return make_pipeline(*(_make(step, place) for step in stated["pipeline"]))
    path = stated if isinstance(stated, str) else stated["estimator"]
    parameters = {} if isinstance(stated, str) else dict(stated.get("parameters") or {})
    for name, value in parameters.items():
        if is_estimator(value):
            parameters[name] = _make(value, place)
        elif isinstance(value, Mapping) and any(is_estimator(one) for one in value.values()):
            parameters[name] = [(inner, _make(one, place)) for inner, one in value.items()]
    found = _find(path, place)
    known = list(inspect.signature(found).parameters)
    for name in parameters:
        if name not in known:
            raise ProjectError(
                f"{found.__name__} has no parameter '{name}'", place=place, name=name, choices=known
            )
    return found(**parameters)


@functools.cache
def _find(path: str, place: Place) -> Any:
    """Return the class with this import path; ProjectError if it does not exist."""
    module, _, name = path.rpartition(".")
    try:
        inside = importlib.import_module(module)
    except ImportError:
        raise ProjectError(f"there is no module '{module}'", place=place) from None
    found = getattr(inside, name, None)
    if not (inspect.isclass(found) and issubclass(found, BaseEstimator)):
        known = [
            one
            for one, value in vars(inside).items()
            if inspect.isclass(value) and issubclass(value, BaseEstimator)
        ]
        raise ProjectError(
            f"there is no estimator '{name}' in {module}", place=place, name=name, choices=known
        )
    return found


def _take_missing(steps: Sequence[Any]) -> bool:
    """Return True if these estimators, as a pipeline, can be fitted on songs with missing values."""
    for step in steps:
        if type(step).__module__.startswith("sklearn.impute"):
            return True
        if not get_tags(step).input_tags.allow_nan:
            return False
    return True


def with_parameters(estimator: Any, name: str, stated: Mapping[str, Any]) -> Any:
    """Return the estimator with parameters set; UsageError lists the valid ones if one does not exist.

    A nested parameter is given by its full name (``estimator__n_estimators``), or by its last part if that is
    unique.
    """
    known = {
        key: value for key, value in estimator.get_params().items() if not isinstance(value, BaseEstimator)
    }
    settled = {}
    for key, value in stated.items():
        ends = [full for full in known if full == key] or [
            full for full in known if full.endswith(f"__{key}")
        ]
        if not ends:
            raise UsageError(f"{name} has no parameter '{key}'", name=key, choices=known)
        if len(ends) > 1:
            raise UsageError(
                f"{name} has several parameters '{key}': {', '.join(ends)}", cure="name one in full"
            )
        fault = parameter_fault(ends[0], value)
        if fault:
            raise UsageError(f"{name} cannot be set: {fault}")
        settled[ends[0]] = value
    with estimator_errors(name, "be made"):
        return estimator.set_params(**settled)
