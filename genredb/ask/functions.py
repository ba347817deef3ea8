"""``predict_genre`` and ``genre_probabilities``: the classifier as SQL functions.

Both take a row of ``songs`` (``predict_genre(songs)``), or an artist and the feature columns in order, as
positional or named arguments. Features that ``songs`` lacks, or has with other values, are looked up by
the row's ``song_key``. The functions are registered only if a query names them, because that imports
scikit-learn.
"""

from collections.abc import Callable, Container, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from genredb.songs.learn.dataset import number_sql, songs_of
from genredb.songs.learn.fitted import Fitted
from genredb.songs.learn.store import load_current
from genredb.songs.views import PREDICT_VIEW, TRAIN_VIEW
from genredb.warehouse.connection import Connection
from genredb.warehouse.database import column_types, quote
from genredb.warehouse.frames import register_function

_INNER = "genredb_{}"


def register_functions(connection: Connection, home: Path) -> None:
    """Register the functions on this connection; they use the classifier that predicts.

    UsageError if no classifier is fitted on the current data.
    """
    fitted = load_current(connection, home)
    columns = fitted.feature_names
    of_songs = _columns_of_songs(connection, columns)
    song = ", ".join(["artist_key varchar", *(f"{quote(column)} double" for column in columns)])
    results = {
        "predict_genre": ("varchar", _genres),
        "genre_probabilities": ("map(varchar, double)", _probabilities),
    }
    for name, (result, answer) in results.items():
        inner = _INNER.format(name)
        function = _vectorized(fitted, columns, answer)
        register_function(connection, inner, function, f"struct({song})", result)
        connection.execute(_macro(name, inner, columns, of_songs))


def _columns_of_songs(connection: Connection, columns: Sequence[str]) -> list[str]:
    """Return the features that are columns of ``songs`` with the same values for every song."""
    types = column_types(connection, "main", "songs")
    found = [column for column in columns if column in types]
    if not found:
        return []
    same = ", ".join(
        f"bool_and({number_sql(f'songs.{quote(column)}')}"
        f" is not distinct from {number_sql(f'features.{quote(column)}')})"
        for column in found
    )
    sql = f"select {same} from songs inner join {_views(found)} as features using (song_key)"
    are_same = connection.rows(sql)[0]
    return [column for column, is_same in zip(found, are_same, strict=True) if is_same is not False]


def _macro(name: str, inner: str, columns: Sequence[str], of_songs: Container[str]) -> str:
    """Return the SQL of the macro that packs a song, given as a row or as columns, for the inner function."""
    of_row = ", ".join(
        f"{quote(column)} := "
        + (number_sql(f"song.{quote(column)}") if column in of_songs else _looked_up(column))
        for column in columns
    )
    of_columns = ", ".join(f"{quote(column)} := {number_sql(quote(column))}" for column in columns)
    parameters = ", ".join(["artist", *(quote(column) for column in columns)])
    return (
        f"create temp macro {name}(song) as"
        f" {inner}(struct_pack(artist_key := song.artist_key, {of_row})),"
        f" ({parameters}) as {inner}(struct_pack(artist_key := lower(trim(artist::varchar)), {of_columns}))"
    )


def _looked_up(column: str) -> str:
    """Return the SQL that looks up a feature of the row's song in the feature views."""
    feature = number_sql(f"of_song.{quote(column)}")
    return f"(select {feature} from {_views([column])} as of_song where of_song.song_key = (song).song_key)"


def _views(columns: Sequence[str]) -> str:
    """Return the SQL of the union of the feature views, with these columns and the song's key."""
    names = ", ".join(["song_key", *map(quote, columns)])
    views = " union all ".join(f"select {names} from features.{view}" for view in (TRAIN_VIEW, PREDICT_VIEW))
    return f"({views})"


def _vectorized(
    fitted: Fitted, columns: Sequence[str], answer: Callable[[Any, Any], pa.Array]
) -> Callable[[Any], pa.Array]:
    """Return a function of an Arrow array of songs."""

    def ask(songs: Any) -> pa.Array:
        songs = songs.combine_chunks() if isinstance(songs, pa.ChunkedArray) else songs
        parts = dict(zip((field.name for field in songs.type), songs.flatten(), strict=True))
        features = [parts[column].to_numpy(zero_copy_only=False) for column in columns]
        artists = parts["artist_key"].fill_null("").to_numpy(zero_copy_only=False)
        scores = fitted.scores(songs_of(artists, features, tuple(columns)))
        return answer(fitted.estimator.classes_, scores)

    return ask


def _genres(classes: Any, scores: Any) -> pa.Array:
    return pa.array(classes[np.argmax(scores, axis=1)], pa.string())


def _probabilities(classes: Any, scores: Any) -> pa.Array:
    """Return for each song a map from genres to probabilities, most likely first."""
    order = np.argsort(-scores, axis=1, kind="stable")
    offsets = np.arange(len(scores) + 1) * len(classes)
    keys = pa.array(classes[order].ravel(), pa.string())
    return pa.MapArray.from_arrays(offsets, keys, pa.array(np.take_along_axis(scores, order, 1).ravel()))
