"""Reads feature views into arrays, always in the same order: a forest's answers depend on it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from genredb.project.nodes import Model
from genredb.warehouse.database import Connection, quote

_ORDER = "order by source, id"


@dataclass(frozen=True)
class Songs:
    """Songs as arrays of equal length n.

    ``features`` is n × f, in the units of the columns, NaN where a value is missing; ``artists`` holds
    artist keys ("" where unknown); ``labels`` is empty for songs to predict.
    """

    keys: npt.NDArray[np.object_]
    artists: npt.NDArray[np.object_]
    features: npt.NDArray[np.float64]
    labels: npt.NDArray[np.object_]
    feature_names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.keys)

    def __getitem__(self, rows: Any) -> "Songs":
        """Return the songs at ``rows`` (a mask or indices)."""
        labels = self.labels[rows] if len(self.labels) else self.labels
        return Songs(self.keys[rows], self.artists[rows], self.features[rows], labels, self.feature_names)


def read_songs(connection: Connection, view: Model, label: str | None = None) -> Songs:
    """Read a whole feature view; ``label`` names its column of role label, if it has one."""
    names = view.columns_of("feature")
    columns = connection.execute(_select(view.name, names, label)).fetchnumpy()
    return _songs(columns, names, label)


def stream_songs(connection: Connection, view: Model, batch_rows: int) -> Iterator[Songs]:
    """Read a feature view in Arrow batches of at most ``batch_rows`` songs, in flat memory."""
    names = view.columns_of("feature")
    # A cursor of its own: an unfinished result blocks its connection.
    with connection.cursor() as cursor:
        for batch in cursor.sql(_select(view.name, names, None)).to_arrow_reader(batch_rows):
            columns = {name: batch.column(name).to_numpy(zero_copy_only=False) for name in batch.schema.names}
            yield _songs(columns, names, None)


def _select(view: str, names: Sequence[str], label: str | None) -> str:
    features = ", ".join(f"{quote(name)}::double as {quote(name)}" for name in names)
    labels = f", {quote(label)} as label" if label else ""
    return (
        f"select song_key, coalesce(artist_key, '') as artist_key, {features}{labels}"
        f" from features.{quote(view)} {_ORDER}"
    )


def _songs(columns: dict[str, Any], names: tuple[str, ...], label: str | None) -> Songs:
    features = [np.ma.filled(np.ma.asarray(columns[name], dtype=np.float64), np.nan) for name in names]
    keys = np.asarray(columns["song_key"], dtype=object)
    return Songs(
        keys=keys,
        artists=np.asarray(columns["artist_key"], dtype=object),
        features=np.column_stack(features) if len(keys) else np.empty((0, len(names))),
        labels=np.asarray(columns["label"], dtype=object) if label else np.empty(0, dtype=object),
        feature_names=names,
    )
