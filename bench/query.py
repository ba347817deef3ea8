"""Times `genredb query` against plain DuckDB, and `predict_genre` against the classifier itself.

A count in a separate process against a Python script that does the same; ten million rows as CSV against
DuckDB's own COPY, with peak memory; the SQL function on songs against `predict_proba` on an array of them.

    python -m bench.query [--raw-dir FOLDER] [--runs N] [--rows N] [--copies N]
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from bench.projects import raw_folder
from bench.timing import Timing, paired, report, timed
from genredb.ask.functions import register_functions
from genredb.runner.build import build
from genredb.runner.project.config import Config, Settings, read_config
from genredb.songs.extension import SONGS
from genredb.songs.learn.store import load_current
from genredb.songs.predict import predict
from genredb.warehouse.database import connect_read_only

ROOT = Path(__file__).parents[1]
_WATCH = """
import os, subprocess, sys
process = subprocess.Popen(sys.argv[1:])
_, status, usage = os.wait4(process.pid, 0)
print(usage.ru_utime + usage.ru_stime, usage.ru_maxrss, file=sys.stderr)
sys.exit(os.waitstatus_to_exitcode(status))
"""


def count(config: Config, runs: int) -> None:
    """Time the shortest query."""
    sql = "select count(*) from songs"
    script = f"import duckdb; print(duckdb.connect({str(config.database)!r}, read_only=True).sql({sql!r}))"
    steps = {
        "python, duckdb": lambda: timed([sys.executable, "-c", script]),
        "genredb query": lambda: timed(_query(config, sql)),
    }
    report(sql, paired(runs, steps), "python, duckdb")


def stream(config: Config, rows: int, runs: int, folder: Path) -> None:
    """Time the output of many rows as CSV, and report the memory used."""
    sql = f"select range as id, 'song ' || range as title, range * 0.5 as share from range({rows})"
    target = folder / "rows.csv"
    script = f"import duckdb; duckdb.sql('''copy ({sql}) to '{target}' (header)''')"

    peaks = []

    def ours() -> Timing:
        with target.open("wb") as file:
            timing, peak = _timed_into(
                file.fileno(), [*_query(config, sql), "--format", "csv", "--timeout", "0"]
            )
        peaks.append(peak)
        return timing

    steps = {"duckdb copy": lambda: timed([sys.executable, "-c", script]), "genredb query": ours}
    report(f"{rows:,} rows to CSV", paired(runs, steps), "duckdb copy")
    print(f"peak of memory of genredb query: {max(peaks) >> 10} MiB")


def _timed_into(output: int, command: list[str]) -> tuple[Timing, int]:
    """Run a command; return its times and its peak memory in KiB.

    A small process in between measures it, since a direct child would start at this process's peak.
    """
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-c", _WATCH, *command], stdout=output, stderr=subprocess.PIPE
    )
    _, said = process.communicate()
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} failed: {said.decode()}")
    cpu, peak = said.split()[-2:]
    return (time.perf_counter() - started, float(cpu)), int(peak)


def functions(config: Config, copies: int, runs: int) -> None:
    """Time the SQL function against the classifier on an array of the same songs, in one process."""
    columns = "year, bpm, nrgy, dnce, db, live, val, dur, acous, spch, pop"
    connection = connect_read_only(config.database, locked=True)
    register_functions(connection, config.home)
    fitted = load_current(connection, config.home)
    connection.execute(
        f"create temp table many as select null::varchar as artist_key, {columns}"
        f" from songs cross join range({copies})"
    )
    found: list[Any] = list(connection.arrays(f"select {columns} from many").values())
    values = [np.asarray(np.ma.filled(column.astype(float), np.nan)) for column in found]
    songs = np.column_stack([np.full(len(values[0]), np.nan), *values])
    ratios = []
    for _ in range(runs + 1):
        started = time.perf_counter()
        fitted.estimator.predict_proba(songs)
        between = time.perf_counter()
        connection.rows("select count(predict_genre(many)) from many")
        ratios.append((between - started) / (time.perf_counter() - between))
    print(
        f"\n{len(songs):,} songs by predict_genre: {statistics.median(ratios[1:]):.2f}"
        " × the throughput of predict_proba"
    )


def _query(config: Config, sql: str) -> list[str]:
    return [sys.executable, "-m", "genredb", "query", sql, "--database", str(config.database)]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--raw-dir", type=Path, help="folder of CSVs to use instead of synthetic ones")
    parser.add_argument("--runs", type=int, default=7, help="number of measured runs")
    parser.add_argument("--rows", type=int, default=10_000_000, help="rows to write as CSV")
    parser.add_argument(
        "--copies", type=int, default=1_000, help="copies of the songs that predict_genre is asked"
    )
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        raw_dir = raw_folder(arguments.raw_dir, folder)
        config = read_config(Settings(ROOT, raw_dir=raw_dir, database=folder / "genre.duckdb"))
        build(config, extension=SONGS)
        predict(config)
        count(config, arguments.runs)
        stream(config, arguments.rows, max(1, arguments.runs // 2), folder)
        functions(config, arguments.copies, arguments.runs)


if __name__ == "__main__":
    main()
