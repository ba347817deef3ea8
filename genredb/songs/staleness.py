"""Checks that predictions match the current data, by fingerprints of the data itself.

A fingerprint depends on a view's rows and on which columns are features, not on the order of the rows or the
text of its SQL.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum, auto
from pathlib import Path
from typing import Any

from genredb.errors import UsageError
from genredb.runner.graph.identity import digest
from genredb.runner.planning.built_with import read_built_with
from genredb.runner.planning.state import is_built_from_loads
from genredb.songs.classifiers_yml import read_classifiers
from genredb.songs.needed_columns import LABELLED, VIEW_COLUMNS, missing_columns, refuse_missing_columns
from genredb.songs.versions import versions
from genredb.songs.views import PREDICT_VIEW, TRAIN_VIEW, VIEWS
from genredb.warehouse.connection import Connection
from genredb.warehouse.database import column_types, relation_exists
from genredb.warehouse.tables import refuse_other_layout

# The classifier that predicts unless another is chosen.
DEFAULT = "artist_vote"
SETTINGS = ("min_genre_songs",)  # the project variables that classifiers use
MIN_GENRE_SONGS = 3  # default minimum number of labelled songs for a genre to be common


@dataclass(frozen=True)
class Chosen:
    """The classifier in use: its name, and the parameters set when it was fitted."""

    name: str = DEFAULT
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def digest(self, home: Path) -> str:
        """Return a digest that identifies it: its entry in this folder's classifiers.yml, versions."""
        stated = read_classifiers(home).get(self.name)
        made = [sorted(self.parameters.items()), stated.digest if stated else "", versions()]
        return digest(self.name, json.dumps(made))[:16]


class Staleness(StrEnum):
    """Why predictions do not match the data, worst first."""

    MISSING = auto()
    OTHER_TRAINING = auto()
    OTHER_FEATURES = auto()
    OTHER_CLASSIFIER = auto()


_WORDS: Mapping[Staleness, str] = {
    Staleness.MISSING: "{0.songs} of {0.total} songs without a genre have no prediction",
    Staleness.OTHER_TRAINING: "the predictions were made by a classifier fitted on other training data",
    Staleness.OTHER_FEATURES: (
        "the predictions were made before the songs to predict or the settings changed"
    ),
    Staleness.OTHER_CLASSIFIER: (
        "the predictions were made by a classifier other than {0.classifier}, or by an older one"
    ),
}


@dataclass(frozen=True)
class Stale:
    """Why predictions do not match the data: it concerns ``songs`` of all ``total`` songs to predict.

    ``classifier`` is the one in use.
    """

    kind: Staleness
    songs: int
    total: int
    classifier: str

    def __str__(self) -> str:
        return _WORDS[self.kind].format(self)


@dataclass(frozen=True)
class Fingerprints:
    """Fingerprints of the rows that classifiers are fitted on, and of the rows to predict.

    ``features`` also covers the settings that classifiers use, since predictions depend on them.
    """

    training: str
    features: str


def read_fingerprints(connection: Connection) -> Fingerprints:
    """Fingerprint the feature views; UsageError if they are not built, or not from the current raw tables."""
    refuse_missing_views(connection)
    refuse_other_layout(connection)
    refuse_missing_columns(connection, VIEW_COLUMNS)
    if not is_built_from_loads(connection):
        raise UsageError("Some models are older than the loaded raw files", cure="run `genredb build` first")
    return _fingerprints(connection)


def refuse_missing_views(connection: Connection) -> None:
    """Raise UsageError if a feature view is missing, from the project or because it is not built yet."""
    missing = [view for view in VIEWS if not relation_exists(connection, "features", view)]
    if missing and is_built_from_loads(connection):
        lacking = "feature views" if len(missing) == len(VIEWS) else f"feature view {missing[0]}"
        raise UsageError(
            f"The project has no {lacking}",
            cure=f"to train and predict, add the models {', '.join(missing)} to the schema `features`, "
            f"with the columns {', '.join(LABELLED)} and columns of `role: feature`",
        )
    if missing:
        raise UsageError(
            f"There is no features.{missing[0]} in the database", cure="run `genredb build` first"
        )


