"""Reads classifiers.yml: the classifiers that a project defines in addition to the built-in ones.

An estimator is a path (``sklearn.linear_model.LogisticRegression``), a mapping with ``estimator`` and its
``parameters``, or a mapping with ``pipeline``, a list of estimators. A parameter may also be an estimator.
Nothing is imported here; :mod:`genredb.songs.learn.stated_classifiers` creates the estimators.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from genredb.errors import Place, ProjectError
from genredb.runner.project.files import parse_yaml, read_text, shown, text_list, yaml_line
from genredb.runner.project.key_faults import check_keys
from genredb.runner.project.keys import Keys, named

CLASSIFIERS_FILE = "classifiers.yml"
# Only these libraries may be named in a path, and are trusted when a classifier is loaded.
LIBRARIES = ("sklearn", "numpy", "scipy")
# The keys of the file. Parameters are validated by the estimator.
ESTIMATOR = Keys("an estimator", named("estimator parameters pipeline"))
CLASSIFIERS = Keys(
    "",
    {
        "version": None,
        "classifiers": Keys(
            "a classifier", {**ESTIMATOR.known, **named("description name reads_artist trusts")}
        ),
    },
)
_PATH = r"sklearn(\.\w+)+"


@dataclass(frozen=True)
class StatedClassifier:
    """An entry of classifiers.yml; ``estimator`` is a path, or a mapping as in the file.

    ``trusts`` are types that may be loaded with it; ``place`` is the file and line of the entry.
    """

    name: str
    description: str
    estimator: str | Mapping[str, Any]
    place: Place
    reads_artist: bool = False
    trusts: tuple[str, ...] = field(default=())

    @property
    def digest(self) -> str:
        """A digest of what its predictions depend on besides songs and settings; key order counts."""
        text = json.dumps([self.estimator, self.reads_artist])
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def read_classifiers(root: Path) -> dict[str, StatedClassifier]:
    """Return the classifiers defined in this folder's project, by name; ProjectError if one is invalid."""
    path = root / CLASSIFIERS_FILE
    if not path.is_file():
        return {}
    text = read_text(path)
    content = parse_yaml(text, str(path))
    check_keys(content, CLASSIFIERS, str(path), text)
    entries = content.get("classifiers")
    entries = [] if entries is None else entries
    if not isinstance(entries, list):
        raise ProjectError("`classifiers:` should be a list of entries with a name each", place=path)
    found: dict[str, StatedClassifier] = {}
    for i, entry in enumerate(entries):
        place = Place(str(path), yaml_line(text, ("classifiers", i)) or 1)
        stated = _entry(entry, place)
        if stated.name in found:
            raise ProjectError(f"the classifier '{stated.name}' is defined twice", place=place)
        found[stated.name] = stated
    return found


def _entry(entry: Any, place: Place) -> StatedClassifier:
    if not isinstance(entry, Mapping):
        raise ProjectError("a classifier should be `name: …` and `estimator: …`", place=place)
    name = entry.get("name")
    if not isinstance(name, str) or not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        what = "a classifier's `name:` should be lowercase letters, digits and underscores"
        raise ProjectError(what, place=place)
    if not isinstance(entry.get("reads_artist", False), bool):
        raise ProjectError(f"`reads_artist:` of {name} should be true or false", place=place)
    trusts = text_list(entry.get("trusts"), "trusts", str(place))
    for trusted in trusts:
        if trusted.split(".")[0] not in LIBRARIES:
            raise ProjectError(
                f"{trusted} cannot be trusted; only types of {', '.join(LIBRARIES)} can", place=place
            )
    estimator = {key: entry[key] for key in ESTIMATOR.known if key in entry}
    _check(estimator, place)
    return StatedClassifier(
        name,
        str(entry.get("description") or ""),
        estimator,
        place,
        entry.get("reads_artist", False),
        trusts,
    )


def is_estimator(value: object) -> bool:
    """Return True if a value of the file defines an estimator, by a path or a mapping."""
    if isinstance(value, str):
        return re.fullmatch(_PATH, value) is not None
    return isinstance(value, Mapping) and bool({"estimator", "pipeline"} & value.keys())


def parameter_fault(name: str, value: object) -> str:
    """Return why a parameter cannot be set to a value, as a clause, or an empty string."""
    if name.rpartition("__")[2] == "memory":  # also in a search's grid: files in that folder are unpickled
        return "`memory` would keep files of fitted estimators, which are never loaded"
    if isinstance(value, Mapping):
        faults = (parameter_fault(str(key), inner) for key, inner in value.items())
        return next(filter(None, faults), "")
    if isinstance(value, list):
        return next(filter(None, (parameter_fault(name, item) for item in value)), "")
    if value is None or isinstance(value, str | int | float):
        return ""
    return f"`{name}` should be a number, a string, or a list or mapping of these, not {shown(value)}"


def _check(stated: Any, place: Place) -> None:
    """Raise ProjectError if an estimator, or one nested in it, is not valid."""
    if isinstance(stated, str):
        stated = {"estimator": stated}
    if not isinstance(stated, Mapping) or ("estimator" in stated) == ("pipeline" in stated):
        raise ProjectError("give either `estimator:` or `pipeline:`", place=place)
    check_keys(stated, ESTIMATOR, str(place), "")
    if "pipeline" in stated:
        _check_pipeline(stated, place)
        return
    path = stated["estimator"]
    if not isinstance(path, str) or not re.fullmatch(_PATH, path):
        raise ProjectError(
            f"'{path}' is not the path of a scikit-learn estimator (sklearn.module.Name)", place=place
        )
    _check_parameters(stated.get("parameters") or {}, place)


def _check_pipeline(stated: Mapping[str, Any], place: Place) -> None:
    if "parameters" in stated:
        raise ProjectError("`parameters:` belong to the estimators of a pipeline", place=place)
    if not isinstance(stated["pipeline"], list) or not stated["pipeline"]:
        raise ProjectError("`pipeline:` should be a list of estimators", place=place)
    for step in stated["pipeline"]:
        _check(step, place)


def _check_parameters(parameters: Any, place: Place) -> None:
    if not isinstance(parameters, Mapping) or not all(isinstance(key, str) for key in parameters):
        raise ProjectError("`parameters:` should hold `name: value` pairs", place=place)
    fault = parameter_fault("parameters", parameters)
    if fault:
        raise ProjectError(fault, place=place)
    for value in parameters.values():
        if is_estimator(value):
            _check(value, place)
        elif isinstance(value, Mapping) and any(is_estimator(one) for one in value.values()):
            for one in value.values():
                _check(one, place)
