"""Times commands as whole processes, in turn, and prints them beside the first one."""

import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

Timing = tuple[float, float]


def timed(command: Sequence[str | Path], folder: Path | None = None) -> Timing:
    """Run a command; return its wall and cpu seconds, those of its children included."""
    started = time.perf_counter()
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=said)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        message = said.read()
    if process.returncode:
        raise SystemExit(f"{' '.join(map(str, command))} failed: {message.decode()}")
    return wall, usage.ru_utime + usage.ru_stime


def paired(runs: int, steps: Mapping[str, Callable[[], Timing]]) -> dict[str, list[Timing]]:
    """Take each step in turn, ``runs`` times after one time that does not count."""
    timings: dict[str, list[Timing]] = {name: [] for name in steps}
    for run in range(runs + 1):
        for name, step in steps.items():
            found = step()
            if run:
                timings[name].append(found)
    return timings


def report(title: str, timings: Mapping[str, Sequence[Timing]], beside: str) -> None:
    """Print medians of the seconds, and medians of the ratios to ``beside``, pair by pair."""
    width = max(map(len, timings)) + 2
    print(f"\n{title}\n{'':<{width}}{'wall s':>9}{'cpu s':>9}{'wall ×':>9}{'cpu ×':>9}")
    for name, runs in timings.items():
        wall, cpu = (statistics.median(run[i] for run in runs) for i in (0, 1))
        pairs = list(zip(runs, timings[beside], strict=True))
        ratios = [statistics.median(run[i] / other[i] for run, other in pairs) for i in (0, 1)]
        print(f"{name:<{width}}{wall:>9.3f}{cpu:>9.3f}{ratios[0]:>9.3f}{ratios[1]:>9.3f}")
