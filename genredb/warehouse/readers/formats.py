"""The formats of raw files. To add one, write a module with ``read`` and add an entry to FORMATS."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from genredb.warehouse.connection import Connection
    from genredb.warehouse.readers.reading import Reading

GZIP_SUFFIX = ".gz"


@dataclass(frozen=True)
class SourceFormat:
    """A format: its file name suffixes, the module that reads it, whether its files may be gzipped.

    ``has_records_at_end`` means that a file to which records are added keeps its bytes.
    """

    name: str
    suffixes: tuple[str, ...]
    module: str
    may_be_gzipped: bool = False
    has_records_at_end: bool = False


CSV = SourceFormat(
    "CSV", (".csv",), "genredb.warehouse.readers.csv", may_be_gzipped=True, has_records_at_end=True
)
FORMATS = (
    CSV,
    SourceFormat("Parquet", (".parquet",), "genredb.warehouse.readers.parquet"),
    SourceFormat(
        "JSON lines",
        (".jsonl", ".ndjson"),
        "genredb.warehouse.readers.json_lines",
        may_be_gzipped=True,
        has_records_at_end=True,
    ),
)
SUFFIXES = tuple(
    suffix + end
    for one in FORMATS
    for suffix in one.suffixes
    for end in (("", GZIP_SUFFIX) if one.may_be_gzipped else ("",))
)


def suffix_of(name: str) -> str:
    """Return the suffix of a file name that tells its format, as written; empty if there is none."""
    length = max((len(one) for one in SUFFIXES if name.lower().endswith(one)), default=0)
    return name[len(name) - length :]


def stem_of(name: str) -> str:
    """Return a file name without the suffix that tells its format or, if none does, any other suffix."""
    return name.removesuffix(suffix_of(name) or PurePath(name).suffix)


def format_of(name: str) -> SourceFormat:
    """Return the format that a file name tells by its suffix; CSV if none does."""
    plain = suffix_of(name).lower().removesuffix(GZIP_SUFFIX)
    return next((one for one in FORMATS if plain in one.suffixes), CSV)


def may_be_continued(name: str) -> bool:
    """Return True if records can be added to a file of this name without changing its bytes."""
    return format_of(name).has_records_at_end and not suffix_of(name).lower().endswith(GZIP_SUFFIX)


def may_be_cut(name: str) -> bool:
    """Return True if a file of this name can be loaded in parts: plain CSV."""
    return format_of(name) is CSV and may_be_continued(name)


@contextlib.contextmanager
def opened_source(connection: "Connection", path: Path, separator: str | None) -> "Iterator[Reading]":
    """Survey a raw file and yield a Reading of it; a separator of None is detected.

    Raises InputError if the file is not in the format that its name tells.
    """
    read = import_module(format_of(path.name).module).read
    if suffix_of(path.name).lower().endswith(GZIP_SUFFIX):
        from genredb.warehouse.readers.gzipped import unpacked  # noqa: PLC0415 - few files are

        with unpacked(connection, path) as (plain, as_packed):
            yield as_packed(read(connection, plain, path, separator))
    else:
        yield read(connection, path, path, separator)
