"""Reads feature views into arrays, always in the same order: the predictions of a forest depend on it."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from genredb.errors import ProjectError
from genredb.runner.planning.built_with import read_built_with
from genredb.songs.needed_columns import SONGS_TABLE, refuse_missing_columns
from genredb.songs.staleness import classifier_settings, read_fingerprints
from genredb.songs.versions import versions
from genredb.songs.views import TRAIN_VIEW
from genredb.warehouse.connection import Connection
from genredb.warehouse.database import column_types, quote

if TYPE_CHECKING:
    import pyarrow as pa

LABEL = "genre"  # what classifiers are fitted on; group probabilities are sums over it
_LARGEST = float(np.finfo(np.float32).max)
_ORDER = "order by source, id, song_key"
# 48 bits: a float holds them exactly, and a million artists have a collision with a chance of 1 in 500.
_CODE_DIGITS = 12
READ_ROWS = 100_000


@dataclass(frozen=True)
class Songs:
    """Songs as arrays of equal length n.

    ``numbers`` is n × (1 + f): the codes of the artists (NaN if unknown), then the features in the units of
    the columns, booleans as 0 and 1, NaN for missing values. ``keys`` is empty where they are not needed,
    ``labels`` for songs to predict.
    """

    keys: npt.NDArray[np.object_]
    numbers: npt.NDArray[np.float64]
    labels: npt.NDArray[np.object_]
    feature_names: tuple[str, ...]

    @property
    def artists(self) -> npt.NDArray[np.float64]:
        """The codes of the artists, NaN if unknown."""
        return self.numbers[:, 0]

    @property
    def features(self) -> npt.NDArray[np.float64]:
        """The features, n × f."""
        return self.numbers[:, 1:]

    def matrix(self, *, uses_artist: bool) -> npt.NDArray[np.float64]:
        """Return a classifier's input: n × f, or n × (1 + f) with the artist's code first."""
        return self.numbers if uses_artist else np.ascontiguousarray(self.features)

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, rows: Any) -> "Songs":
        """Return the songs at ``rows`` (a mask or indices)."""
        keys, labels = (part[rows] if len(part) else part for part in (self.keys, self.labels))
        return Songs(keys, self.numbers[rows], labels, self.feature_names)


@dataclass(frozen=True)
class LabelledSongs:
    """Labelled songs with everything evaluations need; parallel arrays of length n.

    ``songs.labels`` holds genres, ``groups`` their groups; ``artists`` are the keys of the artists ("" if
    unknown), ``sources`` the files that the songs come from; ``recordings`` is equal for recordings of one
    song. ``is_duplicate`` marks equal songs but the first.
    """

    songs: Songs
    artists: npt.NDArray[np.object_]
    groups: npt.NDArray[np.object_]
    sources: npt.NDArray[np.object_]
    recordings: npt.NDArray[np.object_]
    is_duplicate: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.songs)

    def __getitem__(self, rows: Any) -> "LabelledSongs":
        """Return the songs at ``rows`` (a mask or indices)."""
        return LabelledSongs(*(getattr(self, part.name)[rows] for part in fields(self)))

    @property
    def artist_groups(self) -> npt.NDArray[np.object_]:
        """The songs' artists; a song without an artist is its own group."""
        return np.where(self.artists == "", self.songs.keys, self.artists)

    def truth(self, label: str) -> npt.NDArray[np.object_]:
        """Return the songs' genres or genre groups."""
        return self.songs.labels if label == "genre" else self.groups


@dataclass(frozen=True)
class FeatureView:
    """A view that classifiers read, with its columns of role ``feature`` in the order of the properties."""

    name: str
    features: tuple[str, ...]


def feature_view(connection: Connection, name: str) -> FeatureView:
    """Return a feature view as it was built; ProjectError if it has no features."""
    features = read_built_with(connection).columns_of(f"features.{name}", "feature")
    if not features:
        raise ProjectError(f"The model '{name}' has no column of `role: feature` in its properties")
    return FeatureView(name, features)


def read_labelled_songs(connection: Connection, view: FeatureView) -> LabelledSongs:
    """Read a feature view of labelled songs for evaluations, ordered by source and id."""
    songs = read_songs(connection, view, "genre")
    columns = connection.arrays(
        f"""
        select
            coalesce(view.artist_key, '') as artist_key,
            songs.genre_group,
            songs.source,
            coalesce(songs.recording_key, songs.song_key) as recording,
            row_number() over (
                partition by coalesce(songs.duplicate_of, songs.song_key)
                order by songs.duplicate_of is not null, view.source, view.id
            ) > 1 as is_duplicate
        from features.{quote(view.name)} as view
        inner join songs on view.song_key = songs.song_key
        order by view.source, view.id
        """
    )
    artists, groups, sources, recordings = (
        np.asarray(columns[name], dtype=object)
        for name in ("artist_key", "genre_group", "source", "recording")
    )
    is_duplicate = np.asarray(columns["is_duplicate"], dtype=bool)
    return LabelledSongs(songs, artists, groups, sources, recordings, is_duplicate)


# The columns of ``songs`` that decide which songs take part under a protocol, and how they are split.
SPLIT_BY = {
    "seed": ("source", "genre"),
    "cv": ("recording_key", "duplicate_of"),
    "unseen": ("artist_key", "duplicate_of"),
}


