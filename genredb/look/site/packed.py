"""Packs a table for the browser: columns as small typed arrays, texts by their place in a sorted dictionary.

The bytes are: the length of the header (four bytes, little-endian), the header (JSON), then from the next
multiple of eight each column's array, each at a multiple of eight. The header has the number of rows and, per
column, ``name``, ``type`` (a NumPy code, little-endian), ``offset`` of its array and, for a text, its
``texts`` in order. A text's array holds the place in them from 1, and 0 where it is missing; an array of
integers the type's least value where one is missing; one of other numbers NaN. Numbers come back as they
went in (whole ones up to 2**53): they are eight bytes wide only if four would round one of them. A column
without any values is one of texts. ``assets/table.js`` reads it.
"""

import base64
import gzip
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from genredb.values import json_text

_ALIGNMENT = 8


def packed(columns: Mapping[str, Sequence[Any]]) -> str:
    """Return the columns, each of texts or of numbers, None where a value is missing, as base64 of gzip."""
    header: list[dict[str, Any]] = []
    arrays: list[bytes] = []
    offset = 0
    for name, values in columns.items():
        array, texts = _texts(values) if _is_text(values) else (_numbers(values), None)
        content = array.tobytes()
        entry = {"name": name, "type": array.dtype.str.lstrip("<|"), "offset": offset}
        header.append(entry if texts is None else entry | {"texts": texts})
        arrays.append(content + bytes(-len(content) % _ALIGNMENT))
        offset += len(arrays[-1])
    length = len(next(iter(columns.values()), ()))
    described = json_text({"length": length, "columns": header}).encode()
    front = len(described).to_bytes(4, "little") + described
    front += bytes(-len(front) % _ALIGNMENT)
    return zipped(front + b"".join(arrays))


def zipped(content: bytes) -> str:
    """Return bytes as base64 of gzip, which ``genredb.unpacked`` of ``assets/site.js`` reads."""
    return base64.b64encode(gzip.compress(content, 6, mtime=0)).decode()


def _is_text(values: Sequence[Any]) -> bool:
    found = next((value for value in values if value is not None), "")
    return isinstance(found, str)


def _texts(values: Sequence[str | None]) -> tuple[Any, list[str]]:
    """Return the place of each text in the dictionary, and the dictionary, in the order readers expect."""
    texts = sorted({value for value in values if value is not None}, key=lambda one: (one.casefold(), one))
    places: dict[str | None, int] = {text: place for place, text in enumerate(texts, start=1)}
    places[None] = 0
    return np.array([places[value] for value in values], dtype=_unsigned(len(texts))), texts


def _unsigned(most: int) -> str:
    return next(code for code, bits in (("<u1", 8), ("<u2", 16), ("<u4", 32)) if most < 1 << bits)


def _numbers(values: Sequence[Any]) -> Any:
    """Return whole numbers in the smallest type that has room for a missing one too, others as floats."""
    known = [value for value in values if value is not None]
    if all(isinstance(value, int) for value in known):
        least, most = min(known, default=0), max(known, default=0)
        for code, bits in (("<i1", 8), ("<i2", 16), ("<i4", 32)):
            missing = -(1 << (bits - 1))
            if missing < least and most < -missing:
                return np.array([missing if value is None else value for value in values], dtype=code)
    wide = np.array([np.nan if value is None else value for value in values], dtype="<f8")
    with np.errstate(over="ignore"):
        narrow = wide.astype("<f4")
    return narrow if np.array_equal(narrow, wide, equal_nan=True) else wide
