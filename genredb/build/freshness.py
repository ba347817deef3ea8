"""Whether predictions belong to the data that the database holds now, by fingerprints of the data itself.

A fingerprint depends on a view's rows and on which columns are features, not on the order of the rows nor on
the text of its SQL.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genredb.build.built_with import read_built_with
from genredb.build.state import is_built_from_loads
from genredb.build.versions import versions
from genredb.compile.identity import digest
from genredb.errors import UsageError
from genredb.project.classifiers import read_classifiers
from genredb.warehouse.database import Connection, column_types, fetch_all, relation_exists
from genredb.warehouse.tables import refuse_other_layout

if TYPE_CHECKING:
    from genredb.project.discover import Project

TRAIN_VIEW = "train"
COMMON_VIEW = "train_common"
PREDICT_VIEW = "predict"
VIEWS = (TRAIN_VIEW, COMMON_VIEW, PREDICT_VIEW)


# The classifier of the registry that predicts unless another is chosen.
DEFAULT = "artist_vote"
SETTINGS = ("min_genre_songs",)  # the variables of the project that classifiers heed
MIN_GENRE_SONGS = 3  # unless the project says how many labelled songs make a genre common


@dataclass(frozen=True)
class Chosen:
    """Which classifier predicts: its name, and the parameters that were set when it was fitted."""

    name: str = DEFAULT
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def digest(self, home: Path) -> str:
        """Return what tells it from another: its entry in this folder's classifiers.yml, versions."""
        stated = read_classifiers(home).get(self.name)
        made = [sorted(self.parameters.items()), stated.digest if stated else "", versions()]
        return digest(self.name, json.dumps(made))[:16]


@dataclass(frozen=True)
class Fingerprints:
    """Of the rows that classifiers are fitted on, and of the rows to predict.

    ``features`` covers the settings that classifiers heed as well, which decide predictions beside the rows.
    """

    training: str
    features: str


def read_fingerprints(connection: Connection) -> Fingerprints:
    """Fingerprint the feature views; UsageError where they are not built, or not from what is loaded."""
    is_whole = is_built_from_loads(connection)
    for view in VIEWS:
        if not relation_exists(connection, "features", view):
            cure = (
                "the project has no such model, and classifiers read it: there is nothing to predict"
                if is_whole
                else "run `genredb build` first"
            )
            raise UsageError(f"There is no features.{view} in the database; {cure}.")
    refuse_other_layout(connection)
    if not is_whole:
        raise UsageError("Some models are not built from the raw files as loaded; run `genredb build` first.")
    return _fingerprints(connection)


def _fingerprints(connection: Connection) -> Fingerprints:
    settings = json.dumps(classifier_settings(connection))
    return Fingerprints(
        _fingerprint(connection, TRAIN_VIEW), digest(_fingerprint(connection, PREDICT_VIEW), settings)[:16]
    )


def classifier_settings(connection: Connection) -> dict[str, int]:
    """Return the variables that classifiers heed, as the database was built with them."""
    stated = read_built_with(connection).vars.get("min_genre_songs", MIN_GENRE_SONGS)
    return {"min_genre_songs": int(stated)}


def _fingerprint(connection: Connection, view: str) -> str:
    features = read_built_with(connection).columns_of(f"features.{view}", "feature")
    types = column_types(connection, "features", view)
    described = json.dumps([[name, types.get(name)] for name in features])
    row = connection.execute(
        f"""
        select md5(concat_ws('/', count(*), sum(md5_number_lower(to_json(view_row)::varchar)::hugeint)))
        from features.{view} as view_row
        """
    ).fetchone()
    return digest(described, str(row))[:16]


def has_songs(project: "Project") -> bool:
    """Whether a project has songs to predict, or reads what is predicted."""
    return PREDICT_VIEW in project.models or any(one.schema == "ml" for one in project.sources.values())


def chosen(connection: Connection) -> Chosen:
    """Return the classifier that predicts: the one chosen by ``use``, else the default."""
    if not relation_exists(connection, "ml", "chosen"):
        return Chosen()
    rows = fetch_all(connection, "select classifier, parameters from ml.chosen")
    return Chosen(str(rows[0][0]), json.loads(rows[0][1])) if rows else Chosen()


def stale_reason(connection: Connection, home: Path) -> str | None:
    """Return why ml.predictions do not fit the data, or None where each song has a current prediction.

    ``home`` is the folder whose classifiers.yml holds.
    """
    return _misfit(connection, home, read_fingerprints(connection))


def _misfit(connection: Connection, home: Path, current: Fingerprints) -> str | None:
    choice = chosen(connection)
    row = connection.execute(
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
    ).fetchone()
    missing, other_training, other_features, other_classifier, total = row or (0, 0, 0, 0, 0)
    if missing:
        return f"{missing} of {total} songs without a genre have no prediction"
    if other_training:
        return "the predictions were made by a classifier fitted on other training data"
    if other_features:
        return "the predictions were made before the songs to predict or the settings changed"
    if other_classifier:
        return f"the predictions were made by another classifier than {choice.name}, or by an older one"
    return None


def forget_stale_predictions(connection: Connection, home: Path) -> int:
    """Empty ml.predictions where they do not fit the data any more; return how many there were.

    A prediction of other data under a song's key would be taken for the song's.
    """
    if not relation_exists(connection, "ml", "predictions"):
        return 0
    count = int(fetch_all(connection, "select count(*) from ml.predictions")[0][0])
    if not count or not all(relation_exists(connection, "features", view) for view in VIEWS):
        return 0
    if _misfit(connection, home, _fingerprints(connection)) is None:  # also where only a part was built
        return 0
    connection.execute("delete from ml.predictions")
    return count
