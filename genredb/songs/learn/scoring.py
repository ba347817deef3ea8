"""Predictions for many songs, as Arrow batches: computed in several threads, without an object per song."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from genredb.songs.learn.dataset import Songs
from genredb.songs.learn.fitted import Fitted, Ranked


def _shares(of: str) -> pa.ListType:
    return pa.list_(pa.struct([(of, pa.string()), ("probability", pa.float64())]))


# The first columns of ml.predictions.
SCHEMA = pa.schema(
    [
        ("song_key", pa.string()),
        ("genre", pa.string()),
        ("probability", pa.float64()),
        ("basis", pa.string()),
        ("genre_group", pa.string()),
        ("group_probability", pa.float64()),
        ("group_probabilities", _shares("genre_group")),
        ("runner_ups", _shares("genre")),
    ]
)


def scored(batches: Iterable[Songs], fitted: Fitted, threads: int) -> Iterator[pa.RecordBatch]:
    """Yield the predictions of batches of songs, in their order; each batch is predicted in one thread.

    At most one batch more than there are threads is in memory.
    """
    with ThreadPoolExecutor(threads) as pool:
        waiting: deque[Future[pa.RecordBatch]] = deque()
        try:
            for songs in batches:
                waiting.append(pool.submit(scored_batch, songs, fitted))
                if len(waiting) > threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)


def scored_batch(songs: Songs, fitted: Fitted) -> pa.RecordBatch:
    """Return the predictions of a batch of songs."""
    predicted = fitted.predict(songs)
    columns = [
        pa.array(songs.keys, pa.string()),
        *_most_likely(predicted.genres),
        pa.array(np.where(predicted.is_by_artist, "artist", "audio"), pa.string()),
        *_most_likely(predicted.groups),
        _lists(predicted.groups, "genre_group"),
        _lists(predicted.genres, "genre", start=1),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=SCHEMA)


def _most_likely(ranked: Ranked) -> tuple[pa.Array, pa.Array]:
    """Return each song's most likely name, and its probability."""
    return _names(ranked, ranked.places[:, 0]), pa.array(ranked.probabilities[:, 0])


def _lists(ranked: Ranked, of: str, start: int = 0) -> pa.ListArray:
    """Return each song's names and probabilities from place ``start`` on."""
    counts = np.maximum(ranked.counts - start, 0)
    is_listed = np.arange(ranked.places.shape[1] - start) < counts[:, np.newaxis]
    values = pa.StructArray.from_arrays(
        [
            _names(ranked, ranked.places[:, start:][is_listed]),
            pa.array(ranked.probabilities[:, start:][is_listed]),
        ],
        names=[of, "probability"],
    )
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), values)


def _names(ranked: Ranked, places: npt.NDArray[np.intp]) -> pa.Array:
    return pa.array(ranked.names, pa.string()).take(pa.array(places))
