"""Shortens the list of loaded files: a source may have thousands."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from genredb.warehouse.load import Load

MOST_FILES = 10  # of a source, each in a line of its own


def brief(loads: "Sequence[Load]") -> "list[Load]":
    """Return the loads, with those of a source as one if it has more than ``MOST_FILES`` files."""
    found: list[Load] = []
    for _, parts in groupby(loads, lambda load: load.source):
        files = list(parts)
        found += [_in_one(files)] if len(files) > MOST_FILES else files
    return found


def _in_one(files: "Sequence[Load]") -> "Load":
    from genredb.warehouse.load import joined

    ignored = dict.fromkeys(column for load in files for column in load.ignored_columns)
    name = f"{files[0].name} and {len(files) - 1:,} more"
    return replace(joined(files), name=name, ignored_columns=tuple(ignored))
