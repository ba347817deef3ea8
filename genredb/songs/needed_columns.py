"""The columns that classifiers, evaluations and explanations read, besides the features."""

from collections.abc import Iterable, Mapping

from genredb.errors import UsageError
from genredb.songs.views import COMMON_VIEW, PREDICT_VIEW, TRAIN_VIEW
from genredb.warehouse.connection import Connection
from genredb.warehouse.database import column_types, relation_exists

_SONG = ("song_key", "source", "id", "artist_key")
LABELLED = (*_SONG, "genre", "genre_group")
SONGS_TABLE = "main.songs"
VIEW_COLUMNS: Mapping[str, tuple[str, ...]] = {
    f"features.{TRAIN_VIEW}": LABELLED,
    f"features.{COMMON_VIEW}": LABELLED,
    f"features.{PREDICT_VIEW}": _SONG,
}
_COLUMNS: Mapping[str, tuple[str, ...]] = {
    **VIEW_COLUMNS,
    SONGS_TABLE: (*LABELLED, "title", "artist", "recording_key", "duplicate_of"),
}


def missing_columns(connection: Connection, relation: str) -> list[str]:
    """Return the needed columns that a relation (``schema.name``) lacks: all if it does not exist."""
    schema, _, name = relation.partition(".")
    there = column_types(connection, schema, name) if relation_exists(connection, schema, name) else {}
    return [column for column in _COLUMNS[relation] if column not in there]


def refuse_missing_columns(connection: Connection, relations: Iterable[str]) -> None:
    """Raise UsageError for the first relation (``schema.name``) that lacks needed columns."""
    for relation in relations:
        if missing := missing_columns(connection, relation):
            one = "the column" if len(missing) == 1 else "the columns"
            cure = "add what is missing to the project: songs are read from there"
            raise UsageError(f"There is no {relation} with {one} {', '.join(missing)}", cure=cure)
