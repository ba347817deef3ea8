"""Keeps predictions on disk while many songs are predicted, so that a run that was killed can go on."""

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from genredb.drafts import whole_file
from genredb.songs.learn.scoring import SCHEMA


class ScoredParts:
    """The parts of a prediction that are done, in the order of the songs.

    They lie in a folder named after ``identity``, which stands for everything that they depend on. Parts of
    other predictions in ``folder`` are removed. ``songs`` counts those predicted.
    """

    def __init__(self, folder: Path, identity: str) -> None:
        self._own = folder / identity
        self._count = self.songs = 0
        for other in folder.iterdir() if folder.is_dir() else ():
            if other != self._own:
                shutil.rmtree(other, ignore_errors=True)
        while rows := _whole_rows(self._path(self._count)):
            self._count += 1
            self.songs += rows

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield the predictions that are done."""
        for number in range(self._count):
            yield from pq.ParquetFile(self._path(number)).iter_batches()

    def add(self, batches: Sequence[pa.RecordBatch]) -> None:
        """Write the next part: all of it or nothing."""
        self._own.mkdir(parents=True, exist_ok=True)
        with whole_file(self._path(self._count)) as draft:
            table = pa.Table.from_batches(batches)
            pq.write_table(table, draft, compression="zstd", write_page_checksum=True)
        self._count += 1

    def remove(self) -> None:
        """Remove all parts."""
        shutil.rmtree(self._own.parent, ignore_errors=True)

    def _path(self, number: int) -> Path:
        return self._own / f"{number:05}.parquet"


def _whole_rows(path: Path) -> int:
    """Return the number of a part's rows; 0 if it is missing or damaged."""
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            if file.schema_arrow != SCHEMA:
                return 0
            return sum(batch.num_rows for batch in file.iter_batches())
    except (OSError, pa.ArrowException):
        return 0
