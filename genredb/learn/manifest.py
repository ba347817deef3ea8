"""What is known of a stored classifier: a manifest, JSON beside its bytes, which may hold anything by now."""

import json
from dataclasses import dataclass
from typing import Any, get_args, get_origin, get_type_hints

from genredb.errors import InputError


class ClassifierError(InputError):
    """A stored classifier cannot be used; ``what`` says why, the message its cure as well."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what}; run `genredb train` to fit it anew.")
        self.what = what


@dataclass(frozen=True)
class Manifest:
    """What is known of a stored classifier; stored as JSON beside its bytes."""

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
    golden_features: list[list[float]]
    golden_scores: list[list[float]]


def read_manifest(classifier_id: str, text: str) -> Manifest:
    """Return a manifest whose values are of their kinds; ClassifierError says what is wrong with it."""
    try:
        manifest = Manifest(**json.loads(text))
    except TypeError:
        raise ClassifierError(f"Another version of genredb kept classifier {classifier_id}") from None
    for name, kind in get_type_hints(Manifest).items():
        if not _is_of(getattr(manifest, name), kind):
            raise ClassifierError(f"Classifier {classifier_id} is damaged: the {name} of its manifest")
    return manifest


def _is_of(value: object, kind: Any) -> bool:
    """Whether a value of JSON is of a kind such as ``dict[str, list[float]]``; its keys are always texts."""
    if kind is Any:
        return True
    if isinstance(value, dict):
        return get_origin(kind) is dict and all(_is_of(item, get_args(kind)[1]) for item in value.values())
    if isinstance(value, list):
        return get_origin(kind) is list and all(_is_of(item, get_args(kind)[0]) for item in value)
    return type(value) is kind or (kind is float and type(value) is int)
