"""All classifiers that can be fitted: those of genredb, and those that classifiers.yml states."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from genredb.build.freshness import DEFAULT, Chosen, chosen
from genredb.errors import ProjectError, UsageError, did_you_mean
from genredb.learn.classifiers import CLASSIFIERS, ClassifierSpec
from genredb.learn.manifest import read_manifest
from genredb.learn.stated_classifiers import make_stated, with_parameters
from genredb.project.classifiers import CLASSIFIERS_FILE, StatedClassifier, read_classifiers
from genredb.warehouse.database import Connection, fetch_all

TYPICAL_SONGS = 1_000


@dataclass(frozen=True)
class Available:
    """A classifier that can be fitted: what it ``reads`` of a song, which file states it.

    ``trusts`` are the types that may be read back with it, beside genredb's own.
    """

    name: str
    reads: str
    stated_in: str
    description: str
    estimator: str
    trusts: tuple[str, ...]


def available_classifiers(home: Path) -> list[Available]:
    """Return all classifiers, those of genredb first; ``home`` is the folder whose classifiers.yml holds."""
    return [
        Available(
            spec.name,
            "artist and audio" if spec.uses_artist else "audio",
            CLASSIFIERS_FILE if spec.stated else "genredb",
            spec.description,
            " ".join(repr(spec.make(TYPICAL_SONGS)).split()),
            spec.stated.trusts if spec.stated else (),
        )
        for spec in registry(home).values()
    ]


def registry(home: Path) -> dict[str, ClassifierSpec]:
    """Return all classifiers by name; ``home`` is the folder whose classifiers.yml holds.

    ProjectError where an entry has the name of one of genredb's own.
    """
    stated = read_classifiers(home)
    for name, one in stated.items():
        if name in CLASSIFIERS:
            raise ProjectError(f"{one.place}: genredb has a classifier '{name}'; choose another name.")
    return {**CLASSIFIERS, **{name: _spec(one) for name, one in stated.items()}}


def _spec(stated: StatedClassifier) -> ClassifierSpec:
    return ClassifierSpec(
        stated.name,
        stated.description,
        functools.partial(make_stated, stated),
        uses_artist=stated.reads_artist,
        stated=stated,
    )


def find_classifier(home: Path, choice: Chosen) -> ClassifierSpec:
    """Return a classifier that can predict, its parameters set.

    UsageError with the choices for a name or a parameter that there is not, and for a classifier without
    probabilities, which predictions carry.
    """
    known = registry(home)
    if choice.name not in known:
        raise UsageError(f"There is no classifier '{choice.name}'.{did_you_mean(choice.name, known)}")
    spec = known[choice.name]
    if choice.parameters:
        make = functools.partial(_make_with, spec, dict(choice.parameters))
        left = tuple(name for name in spec.settings if name not in choice.parameters)
        spec = replace(spec, make=make, settings=left, parameters=dict(choice.parameters))
    if not hasattr(spec.make(1), "predict_proba"):
        raise UsageError(
            f"{choice.name} gives no probabilities, which predictions carry; choose another classifier."
        )
    return spec


def find_used(home: Path, connection: Connection) -> ClassifierSpec:
    """Return the classifier that predicts; UsageError with the cure where it is no longer there."""
    used = chosen(connection)
    if used.name not in registry(home):
        raise UsageError(
            f"The classifier '{used.name}', which was chosen to predict, is no longer in {CLASSIFIERS_FILE}; "
            f"state it again, or choose another, such as {DEFAULT}, by `genredb classifiers use`."
        )
    return find_classifier(home, used)


def find_choice(home: Path, connection: Connection, asked: str) -> Chosen:
    """Return the classifier of a name, or the one that was fitted under an id, or how that begins.

    UsageError with the choices where there is neither.
    """
    known = registry(home)
    if asked in known:
        return Chosen(asked)
    kept = fetch_all(connection, "select classifier_id, manifest from ml.classifiers order by all")
    found = [(kept_id, manifest) for kept_id, manifest in kept if kept_id.startswith(asked)]
    if len(found) != 1:
        choices = (*known, *(kept_id for kept_id, _ in kept))
        raise UsageError(f"There is no classifier '{asked}'.{did_you_mean(asked, choices)}")
    manifest = read_manifest(*found[0])
    return Chosen(manifest.name, manifest.stated)


def _make_with(spec: ClassifierSpec, parameters: Mapping[str, Any], songs: int) -> Any:
    return with_parameters(spec.make(songs), spec.name, parameters)
