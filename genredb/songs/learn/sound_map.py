"""A map of the songs by their sound: songs that sound alike lie near each other (t-SNE)."""

import numpy as np
from sklearn.manifold import TSNE
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from genredb.songs.learn.scores import Floats

LANDMARKS = 1_000  # above as many songs, the others are placed among these
NEIGHBOURS = 5  # landmarks that place a song
_PERPLEXITY = 30.0
_ITERATIONS = 500


def place_by_sound(numbers: Floats) -> Floats:
    """Return the places of n songs on the map, n × 2, from their audio columns, n × c.

    Missing values count as the column's median, and values beyond the first and last percentile as these.
    The same numbers give the same places. Of more than 1,000 songs, an even choice of 1,000 in their order
    is laid out, and each other song lies among the five that sound most like it.
    """
    sounds = _standardized(numbers)
    if len(np.unique(sounds, axis=0)) < 3:  # too few for a layout; of equal songs alone, t-SNE would crash
        return np.column_stack([sounds[:, :1].sum(axis=1), np.zeros(len(sounds))])
    chosen = np.unique(np.linspace(0, len(sounds) - 1, min(len(sounds), LANDMARKS)).astype(int))
    landmarks = sounds[chosen]
    with threadpool_limits(1):  # a second thread makes it many times slower, and the result depend on it
        layout = TSNE(
            perplexity=min(_PERPLEXITY, (len(landmarks) - 1) / 3),
            init="pca",
            max_iter=_ITERATIONS,
            random_state=0,
            n_jobs=1,
        )
        places: Floats = layout.fit_transform(landmarks).astype(np.float64)
    return places if len(chosen) == len(sounds) else _among(landmarks, places, sounds)


def _standardized(numbers: Floats) -> Floats:
    """Return the columns that have values, filled, clipped, with mean 0 and deviation 1."""
    known = numbers[:, ~np.isnan(numbers).all(axis=0)]
    if not known.size:
        return np.zeros((len(numbers), 1))
    low, middle, high = np.nanpercentile(known, [1, 50, 99], axis=0)
    clipped = np.clip(np.where(np.isnan(known), middle, known), low, high)
    standardized: Floats = StandardScaler().fit_transform(clipped)
    return standardized


def _among(landmarks: Floats, places: Floats, sounds: Floats) -> Floats:
    """Place each song at the mean of its nearest landmarks, the nearer the heavier."""
    distances, nearest = NearestNeighbors(n_neighbors=NEIGHBOURS).fit(landmarks).kneighbors(sounds)
    weights = 1 / np.maximum(distances, 1e-9)
    weights /= weights.sum(axis=1, keepdims=True)
    placed: Floats = (places[nearest] * weights[:, :, np.newaxis]).sum(axis=1)
    return placed
