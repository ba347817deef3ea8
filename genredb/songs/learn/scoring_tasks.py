"""Predictions in the tasks of a cluster: a song comes with its artist's entries, not the classifier.

So what each task holds is the part that reads the audio, however many artists there are.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from genredb.songs.learn.dataset import FeatureView, Songs, artist_code_on_spark, number_sql
from genredb.songs.learn.fitted import Fitted
from genredb.songs.learn.scoring import SCHEMA, scored_batch
from genredb.spark.dialect import quoted

ARTISTS = "artists_of_the_classifier"


def artists_of(fitted: Fitted) -> pa.Table:
    """Return one row per artist of a classifier: its code, and its genres with their numbers of songs."""
    known = fitted.estimator
    ends = np.append(known.starts_, len(known.artist_genres_)).astype(np.int32)
    genres, counts = pa.array(known.artist_genres_), pa.array(known.artist_counts_)
    return pa.table(
        {
            "code": pa.array(known.artists_.astype(np.int64)),
            "genres": pa.ListArray.from_arrays(pa.array(ends), genres),
            "counts": pa.ListArray.from_arrays(pa.array(ends), counts),
        }
    )


def songs_with_artists(view: FeatureView, *, uses_artist: bool) -> str:
    """Return Spark's SQL of the songs to predict, which joins the table ``ARTISTS`` if that is used."""
    names = [f"f{place}" for place in range(len(view.features))]
    numbers = [number_sql(quoted(name)) for name in view.features]
    columns = ", ".join(f"{sql} as {name}" for sql, name in zip(numbers, names, strict=True))
    code = artist_code_on_spark("artist_key") if uses_artist else "cast(null as bigint)"
    songs = f"select song_key, {code} as code, {columns} from {quoted(f'features.{view.name}')}"
    if not uses_artist:
        return songs
    return (
        f"select songs.*, artists.genres, artists.counts from ({songs}) as songs"
        f" left join {ARTISTS} as artists on songs.code = artists.code"
    )


@dataclass(frozen=True)
class ScoringTask:
    """Predicts batches of :func:`songs_with_artists`; ``stored_with`` is equal for every song."""

    fitted: Fitted
    stored_with: Mapping[str, Any]

    @classmethod
    def of(cls, fitted: Fitted, stored_with: Mapping[str, Any]) -> "ScoringTask":
        """Return the task of a fitted classifier, whose artists it leaves out."""
        if fitted.uses_artist:
            none = (np.empty(0), np.empty(0, np.intp), np.empty(0, np.intp), np.empty(0))
            fitted = replace(fitted, estimator=fitted.estimator.with_artists(*none))
        return cls(fitted, stored_with)

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Yield the rows of ml.predictions for each batch."""
        for batch in batches:
            found = scored_batch(self._songs(batch), self._with_artists(batch))
            same = [_repeated(value, len(batch)) for value in self.stored_with.values()]
            names = [*SCHEMA.names, *self.stored_with]
            yield pa.RecordBatch.from_arrays([*found.columns, *same], names=names)

    def _songs(self, batch: pa.RecordBatch) -> Songs:
        features = self.fitted.feature_names
        columns = batch.columns[1 : 2 + len(features)]
        numbers = [column.to_numpy(zero_copy_only=False) for column in columns]
        keys = batch.column(0).to_numpy(zero_copy_only=False)
        return Songs(keys, np.column_stack(numbers).astype(np.float64), np.empty(0, dtype=object), features)

    def _with_artists(self, batch: pa.RecordBatch) -> Fitted:
        """Return the classifier with the artists of a batch."""
        if not self.fitted.uses_artist:
            return self.fitted
        known = np.flatnonzero(batch.column("genres").is_valid().to_numpy(zero_copy_only=False))
        codes = batch.column("code").to_numpy(zero_copy_only=False)[known].astype(np.float64)
        codes, first = np.unique(codes, return_index=True)
        genres, counts = (batch.column(name).take(pa.array(known[first])) for name in ("genres", "counts"))
        starts = genres.offsets.to_numpy()[:-1] - genres.offsets[0].as_py()
        entries = (genres.flatten().to_numpy(), counts.flatten().to_numpy())
        return replace(self.fitted, estimator=self.fitted.estimator.with_artists(codes, starts, *entries))


def _repeated(value: str | float, times: int) -> pa.Array:
    return pa.array([value] * times, pa.string() if isinstance(value, str) else pa.float64())