def _fingerprints(connection: Connection) -> Fingerprints:
    settings = json.dumps(classifier_settings(connection))
    return Fingerprints(
        _fingerprint(connection, TRAIN_VIEW), digest(_fingerprint(connection, PREDICT_VIEW), settings)[:16]
    )


def classifier_settings(connection: Connection) -> dict[str, int]:
    """Return the variables that classifiers use, with the values of the last build."""
    stated = read_built_with(connection).vars.get("min_genre_songs", MIN_GENRE_SONGS)
    return {"min_genre_songs": int(stated)}


def _fingerprint(connection: Connection, view: str) -> str:
    features = read_built_with(connection).columns_of(f"features.{view}", "feature")
    types = column_types(connection, "features", view)
    described = json.dumps([features, list(types.items())])  # the hashes of rows tell no names
    row = connection.row(
        f"""
        select concat_ws('/', count(*), sum(hash(view_row)::hugeint))
        from features.{view} as view_row
        """
    )
    return digest(described, str(row))[:16]


def chosen(connection: Connection) -> Chosen:
    """Return the classifier in use: the one chosen by ``use``, else the default."""
    if not relation_exists(connection, "ml", "chosen"):
        return Chosen()
    rows = connection.rows("select classifier, parameters from ml.chosen")
    return Chosen(str(rows[0][0]), json.loads(rows[0][1])) if rows else Chosen()


def find_stale(connection: Connection, home: Path, fingerprints: Fingerprints | None = None) -> Stale | None:
    """Return why ml.predictions do not match the data, or None if each song has a current prediction.

    ``home`` is the folder of classifiers.yml; ``fingerprints`` those of the data, if already read.
    """
    return _misfit(connection, home, fingerprints or read_fingerprints(connection))


def _misfit(connection: Connection, home: Path, current: Fingerprints) -> Stale | None:
    choice = chosen(connection)
    row = connection.row(
        """
        select
            count(*) filter (where predictions.song_key is null),
            count(*) filter (where predictions.training_fingerprint <> ?),
            count(*) filter (where predictions.features_fingerprint <> ?),
            count(*) filter (where predictions.choice <> ?),
            count(*)
        from features.predict as songs
        left join ml.predictions as predictions on songs.song_key = predictions.song_key
        """,
        [current.training, current.features, choice.digest(home)],
    )
    *counts, total = row or (0, 0, 0, 0, 0)
    found = (Stale(kind, count, total, choice.name) for kind, count in zip(Staleness, counts, strict=True))
    return next((one for one in found if one.songs), None)


def forget_stale_predictions(connection: Connection, home: Path) -> dict[str, int]:
    """Empty ml.predictions if they no longer match the data; return the number of rows, by table.

    Otherwise a prediction from other data would be taken for that of a song with the same key.
    """
    if not relation_exists(connection, "ml", "predictions"):
        return {}
    count = int(connection.rows("select count(*) from ml.predictions")[0][0])
    if not count or not all(relation_exists(connection, "features", view) for view in VIEWS):
        return {}
    is_readable = not any(missing_columns(connection, view) for view in VIEW_COLUMNS)
    may_fit = is_readable and not _has_other_songs(connection)
    if may_fit and _misfit(connection, home, _fingerprints(connection)) is None:
        return {}  # also after a partial build
    connection.execute("delete from ml.predictions")
    return {"ml.predictions": count}


def _has_other_songs(connection: Connection) -> bool:
    """Return True if the number of songs alone tells that predictions are stale.

    Fingerprints, which tell it always, read every song in full.
    """
    found = connection.row(
        f"""
        select
            exists (
                select 1 from features.{PREDICT_VIEW} as songs
                anti join ml.predictions as predictions on songs.song_key = predictions.song_key
            )
            or exists (
                select 1 from ml.classifiers as classifiers
                semi join ml.predictions as predictions
                    on classifiers.classifier_id = predictions.classifier_id
                where
                    try_cast(classifiers.manifest ->> 'training_rows' as bigint)
                    <> (select count(*) from features.{TRAIN_VIEW})
            )
        """
    )
    return bool(found and found[0])
