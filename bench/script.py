"""The plain DuckDB script itself: runs statements on a database file, without importing genredb.

    python bench/script.py DATABASE STATEMENTS [SETTINGS]

STATEMENTS is a JSON file of [kind, label, sql], SETTINGS a JSON object of DuckDB's settings. The script
checkpoints, closes and flushes the file, and prints what each statement cost as JSON.
"""

import json
import os
import re
import resource
import sys
import time
from pathlib import Path

Lap = tuple[str, float, float, float]
_CLEAR, _STATUS = Path("/proc/self/clear_refs"), Path("/proc/self/status")


class Laps:
    """The stages of this process: a name, wall seconds, CPU seconds and peak memory in MiB of each.

    Elsewhere than on Linux, the peak is that of the process until then.
    """

    def __init__(self) -> None:
        self.done: list[Lap] = []
        self._wall, self._cpu = time.perf_counter() - time.process_time(), 0.0

    def end(self, name: str) -> None:
        """End a stage, which began at the end of the one before."""
        wall, cpu = time.perf_counter(), time.process_time()
        self.done.append((name, wall - self._wall, cpu - self._cpu, _peak()))
        self._wall, self._cpu = wall, cpu


def _peak() -> float:
    """Return the peak memory in MiB since this was last asked."""
    try:
        found = re.search(r"VmHWM:\s+(\d+) kB", _STATUS.read_text())
        _CLEAR.write_text("5")
    except OSError:
        found = None
    if found:
        return int(found[1]) / 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def main(database: str, listing: str, settings: str = "{}") -> None:
    """Run the statements."""
    laps = Laps()
    import duckdb  # noqa: PLC0415 - its import is part of the first stage

    connection = duckdb.connect(database, config=json.loads(settings))
    laps.end("start")
    for kind, label, sql in json.loads(Path(listing).read_text()):
        rows = connection.execute(sql).fetchall()
        laps.end(f"{kind} {label}")
        if kind == "check" and rows:
            sys.exit(f"failing: {sql}")
    connection.execute("checkpoint")
    connection.close()
    handle = os.open(database, os.O_RDONLY)
    os.fsync(handle)
    laps.end("publish")
    print(json.dumps(laps.done))


if __name__ == "__main__":
    main(*sys.argv[1:])
