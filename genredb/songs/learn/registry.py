"""All available classifiers: the built-in ones and those in classifiers.yml."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from genredb.errors import ProjectError, UsageError
from genredb.songs.classifiers_yml import CLASSIFIERS_FILE, StatedClassifier, read_classifiers
from genredb.songs.learn.classifiers import BASIC_TYPES, CLASSIFIERS, ClassifierSpec
from genredb.songs.learn.manifest import find_kept_id, read_manifest
from genredb.songs.learn.stated_classifiers import make_stated, with_parameters
from genredb.songs.staleness import DEFAULT, Chosen, chosen
from genredb.warehouse.connection import Connection

TYPICAL_SONGS = 1_000


@dataclass(frozen=True)
class Available:
    """An available classifier: what it ``reads`` of a song, and which file defines it.

    ``trusts`` are the types that may be loaded with it, besides genredb's own.
    """

    name: str
    reads: tuple[str, ...]
    stated_in: str
    description: str
    estimator: str
    trusts: tuple[str, ...]


def available_classifiers(home: Path) -> list[Available]:
    """Return all classifiers, built-in ones first; ``home`` is the folder of classifiers.yml."""
    return [
        Available(
            spec.name,
            ("artist", "audio") if spec.uses_artist else ("audio",),
            CLASSIFIERS_FILE if spec.stated else "genredb",
            spec.description,
            " ".join(repr(spec.make(TYPICAL_SONGS)).split()),
            spec.stated.trusts if spec.stated else (),
        )
        for spec in registry(home).values()
    ]


def registry(home: Path) -> dict[str, ClassifierSpec]:
    """Return all classifiers by name; ``home`` is the folder of classifiers.yml.

    ProjectError if an entry has the name of a built-in classifier.
    """
    stated = read_classifiers(home)
    for name, one in stated.items():
        if name in CLASSIFIERS:
            raise ProjectError(
                f"genredb has a classifier '{name}'", place=one.place, cure="choose another name"
            )
    return {**CLASSIFIERS, **{name: _spec(one) for name, one in stated.items()}}


def _spec(stated: StatedClassifier) -> ClassifierSpec:
    return ClassifierSpec(
        stated.name,
        stated.description,
        functools.partial(make_stated, stated),
        trusts=(*BASIC_TYPES, *stated.trusts),
        stated=stated,
    )


def find_classifier(home: Path, choice: Chosen) -> ClassifierSpec:
    """Return a classifier that can predict, with its parameters set.

    UsageError with the choices for an unknown name or parameter, and for a classifier without probabilities,
    which predictions require.
    """
    known = registry(home)
    if choice.name not in known:
        raise UsageError(f"There is no classifier '{choice.name}'", name=choice.name, choices=known)
    spec = known[choice.name]
    if choice.parameters:
        make = functools.partial(_make_with, spec, dict(choice.parameters))
        left = tuple(name for name in spec.settings if name not in choice.parameters)
        spec = replace(spec, make=make, settings=left, parameters=dict(choice.parameters))
    if not spec.gives_probabilities:
        raise UsageError(
            f"{choice.name} gives no probabilities, which predictions need",
            cure="choose another classifier",
        )
    return spec


def find_used(home: Path, connection: Connection) -> ClassifierSpec:
    """Return the classifier in use; UsageError with the cure if it no longer exists."""
    used = chosen(connection)
    if used.name not in registry(home):
        raise UsageError(
            f"The classifier '{used.name}', which was chosen to predict, is no longer in {CLASSIFIERS_FILE}",
            cure=f"define it again, or choose another one, such as {DEFAULT}, with `genredb classifiers use`",
        )
    return find_classifier(home, used)


def find_choice(home: Path, connection: Connection, asked: str) -> Chosen:
    """Return the classifier with this name, or the one fitted under an id that starts with it.

    UsageError with the choices if there is neither.
    """
    known = registry(home)
    if asked in known:
        return Chosen(asked)
    kept_id = find_kept_id(connection, asked, known)
    sql = "select manifest from ml.classifiers where classifier_id = ?"
    manifest = read_manifest(kept_id, connection.rows(sql, [kept_id])[0][0])
    return Chosen(manifest.name, manifest.stated)


def _make_with(spec: ClassifierSpec, parameters: Mapping[str, Any], songs: int) -> Any:
    return with_parameters(spec.make(songs), spec.name, parameters)
