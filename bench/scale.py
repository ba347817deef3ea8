"""Times a project of many songs stage by stage, each beside the least that it could cost.

From synthetic songs it builds, predicts and exports, in turn with the plain script of the same SQL in a
fresh file (``bench.by_hand``: typed read_csv, models, checks), the same forest's predict_proba on plain
arrays, and DuckDB's COPY; with GENREDB_DBT set, dbt builds the same tables, too. Then records are added to
the training file, a hundredth of them, and a second build is held against the first. Each is a process of
its own. It prints CPU seconds, their ratio and the peak memory of each stage, and writes them as JSON.

    python -m bench.scale [--songs N]… [--runs N] [--memory-limit 1GB] [--until build] [--json FILE]
"""

import argparse
import csv
import io
import json
import math
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

from bench.by_hand import ByHand
from genredb.runner.project.config import Settings, read_config
from genredb.songs.sample.write import write_sample
from genredb.version import __version__
from genredb.warehouse.settings import Setting

ROOT = Path(__file__).parents[1]
TEST_SHARE = 4  # a sample's test file has a quarter of the songs of its training file
ADDED_SHARE = 0.01
TRAIN_FILE = "CS98XClassificationTrain.csv"
STAGES = ("build", "predict", "export")
LIMITS = (sys.executable, "-m", "bench.scale_limits")
# Stages of these kinds count as one.
_GROUPED = {"setup": "start", "load": "load", "seed": "seeds", "check": "checks", "test": "checks"}


@dataclass(frozen=True)
class Cost:
    """What a process or stage cost: seconds, and its peak memory in MiB."""

    wall: float
    cpu: float
    peak_mib: float


@dataclass(frozen=True)
class Row:
    """A stage of genredb beside what it is compared with, which may not have such a stage."""

    stage: str
    ours: Cost | None
    beside: Cost | None

    @property
    def cpu_ratio(self) -> float | None:
        """Our CPU seconds for each one of the other's."""
        return self.ours.cpu / self.beside.cpu if self.ours and self.beside and self.beside.cpu else None

    @property
    def wall_ratio(self) -> float | None:
        """The same of wall seconds."""
        return self.ours.wall / self.beside.wall if self.ours and self.beside and self.beside.wall else None


Costs = dict[str, Cost]


def run(command: Sequence[str | Path], folder: Path = ROOT) -> Costs:
    """Run a command; return the cost of each stage that it prints as JSON, and of the whole as ``total``."""
    started = time.perf_counter()
    with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as failed:
        process = subprocess.Popen(command, cwd=folder, stdout=said, stderr=failed)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        failed.seek(0)
        if process.returncode:
            told = (said.read() + failed.read()).decode()
            raise SystemExit(f"{' '.join(map(str, command))} failed: {told}")
        lines = said.read().decode().splitlines()
    costs: Costs = {}
    for name, *cost in json.loads(lines[-1]) if lines and lines[-1].startswith("[[") else ():
        stage = _stage(name)
        costs[stage] = _sum(costs.get(stage), Cost(*cost))
    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
    # Asking for the peak of a stage resets that of the process.
    peak = max([usage.ru_maxrss / unit, *(cost.peak_mib for cost in costs.values())])
    costs["total"] = Cost(wall, usage.ru_utime + usage.ru_stime, peak)
    return costs


def _stage(name: str) -> str:
    kind, _, label = name.partition(" ")
    return _GROUPED.get(kind, label if kind == "model" else name)


def _sum(one: Cost | None, other: Cost) -> Cost:
    if one is None:
        return other
    return Cost(one.wall + other.wall, one.cpu + other.cpu, max(one.peak_mib, other.peak_mib))


class Bench:
    """The commands for one number of songs; they work in ``folder``."""

    def __init__(self, folder: Path, songs: int, arguments: argparse.Namespace) -> None:
        raw, hand = folder / "raw", folder / "hand"
        labelled = math.ceil(songs * TEST_SHARE / (TEST_SHARE + 1))
        write_sample(raw, labelled)
        self._train = raw / TRAIN_FILE
        self._added = _records(folder / "more", math.ceil(labelled * ADDED_SHARE), labelled)
        hand.mkdir()
        limits = Settings(
            ROOT,
            raw_dir=raw,
            database=hand / "genre.duckdb",
            memory_limit=arguments.memory_limit,
            threads=arguments.threads,
        )
        self._config = read_config(limits)
        self._folder = folder
        self._by_hand = ByHand(self._config, hand)
        self._database = folder / "genre.duckdb"
        stated = {"memory-limit": arguments.memory_limit, "threads": arguments.threads}
        self._limits = [f"--{name}={value}" for name, value in stated.items() if value]
        self._until = STAGES.index(arguments.until)

    def take(self) -> dict[str, tuple[Costs, Costs]]:
        """Take every stage in turn; return our costs and those beside them, by what was run."""
        place = [f"--project-dir={ROOT}", f"--raw-dir={self._config.raw_dir}", f"--database={self._database}"]
        for path in (self._database, self._config.database):
            path.unlink(missing_ok=True)
        by_hand = run(self._by_hand.command)
        build = [sys.executable, "-m", "bench.scale_build", *place, *self._limits]
        built = run(build)
        found = {"build": (built, by_hand)}
        if dbt := os.environ.get("GENREDB_DBT"):
            found["build beside dbt"] = ({"total": built["total"]}, self._dbt(dbt))
        genredb = [sys.executable, "-m", "genredb"]
        if self._until >= STAGES.index("predict"):
            bare = run([*LIMITS, "predict", self._database])
            found["predict"] = (run([*genredb, "predict", *place, *self._limits]), bare)
        if self._until >= STAGES.index("export"):
            bare = run([*LIMITS, "export", self._database, self._folder / "copied.csv"])
            ours = [*genredb, "export", "submission", "--force", *place]
            found["export"] = (run([*ours, "-o", self._folder / "submission.csv"]), bare)
        found["second build, 1 % added, beside the first"] = (self._build_with_more(build), built)
        return found

    def _build_with_more(self, build: Sequence[str | Path]) -> Costs:
        """Build after records were added to the training file, which is then as before."""
        size = self._train.stat().st_size
        with self._train.open("a", encoding="utf-8", newline="") as file:
            file.write(self._added)
        costs = run(build)
        os.truncate(self._train, size)
        return costs

    def _dbt(self, dbt: str) -> Costs:
        """Let dbt build the same models on tables that the script by hand loads."""
        folder = self._folder / "dbt"
        shutil.rmtree(folder, ignore_errors=True)
        for part in ("sql", "data/seeds"):
            shutil.copytree(ROOT / part, folder / part)
        shutil.copy(ROOT / "dbt_project.yml", folder)
        output = {"type": "duckdb", "path": "genre.duckdb", "schema": "main"}
        settings = {one.name: one.value for one in self._config.engine if isinstance(one, Setting)}
        profile = {"genredb": {"target": "dev", "outputs": {"dev": output | {"settings": settings}}}}
        (folder / "profiles.yml").write_text(json.dumps(profile))
        loads = run(self._by_hand.load_command(folder / "genre.duckdb"))
        built = run([dbt, "build"], folder)
        return {"total": _sum(loads["total"], built["total"])}


