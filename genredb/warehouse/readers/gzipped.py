"""Decompresses gzipped files to a temporary file, because the readers need a plain file."""

import contextlib
import gzip
import shutil
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from genredb.errors import InputError
from genredb.warehouse.connection import Connection
from genredb.warehouse.database import scratch_folder
from genredb.warehouse.rawfile import file_stamp, opened
from genredb.warehouse.readers.reading import Reading


@contextlib.contextmanager
def unpacked(connection: Connection, path: Path) -> Iterator[tuple[Path, Callable[[Reading], Reading]]]:
    """Yield the decompressed file, and a function that turns its Reading into one of the gzipped file.

    Raises InputError if the file is not gzip, damaged or incomplete.
    """
    stamp = file_stamp(path)
    with scratch_folder(connection) as folder:
        content = folder / "content"
        try:
            with opened(path) as packed, gzip.open(packed) as source, content.open("wb") as target:
                shutil.copyfileobj(source, target, 1 << 20)
        except EOFError:
            raise InputError(f"{path} ends before its gzip stream does", cure="download it again") from None
        except (gzip.BadGzipFile, zlib.error):
            cure = "download it again, or rename it if it is not compressed"
            raise InputError(f"{path} is not a gzip file, or is damaged", cure=cure) from None

        def as_packed(reading: Reading) -> Reading:
            found = replace(reading.found, size=stamp[1], stamp=stamp)
            return replace(reading, found=found)

        yield content, as_packed
