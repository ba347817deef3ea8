"""Writes a sample's two files in chunks, so that memory does not grow with the number of songs.

The same rows, seed and version give the same bytes.
"""

import csv
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from genredb.drafts import whole_file
from genredb.errors import UsageError
from genredb.songs.sample.songs import Row, SongMaker

TRAIN_FILE = "CS98XClassificationTrain.csv"
TEST_FILE = "CS98XClassificationTest.csv"
HEADER = "Id,title,artist,year,bpm,nrgy,dnce,dB,live,val,dur,acous,spch,pop".split(",")
LABEL = "top genre"
# Test songs per song of the training file, as in the competition.
TEST_SHARE = 113 / 453

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class SampleResult:
    """What was written; ``defects`` counts the rows that a loader must quarantine."""

    folder: Path
    train_rows: int
    test_rows: int
    defects: int


def write_sample(
    folder: Path, rows: int, seed: int = 0, *, defects: bool = False, progress: Progress | None = None
) -> SampleResult:
    """Write a training file of ``rows`` songs and a test file a quarter as large into ``folder``.

    With ``defects``, rows that must be quarantined are added to both. Raises UsageError for fewer than one
    row, or if the folder already contains such files.
    """
    if rows < 1:
        raise UsageError(f"--rows should be 1 or more, not {rows}")
    for name in (TRAIN_FILE, TEST_FILE):
        if (folder / name).exists():
            raise UsageError(f"{folder / name} already exists", cure="name another folder or remove it")
    folder.mkdir(parents=True, exist_ok=True)
    test_rows = max(1, round(rows * TEST_SHARE))
    maker = SongMaker(rows, seed)
    done = bad = 0
    files = ((TRAIN_FILE, [*HEADER, LABEL], 1, rows), (TEST_FILE, HEADER, rows + 1, test_rows))
    with ExitStack() as drafts:  # write both files or none
        for number, (name, header, first_id, count) in enumerate(files):
            draft = drafts.enter_context(whole_file(folder / name))
            with draft.open("w", encoding="utf-8", newline="") as file:
                writer = csv.writer(file, lineterminator="\n")
                writer.writerow(header)
                for chunk in maker.chunks(number, first_id, count):
                    writer.writerows(row[: len(header)] for row in chunk)
                    done += len(chunk)
                    if progress:
                        progress(done, rows + test_rows)
                if defects:
                    bad += _write_defects(file, len(header), first_id + count)
    return SampleResult(folder, rows, test_rows, bad)


def _write_defects(file: TextIO, fields: int, first_id: int) -> int:
    """Write one row of each kind that must be quarantined; return the number of rows."""
    good: Row = [0, "Broken Song", "The Defects", 1999, 120, 50, 50, -8, 10, 50, 200, 20, 5, 50, "pop"]
    good = good[:fields]
    changes: dict[str, list[object]] = {
        "Id": ["", "1.5", first_id - 1],
        "year": [20],
        "bpm": ["fast"],
        "nrgy": ["nan", 101],
        "dnce": ["1e999"],
        "dB": [300],
    }
    rows: list[Row] = []
    for column, values in changes.items():
        for value in values:
            row = [first_id + len(rows), *good[1:]]
            row[HEADER.index(column)] = value
            rows.append(row)
    rows.append([first_id + len(rows), *good[1:-3]])
    rows.append([first_id + len(rows), *good[1:], "extra"])
    csv.writer(file, lineterminator="\n").writerows(rows)
    rest = ",".join(map(str, good[2:]))
    file.write(f'{first_id + len(rows)},"Broken" Song,{rest}\n')
    file.write(f'{first_id + len(rows) + 1},"Never closed,{rest}\n')
    return len(rows) + 2
