"""Reads songs from a DataFrame of the user's, whose columns may be of any order, case and type."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from genredb.errors import InputError
from genredb.songs.learn.dataset import Songs, songs_of

_ARTIST_COLUMNS = ("artist", "artist_key")  # the first one present is used


def songs_of_frame(frame: pd.DataFrame, features: Sequence[str]) -> Songs:
    """Return the songs of n rows from the columns ``features`` and ``artist`` (or ``artist_key``).

    Other columns are ignored, and values may be missing. InputError if a column is missing, stands twice or
    does not hold finite numbers.
    """
    if not isinstance(frame, pd.DataFrame):
        raise InputError(f"The songs should be a pandas DataFrame, not a {type(frame).__name__}")
    by_name: dict[str, pd.Series[Any]] = {}
    for column in frame.columns:
        name = str(column).lower()
        if name in by_name and name in (*features, *_ARTIST_COLUMNS):
            raise InputError(f"The songs have two columns called '{name}'")
        by_name[name] = frame[column]
    artists = [by_name[name] for name in _ARTIST_COLUMNS if name in by_name]
    missing = [] if artists else ["artist"]
    missing += [name for name in features if name not in by_name]
    if missing:
        raise InputError(f"The songs have no column '{missing[0]}'", name=missing[0], choices=by_name)
    keys = artists[0].astype("string").str.strip().str.lower().fillna("").to_numpy(dtype=object)
    return songs_of(keys, [_numbers(name, by_name[name]) for name in features], tuple(features))


def _numbers(name: str, column: "pd.Series[Any]") -> Any:
    if column.dtype.kind not in "biufO":
        raise InputError(f"The column '{name}' should hold numbers, not {column.dtype}")
    try:
        values = pd.to_numeric(column).to_numpy(dtype=float, na_value=float("nan"))
    except (ValueError, TypeError) as error:
        raise InputError(f"The column '{name}' should hold numbers: {error}") from None
    if np.isinf(values).any():
        raise InputError(f"The column '{name}' should hold finite numbers")
    return values
