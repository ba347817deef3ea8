"""Times an edit of songs.sql under `genredb build --watch` against a manual `genredb build` after it.

The watcher is one process; counted is the cpu that it takes from the edit to the published state, looking
for edits included. By hand it is a process of its own, start-up included. Both build the same nodes.

    python -m bench.watch [--raw-dir FOLDER] [--runs N]
"""

import argparse
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench.projects import raw_folder
from bench.timing import Timing, paired, report, timed

ROOT = Path(__file__).parents[1]
_JOIN = "on stg_songs.genre = stg_genres.genre"
_TICK = os.sysconf("SC_CLK_TCK")


class Project:
    """A copy of the songs project, to be edited."""

    def __init__(self, folder: Path) -> None:
        for name in ("sql", "data/seeds"):
            shutil.copytree(ROOT / name, folder / name)
        for name in ("dbt_project.yml", "profiles.yml"):
            shutil.copy(ROOT / name, folder)
        self.folder = folder
        self.database = folder / "genre.duckdb"
        self._songs = folder / "sql" / "models" / "marts" / "songs.sql"
        self._text = self._songs.read_text()
        self._edits = 0

    def edit(self) -> None:
        """Change songs.sql, so that it and all that reads it must be built; its rows stay the same."""
        self._edits += 1
        self._songs.write_text(self._text.replace(_JOIN, f"{_JOIN} and {self._edits} = {self._edits}"))


def measure(raw_dir: Path, folder: Path, runs: int) -> dict[str, list[Timing]]:
    """Time the edits, in turn in a watched project and in one that is built manually."""
    build = [sys.executable, "-m", "genredb", "build", "--raw-dir", str(raw_dir)]
    by_hand, watched = Project(folder / "hand"), Project(folder / "watched")
    for project in (by_hand, watched):
        timed(build, project.folder)

    def hand() -> Timing:
        by_hand.edit()
        return timed(build, by_hand.folder)

    def no_op() -> Timing:
        return timed(build, by_hand.folder)

    with _watching([*build, "--watch"], watched) as watcher:

        def edited() -> Timing:
            before, started, cpu = watched.database.stat().st_ino, time.perf_counter(), _cpu(watcher)
            watched.edit()
            while watched.database.stat().st_ino == before:
                time.sleep(0.005)
            wall = time.perf_counter() - started
            _until_idle(watcher)  # its last words, and the receipt
            return wall, _cpu(watcher) - cpu

        return paired(runs, {"genredb build": hand, "no-op": no_op, "build --watch": edited})


@contextlib.contextmanager
def _watching(command: list[str], project: Project) -> Iterator[int]:
    """Give the process id of a watcher that has built and waits."""
    said = project.folder / "said.txt"
    with (
        said.open("w") as stream,
        subprocess.Popen(command, cwd=project.folder, stderr=stream) as watcher,
    ):
        try:
            while "Watching for edits" not in said.read_text():
                if watcher.poll() is not None:
                    raise SystemExit(f"the watcher ended: {said.read_text()}")
                time.sleep(0.1)
            yield watcher.pid
        finally:
            watcher.terminate()


def _until_idle(process: int) -> None:
    """Wait until a process takes almost no cpu for half a second."""
    last = -1.0
    while (now := _cpu(process)) - last > 2 / _TICK:
        last = now
        time.sleep(0.5)


def _cpu(process: int) -> float:
    """Return the cpu seconds that a process and its dead children took."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / _TICK


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--raw-dir", type=Path, help="folder of CSVs to use instead of synthetic ones")
    parser.add_argument("--runs", type=int, default=7, help="edits that count")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        raw_dir = raw_folder(arguments.raw_dir, folder)
        timings = measure(raw_dir, folder, arguments.runs)
        report("an edit of songs.sql", timings, "genredb build")


if __name__ == "__main__":
    main()
