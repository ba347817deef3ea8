"""The manifest of a stored classifier: JSON next to its bytes, untrusted since it may contain anything."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum, auto
from typing import Any, get_args, get_origin, get_type_hints

from genredb.errors import InputError, UsageError
from genredb.warehouse.connection import Connection


class Flaw(StrEnum):
    """Why a stored classifier cannot be used."""

    MISSING = auto()
    OTHER_SONGS = auto()
    OTHER_COLUMNS = auto()
    OTHER_SETTINGS = auto()
    OTHER_GENREDB = auto()
    OTHER_BYTES = auto()
    OTHER_ANSWERS = auto()
    UNREADABLE = auto()
    UNKNOWN_TYPES = auto()
    DAMAGED = auto()


# The message of each flaw, with placeholders for the classifier's id and the details.
_WORDS: Mapping[Flaw, str] = {
    Flaw.MISSING: "There is no classifier {} in ml.classifiers",
    Flaw.OTHER_SONGS: "The labelled songs changed since classifier {} was fitted",
    Flaw.OTHER_COLUMNS: "Classifier {} was fitted on other feature columns",
    Flaw.OTHER_SETTINGS: "Classifier {} was fitted with {}",
    Flaw.OTHER_GENREDB: "Classifier {} was stored by another version of genredb",
    Flaw.OTHER_BYTES: "The bytes of classifier {} are not those that were stored",
    Flaw.OTHER_ANSWERS: "Classifier {} no longer gives the predictions it gave when fitted",
    Flaw.UNREADABLE: "Classifier {} cannot be read ({})",
    Flaw.UNKNOWN_TYPES: "Classifier {} holds the types {}",
    Flaw.DAMAGED: "Classifier {} is damaged: {}",
}


@dataclass(frozen=True)
class Changed:
    """A version or setting that is no longer as it was when a classifier was fitted."""

    name: str
    before: str
    now: str

    def __str__(self) -> str:
        return f"{self.name} {self.before}, now {self.now}"


@dataclass(frozen=True)
class Unusable:
    """Why a stored classifier cannot be used; ``changes`` are those of versions and settings."""

    flaw: Flaw
    classifier_id: str
    details: str = ""
    changes: tuple[Changed, ...] = ()

    def __str__(self) -> str:
        details = ", ".join(map(str, self.changes)) or self.details
        return _WORDS[self.flaw].format(self.classifier_id, details)


class ClassifierError(InputError):
    """A stored classifier cannot be used."""

    def __init__(self, unusable: Unusable) -> None:
        super().__init__(str(unusable), cure="run `genredb train` to refit it")
        self.unusable = unusable


@dataclass(frozen=True)
class Facts:
    """Facts about a stored classifier that users may want to know.

    ``settings`` are the project variables that it uses, ``stated`` the parameters set by the user,
    ``parameters`` all parameters; ``entry`` is the digest of its entry in classifiers.yml, empty for a
    built-in classifier. ``metrics`` are the accuracies found by ``evaluate``, by protocol.
    """

    name: str
    label: str
    versions: dict[str, str]
    feature_names: list[str]
    feature_types: list[str]
    classes: list[str]
    groups: dict[str, str]
    seed: int
    settings: dict[str, int]
    stated: dict[str, Any]
    entry: str
    parameters: dict[str, Any]
    training_fingerprint: str
    training_rows: int
    training_view_hash: str
    metrics: dict[str, float]


@dataclass(frozen=True)
class Manifest(Facts):
    """Everything known about a stored classifier; the golden rows are songs with its original answers."""

    golden_features: list[list[float]]
    golden_scores: list[list[float]]


def find_kept_id(connection: Connection, asked: str, other_names: Iterable[str] = ()) -> str:
    """Return the id of the stored classifier with this id, or a unique prefix of it.

    UsageError with the choices, ``other_names`` among them, if there is none or more than one.
    """
    ids = [row[0] for row in connection.rows("select classifier_id from ml.classifiers order by all")]
    found = [asked] if asked in ids else [known for known in ids if asked and known.startswith(asked)]
    if len(found) > 1:
        listed = ", ".join(found)
        raise UsageError(f"Several classifiers begin with '{asked}': {listed}", cure="give one id in full")
    if not found:
        raise UsageError(f"There is no classifier '{asked}'", name=asked, choices=(*other_names, *ids))
    return str(found[0])


def read_manifest(classifier_id: str, text: str) -> Manifest:
    """Return a manifest with values of the right types; ClassifierError says what is wrong with it."""
    try:
        manifest = Manifest(**json.loads(text))
    except TypeError:
        raise ClassifierError(Unusable(Flaw.OTHER_GENREDB, classifier_id)) from None
    for name, kind in get_type_hints(Manifest).items():
        if not _is_of(getattr(manifest, name), kind):
            raise ClassifierError(Unusable(Flaw.DAMAGED, classifier_id, f"the {name} of its manifest"))
    return manifest


def _is_of(value: object, kind: Any) -> bool:
    """Return True if a JSON value has a type such as ``dict[str, list[float]]``; keys are always strings."""
    if kind is Any:
        return True
    if isinstance(value, dict):
        return get_origin(kind) is dict and all(_is_of(item, get_args(kind)[1]) for item in value.values())
    if isinstance(value, list):
        return get_origin(kind) is list and all(_is_of(item, get_args(kind)[0]) for item in value)
    return type(value) is kind or (kind is float and type(value) is int)