def _records(folder: Path, count: int, last: int) -> str:
    """Return the records of further songs, numbered from ``last``."""
    write_sample(folder, count, seed=1)
    with (folder / TRAIN_FILE).open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))[1:]
    text = io.StringIO()
    numbered = ([last + number, *row[1:]] for number, row in enumerate(rows, start=1))
    csv.writer(text, lineterminator="\n").writerows(numbered)
    return text.getvalue()


def measure(songs: int, arguments: argparse.Namespace) -> dict[str, list[Row]]:
    """Measure one number of songs; of several runs the medians."""
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        bench = Bench(Path(name), songs, arguments)
        runs = [bench.take() for _ in range(arguments.runs)]
    return {what: _rows([taken[what] for taken in runs]) for what in runs[0]}


def _rows(runs: Sequence[tuple[Costs, Costs]]) -> list[Row]:
    sides = [
        {stage: _median([run[side][stage] for run in runs]) for stage in runs[0][side]} for side in (0, 1)
    ]
    stages = [stage for stage in {**sides[0], **sides[1]} if stage != "total"] + ["total"]
    return [Row(stage, sides[0].get(stage), sides[1].get(stage)) for stage in stages]


def _median(costs: Sequence[Cost]) -> Cost:
    middle = [statistics.median(values) for values in zip(*(asdict(c).values() for c in costs), strict=True)]
    return Cost(*middle)


def show(songs: int, found: Mapping[str, Sequence[Row]]) -> None:
    """Print the stages that cost anything."""
    for what, rows in found.items():
        print(f"\n{songs:,} songs, {what}")
        print(f"{'':<28}{'cpu s':>9}{'beside':>9}{'cpu ×':>9}{'wall ×':>9}{'peak MiB':>10}{'beside':>10}")
        for row in rows:
            cells = [f"{cost.cpu:9.2f}" if cost else f"{'':9}" for cost in (row.ours, row.beside)]
            cells += [f"{ratio:9.2f}" if ratio else f"{'':9}" for ratio in (row.cpu_ratio, row.wall_ratio)]
            cells += [f"{cost.peak_mib:10.0f}" if cost else f"{'':10}" for cost in (row.ours, row.beside)]
            print(f"{row.stage:<28}{''.join(cells)}".rstrip())


def machine(*libraries: str) -> dict[str, object]:
    """Return what the figures depend on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20
    packages = {name: version(name) for name in libraries}
    system = f"{platform.system()} on {platform.machine()}"
    hardware = {"system": system, "cores": os.cpu_count(), "memory_mib": memory}
    return {**hardware, "python": platform.python_version(), "genredb": __version__, **packages}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--songs", type=int, action="append", help="number of songs, labelled or not")
    parser.add_argument("--runs", type=int, default=1, help="number of runs of each, in turn")
    parser.add_argument("--memory-limit", help="DuckDB's memory limit, by hand as well")
    parser.add_argument("--threads", type=int, help="DuckDB's threads, by hand as well")
    parser.add_argument("--until", choices=STAGES, default=STAGES[-1], help="the last stage")
    parser.add_argument("--folder", type=Path, help="where to work; ten million songs take 10 GB")
    parser.add_argument("--json", type=Path, help="file to write the figures to")
    arguments = parser.parse_args()
    results = []
    for songs in arguments.songs or (566,):
        found = measure(songs, arguments)
        show(songs, found)
        rows = {
            what: [asdict(row) | {"cpu_ratio": row.cpu_ratio, "wall_ratio": row.wall_ratio} for row in rows]
            for what, rows in found.items()
        }
        results.append({"songs": songs, "memory_limit": arguments.memory_limit, "found": rows})
    if arguments.json:
        told = {"machine": machine("duckdb", "scikit-learn"), "results": results}
        arguments.json.write_text(json.dumps(told, indent=1))


if __name__ == "__main__":
    main()
