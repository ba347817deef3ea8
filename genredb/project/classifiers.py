"""Reads classifiers.yml: the classifiers that a project states beside those that genredb brings.

An estimator is a path (``sklearn.linear_model.LogisticRegression``), a mapping with ``estimator`` and its
``parameters``, or a mapping with ``pipeline``, a list of estimators. A parameter may be an estimator as well.
Nothing is imported here; :mod:`genredb.learn.stated_classifiers` makes them.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from genredb.errors import ProjectError
from genredb.project.files import parse_yaml, read_text, shown, text_list, yaml_line
from genredb.project.keys import CLASSIFIERS, ESTIMATOR, check_keys

CLASSIFIERS_FILE = "classifiers.yml"
# What may be made from a path and trusted when it is read back: the libraries that classifiers are made of.
LIBRARIES = ("sklearn", "numpy", "scipy")
_PATH = r"sklearn(\.\w+)+"


@dataclass(frozen=True)
class StatedClassifier:
    """An entry of classifiers.yml; ``estimator`` is a path, or a mapping as the file has it.

    ``trusts`` are the types that may be loaded with it; ``place`` is the file and line of the entry.
    """

    name: str
    description: str
    estimator: str | Mapping[str, Any]
    place: str
    reads_artist: bool = False
    trusts: tuple[str, ...] = field(default=())

    @property
    def digest(self) -> str:
        """What its answers depend on, beside songs and settings; in the order of a vote's estimators, too."""
        text = json.dumps([self.estimator, self.reads_artist])
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def read_classifiers(root: Path) -> dict[str, StatedClassifier]:
    """Return the classifiers that the project in this folder states, by name; ProjectError for a fault."""
    path = root / CLASSIFIERS_FILE
    if not path.is_file():
        return {}
    text = read_text(path)
    content = parse_yaml(text, str(path))
    check_keys(content, CLASSIFIERS, str(path), text)
    entries = content.get("classifiers")
    entries = [] if entries is None else entries
    if not isinstance(entries, list):
        raise ProjectError(f"{path}: `classifiers:` should be a list of entries with a name each.")
    found: dict[str, StatedClassifier] = {}
    for i, entry in enumerate(entries):
        place = f"{path}:{yaml_line(text, ('classifiers', i)) or 1}"
        stated = _entry(entry, place)
        if stated.name in found:
            raise ProjectError(f"{place}: the classifier '{stated.name}' is stated twice.")
        found[stated.name] = stated
    return found


def _entry(entry: Any, place: str) -> StatedClassifier:
    if not isinstance(entry, Mapping):
        raise ProjectError(f"{place}: a classifier should be `name: …` and `estimator: …`.")
    name = entry.get("name")
    if not isinstance(name, str) or not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise ProjectError(
            f"{place}: a classifier's `name:` should be small letters, digits and underscores."
        )
    if not isinstance(entry.get("reads_artist", False), bool):
        raise ProjectError(f"{place}: `reads_artist:` of {name} should be true or false.")
    trusts = text_list(entry.get("trusts"), "trusts", place)
    for trusted in trusts:
        if trusted.split(".")[0] not in LIBRARIES:
            raise ProjectError(
                f"{place}: {trusted} cannot be trusted; only types of {', '.join(LIBRARIES)} can."
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
    """Whether a value of the file states an estimator, by a path or a mapping."""
    if isinstance(value, str):
        return re.fullmatch(_PATH, value) is not None
    return isinstance(value, Mapping) and bool({"estimator", "pipeline"} & value.keys())


def parameter_fault(name: str, value: object) -> str:
    """Return why a parameter cannot be set to a value, as a clause; nothing where it can."""
    if name.rpartition("__")[2] == "memory":  # of a search's grid, too: what lies there is unpickled
        return "`memory` would keep files of fitted estimators, which are never loaded"
    if isinstance(value, Mapping):
        faults = (parameter_fault(str(key), inner) for key, inner in value.items())
        return next(filter(None, faults), "")
    if isinstance(value, list):
        return next(filter(None, (parameter_fault(name, item) for item in value)), "")
    if value is None or isinstance(value, str | int | float):
        return ""
    return f"`{name}` should be a number, a text, or a list or mapping of these, not {shown(value)}"


def _check(stated: Any, place: str) -> None:
    """Raise ProjectError where an estimator, or one inside of it, is not stated as it should be."""
    if isinstance(stated, str):
        stated = {"estimator": stated}
    if not isinstance(stated, Mapping) or ("estimator" in stated) == ("pipeline" in stated):
        raise ProjectError(f"{place}: state either `estimator:` or `pipeline:`.")
    check_keys(stated, ESTIMATOR, place, "")
    if "pipeline" in stated:
        _check_pipeline(stated, place)
        return
    path = stated["estimator"]
    if not isinstance(path, str) or not re.fullmatch(_PATH, path):
        raise ProjectError(f"{place}: '{path}' is no path of a scikit-learn estimator (sklearn.module.Name).")
    _check_parameters(stated.get("parameters") or {}, place)


def _check_pipeline(stated: Mapping[str, Any], place: str) -> None:
    if "parameters" in stated:
        raise ProjectError(f"{place}: `parameters:` belong to the estimators of a pipeline.")
    if not isinstance(stated["pipeline"], list) or not stated["pipeline"]:
        raise ProjectError(f"{place}: `pipeline:` should be a list of estimators.")
    for step in stated["pipeline"]:
        _check(step, place)


def _check_parameters(parameters: Any, place: str) -> None:
    if not isinstance(parameters, Mapping) or not all(isinstance(key, str) for key in parameters):
        raise ProjectError(f"{place}: `parameters:` should hold `name: value` pairs.")
    fault = parameter_fault("parameters", parameters)
    if fault:
        raise ProjectError(f"{place}: {fault}.")
    for value in parameters.values():
        if is_estimator(value):
            _check(value, place)
        elif isinstance(value, Mapping) and any(is_estimator(one) for one in value.values()):
            for one in value.values():
                _check(one, place)
