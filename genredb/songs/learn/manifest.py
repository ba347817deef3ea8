"""The manifest of a stored classifier: JSON next to its bytes, untrusted since it may contain anything."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, get_args, get_origin, get_type_hints

from genredb.errors import InputError, UsageError
from genredb.warehouse.connection import Connection


class ClassifierError(InputError):
    """A stored classifier cannot be used."""

    def __init__(self, what: str) -> None:
        super().__init__(what, cure="run `genredb train` to refit it")


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
        raise ClassifierError(
            f"Classifier {classifier_id} was stored by another version of genredb"
        ) from None
    for name, kind in get_type_hints(Manifest).items():
        if not _is_of(getattr(manifest, name), kind):
            raise ClassifierError(f"Classifier {classifier_id} is damaged: the {name} of its manifest")
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
