"""The verb ``explain``: why a song's predicted genre was chosen."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from genredb.errors import GenredbError, UsageError
from genredb.runner.planning.built_with import built_with
from genredb.runner.project.config import Config
from genredb.songs.learn.dataset import LABEL, Songs, artist_code_sql, feature_view, number_sql, read_songs
from genredb.songs.learn.fitted import Fitted
from genredb.songs.learn.store import load_current
from genredb.songs.needed_columns import SONGS_TABLE, refuse_missing_columns
from genredb.songs.views import PREDICT_VIEW, TRAIN_VIEW
from genredb.warehouse.connection import Connection
from genredb.warehouse.database import open_reader, quote

NEAREST = 5
WEIGHED = 5
MATCHES = 10
LEAST_WEIGHT = 0.01  # smaller probability changes are not informative


@dataclass(frozen=True)
class LabelledSong:
    """A labelled song that supports a genre; ``distance`` is in standard deviations of the columns."""

    song_key: str
    title: str
    artist: str
    genre: str
    distance: float | None = None


@dataclass(frozen=True)
class Weight:
    """The effect of one column: the drop in the genre's probability if the column had its median value.

    ``typical`` is the median over the labelled songs.
    """

    column: str
    value: float
    typical: float
    change: float


@dataclass(frozen=True)
class Explanation:
    """Why a song's genre was chosen. ``label`` is its true genre, if it is labelled.

    ``genre_group`` is the most likely group, whose probability is the sum over its genres; it may differ from
    ``own_group``, the group of the most likely genre. Title and artist are empty if unknown. ``basis`` says
    what decided: the artist, with ``artist_songs``, or the audio, with the columns in ``weights``;
    ``nearest`` are the labelled songs with the most similar audio, whatever decided.
    """

    song_key: str
    title: str
    artist: str
    label: str | None
    genre: str
    probability: float
    own_group: str
    genre_group: str
    group_probability: float
    basis: str
    runner_ups: tuple[tuple[str, float], ...]
    artist_songs: tuple[LabelledSong, ...]
    nearest: tuple[LabelledSong, ...]
    weights: tuple[Weight, ...]


def explain(config: Config, asked: str, *, is_title: bool = False) -> list[Explanation]:
    """Explain the songs with an Id, a key such as ``test:454``, or (a part of) a title.

    The stored classifier is used, so explanations of labelled songs are in-sample. UsageError if there is no
    such song, if a title matches too many, or if no classifier is fitted.
    """
    with open_reader(config.database, config.engine) as connection, warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # columns without any values
        built_with(config, connection)
        fitted = load_current(connection, config.home)
        refuse_missing_columns(connection, [SONGS_TABLE])
        found = _find(connection, asked, is_title=is_title)
        labelled = read_songs(connection, feature_view(connection, TRAIN_VIEW), LABEL)
        described = _described(connection)
        return [_explain(connection, fitted, labelled, described, key) for key in found]


def weigh_columns(connection: Connection, home: Path, most: int) -> dict[str, tuple[Weight, ...]]:
    """Return the columns that weighed in the predictions that the audio decided, by song, as in `explain`.

    Of many songs only the first ``most``; empty if the classifier that predicted is not stored.
    """
    sql = "select song_key, genre from ml.predictions where basis = 'audio' order by song_key"
    keys: dict[str, str] = dict(connection.rows(sql)[:most])
    if not keys:
        return {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # columns without any values
        try:
            fitted = load_current(connection, home)
        except GenredbError:
            return {}
        labelled = read_songs(connection, feature_view(connection, TRAIN_VIEW), LABEL)
        songs = read_songs(connection, feature_view(connection, PREDICT_VIEW))
        songs = songs[np.isin(songs.keys.astype(str), list(keys))]
        found = _weights(fitted, songs, labelled, [keys[key] for key in songs.keys])
    return dict(zip(songs.keys, found, strict=True))


def _find(connection: Connection, asked: str, *, is_title: bool) -> list[str]:
    """Return the keys of the requested songs."""
    if is_title:
        condition, value = "lower(title) = lower(?)", asked
        if not connection.rows(f"select 1 from songs where {condition}", [value]):
            condition = "contains(lower(title), lower(?))"
    else:
        condition, value = "song_key = ? or id::varchar = ?", asked
    parameters = [value] * condition.count("?")
    sql = f"select song_key, title from songs where {condition} order by source, id limit {MATCHES + 1}"
    rows = connection.rows(sql, parameters)
    if not rows and is_title:
        raise UsageError(f"There is no song whose title contains '{asked}'")
    if not rows:
        cure = "" if asked.isdecimal() else "--title finds songs by title"
        raise UsageError(f"There is no song whose Id or key is '{asked}'", cure=cure)
    if len(rows) > MATCHES:
        what = f"titles contain '{asked}'" if is_title else f"songs have the Id {asked}"
        found = ", ".join(f"{title or 'untitled'} ({key})" for key, title in rows[:MATCHES])
        raise UsageError(f"More than {MATCHES} {what}", cure=f"name one by its key: {found}, …")
    return [key for key, _ in rows]


def _described(connection: Connection) -> dict[str, tuple[str, str]]:
    """Return title and artist of every labelled song, by key."""
    rows = connection.rows("select song_key, title, artist from songs where genre is not null")
    return {key: (title or "", artist or "") for key, title, artist in rows}


def _explain(
    connection: Connection,
    fitted: Fitted,
    labelled: Songs,
    described: dict[str, tuple[str, str]],
    key: str,
) -> Explanation:
    sql = f"select title, artist, {artist_code_sql('artist_key')}, genre from songs where song_key = ?"
    title, artist, code, label = connection.rows(sql, [key])[0]
    view = TRAIN_VIEW if label is not None else PREDICT_VIEW
    columns = ", ".join(number_sql(quote(name)) for name in fitted.feature_names)
    found = connection.rows(f"select {columns} from features.{view} where song_key = ?", [key])
    if not found:
        raise UsageError(f"The song {key} is not in features.{view}, so no classifier reads it")
    values = found[0]
    numbers = np.array([[np.nan if value is None else value for value in (code, *values)]])
    texts = np.array([key], dtype=object)
    song = Songs(texts, numbers, texts[:0], fitted.feature_names)
    predicted = fitted.predict(song)
    (genre, probability), *runner_ups = predicted.genres.of(0)
    basis = "artist" if predicted.is_by_artist[0] else "audio"

    def labelled_song(place: int, distance: float | None = None) -> LabelledSong:
        own_key = str(labelled.keys[place])
        return LabelledSong(own_key, *described[own_key], str(labelled.labels[place]), distance)

    others = labelled.keys != key
    same = np.flatnonzero(others & (labelled.artists == code))
    return Explanation(
        key,
        title or "",
        artist or "",
        label,
        genre,
        probability,
        fitted.groups[genre],
        *predicted.groups.of(0)[0],
        basis,
        tuple(runner_ups),
        tuple(labelled_song(int(place)) for place in same),
        tuple(
            labelled_song(place, distance) for place, distance in _nearest(song.features[0], labelled, others)
        ),
        _weights(fitted, song, labelled, [genre])[0] if basis == "audio" else (),
    )


def _nearest(song: Any, labelled: Songs, others: Any) -> list[tuple[int, float]]:
    """Return the indices and distances of the nearest labelled songs; missing values add no distance."""
    spread = np.nanstd(labelled.features, axis=0)
    steps = (labelled.features - song) / np.where(spread > 0, spread, 1.0)
    distances = np.sqrt(np.nansum(steps**2, axis=1))
    distances[~others] = np.inf
    if np.isnan(song).all():
        return []
    places = np.argsort(distances, kind="stable")[:NEAREST]
    return [(int(place), float(distances[place])) for place in places if np.isfinite(distances[place])]


def _weights(
    fitted: Fitted, songs: Songs, labelled: Songs, genres: Sequence[str]
) -> list[tuple[Weight, ...]]:
    """Return for each song the columns whose typical value would lower its genre's probability most."""
    typical = np.nanmedian(labelled.features, axis=0)
    columns = len(typical)
    every = np.arange(len(songs) * columns)
    asked = songs[every // columns]
    asked.features[every, every % columns] = typical[every % columns]
    places = np.searchsorted(fitted.estimator.classes_.astype(str), np.asarray(genres, dtype=str))
    before = fitted.scores(songs)[np.arange(len(songs)), places]
    after = fitted.scores(asked)[every, np.repeat(places, columns)].reshape(-1, columns)
    return [
        tuple(
            Weight(fitted.feature_names[i], float(values[i]), float(typical[i]), float(changes[i]))
            for i in np.argsort(-changes, kind="stable")[:WEIGHED]
            if changes[i] >= LEAST_WEIGHT
        )
        for values, changes in zip(songs.features, before[:, np.newaxis] - after, strict=True)
    ]