def evaluation_digest(connection: Connection, protocol: str) -> str:
    """Return a digest of what evaluations under a protocol share: songs, splits, settings, libraries."""
    training = read_fingerprints(connection).training
    refuse_missing_columns(connection, [SONGS_TABLE])
    songs = (training, _fold_fingerprint(connection, SPLIT_BY[protocol]))
    return "-".join((*songs, *map(str, classifier_settings(connection).values()), *versions().values()))


def _fold_fingerprint(connection: Connection, split_by: Sequence[str]) -> str:
    """Return a digest of the labelled songs, their labels, and the columns of ``songs`` that split them."""
    columns = ", ".join(["song_key", "genre", "genre_group", *split_by])
    sql = f"""
        select md5(string_agg(to_json([{columns}])::varchar, ',' order by song_key))
        from songs
        where genre is not null
        """
    return str(connection.rows(sql)[0][0])[:16]


def artist_codes(artists: npt.NDArray[np.object_]) -> npt.NDArray[np.float64]:
    """Return a number for each artist key, the same on every machine; NaN if the artist is unknown.

    It is that of ``artist_code_sql``.
    """
    keys, places = np.unique(artists.astype(str), return_inverse=True)
    digests = [hashlib.sha256(key.encode()).hexdigest()[:_CODE_DIGITS] if key else "" for key in keys]
    codes = [int(digest, 16) if digest else np.nan for digest in digests]
    return np.array(codes, dtype=np.float64)[places]


def artist_code_sql(artist_key: str) -> str:
    """Return the SQL of an artist's code from the SQL of the artist's key."""
    return f"('0x' || left(sha256(nullif({artist_key}, '')), {_CODE_DIGITS}))::bigint::double"


def artist_code_on_spark(artist_key: str) -> str:
    """Return Spark's SQL of the same number, as a bigint; NULL if the artist is unknown."""
    return f"cast(conv(left(sha2(nullif({artist_key}, ''), 256), {_CODE_DIGITS}), 16, 10) as bigint)"


def read_songs(
    connection: Connection, view: FeatureView, label: str | None = None, *, has_keys: bool = True
) -> Songs:
    """Read a whole feature view; ``label`` names its column of role label, if it has one."""
    names = ["song_key"] * has_keys + ([label] if label else [])
    none = np.empty(0, dtype=object)
    parts = [(np.empty((0, 1 + len(view.features))), *[none] * len(names))]
    parts += _stream(connection, view, names, READ_ROWS)
    numbers, *texts = (np.concatenate(part) for part in zip(*parts, strict=True))
    return Songs(
        keys=texts[0] if has_keys else none,
        numbers=numbers,
        labels=texts[-1] if label else none,
        feature_names=view.features,
    )


def feature_types(connection: Connection, names: Sequence[str]) -> tuple[str, ...]:
    """Return DuckDB's types of feature columns, which are the same in all feature views."""
    types = column_types(connection, "features", TRAIN_VIEW)
    return tuple(types.get(name, "") for name in names)


def read_groups(connection: Connection) -> dict[str, str]:
    """Return the group of each genre of the labelled songs."""
    return dict(connection.rows(f"select distinct genre, genre_group from features.{TRAIN_VIEW}"))


def stream_songs(
    connection: Connection, view: FeatureView, batch_rows: int, skip: int = 0
) -> Iterator[Songs]:
    """Read a feature view, but its first ``skip`` songs, in batches of ``batch_rows``, in constant memory."""
    for numbers, keys in _stream(connection, view, ["song_key"], batch_rows, skip):
        yield Songs(keys, numbers, np.empty(0, dtype=object), view.features)


def number_sql(expression: str) -> str:
    """Return the SQL of a feature as the number that classifiers read: booleans are 0 and 1.

    Infinity, NaN and numbers too large for 32 bits, which trees use, count as missing.
    """
    number = f"cast({expression} as double)"
    return f"case when abs({number}) <= {_LARGEST} then {number} end"


def songs_of(
    artists: npt.NDArray[np.object_], columns: Sequence[npt.NDArray[np.float64]], names: tuple[str, ...]
) -> Songs:
    """Return songs with the given artist keys and an array of numbers for each name."""
    numbers = np.column_stack([artist_codes(artists), *columns])
    return Songs(artists, numbers, np.empty(0, dtype=object), names)


def _stream(
    connection: Connection, view: FeatureView, texts: Sequence[str], batch_rows: int, skip: int = 0
) -> Iterator[tuple[npt.NDArray[Any], ...]]:
    """Yield the artists' codes and features of batches of songs, n × (1 + f), then columns of texts."""
    numbers = [artist_code_sql("artist_key"), *(number_sql(quote(name)) for name in view.features)]
    sql = (
        f"select {', '.join([*numbers, *map(quote, texts)])}"
        f" from features.{quote(view.name)} {_ORDER} offset {skip}"
    )
    for batch in connection.batches(sql, batch_rows):
        found = [column.to_numpy(zero_copy_only=False) for column in batch.columns[: len(numbers)]]
        yield np.column_stack(found), *(_texts(column) for column in batch.columns[len(numbers) :])


def _texts(column: "pa.Array") -> npt.NDArray[np.object_]:
    """Return a column of texts; equal ones are one object, not one for every song."""
    codes = column.dictionary_encode(null_encoding="encode")
    texts: npt.NDArray[np.object_] = codes.dictionary.to_numpy(zero_copy_only=False)[codes.indices.to_numpy()]
    return texts
