"""Builds and predicts synthetic songs on Spark with some numbers of slots, beside DuckDB on two threads.

For each it prints wall and CPU seconds (Java and Python workers included), and what Spark's tasks sent to
each other (shuffle) and spilled to disk. The predictions of both engines are compared.

    python -m bench.spark [--songs N]… [--slots N]… [--json FILE]
"""

import argparse
import json
import math
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.scale import machine
from genredb.ask.pull import pull
from genredb.runner.build import build
from genredb.runner.project.config import Config, Settings, read_config
from genredb.songs.extension import SONGS
from genredb.songs.predict import predict
from genredb.songs.predict_on_spark import predict_on_spark
from genredb.songs.sample.write import write_sample
from genredb.spark.engine import SparkEngine
from genredb.spark.session import start_session
from genredb.warehouse.pair import AFTER, BEFORE, open_pair

ROOT = Path(__file__).parents[1]
TEST_SHARE = 4  # a sample's test file has a quarter of the songs of its training file
MIB = 1 << 20


@dataclass(frozen=True)
class Cost:
    """What a stage cost: seconds; tasks and MiB on Spark."""

    stage: str
    wall: float
    cpu: float
    tasks: int = 0
    shuffled: int = 0
    spilled: int = 0


def config_of(raw: Path, database: Path, engine: str) -> Config:
    return read_config(Settings(ROOT, raw_dir=raw, database=database, engine=engine))


def on_duckdb(raw: Path, database: Path) -> Iterator[Cost]:
    """Build and predict on DuckDB."""
    config = config_of(raw, database, "duckdb")
    stages: dict[str, Callable[[], object]] = {
        "build": lambda: build(config, extension=SONGS),
        "predict": lambda: predict(config),
    }
    for stage, do in stages.items():
        started, before = time.perf_counter(), _cpu()
        do()
        yield Cost(stage, time.perf_counter() - started, _cpu() - before)


def on_spark(raw: Path, database: Path, slots: int) -> Iterator[Cost]:
    """Build and predict on Spark, each in a session of its own, so that all that it costs is counted."""
    config = config_of(raw, database, "spark")
    stages: dict[str, Callable[[], object]] = {
        "build": lambda: build(config, extension=SONGS, engine=SparkEngine(config)),
        "predict": lambda: predict_on_spark(config),
    }
    for stage, do in stages.items():
        started, before = time.perf_counter(), _cpu()
        session = start_session(f"local[{slots}]", {})
        do()
        found = _counted(session)
        _end(session)
        yield Cost(stage, time.perf_counter() - started, _cpu() - before, **found)


def _end(session: Any) -> None:
    """End a session and its Java process, so that the next one starts from nothing."""
    owner: Any = type(session.sparkContext)
    session.stop()
    owner._gateway.proc.stdin.close()
    owner._gateway.proc.wait()
    owner._gateway = owner._jvm = None


def _cpu() -> float:
    """Return the CPU seconds of this process and of those that it has waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def _counted(session: Any) -> dict[str, int]:
    """Return what the tasks of a session did, from Spark's own statistics."""
    context = session.sparkContext
    none = context._jvm.java.util.ArrayList()
    quantiles = context._gateway.new_array(context._jvm.double, 0)
    stages = context._jsc.sc().statusStore().stageList(none, False, False, quantiles, none)
    found = [stages.apply(number) for number in range(stages.size())]
    return {
        "tasks": sum(one.numCompleteTasks() for one in found),
        "shuffled": sum(one.shuffleWriteBytes() for one in found) // MIB,
        "spilled": sum(one.diskBytesSpilled() for one in found) // MIB,
    }


def differing(duck: Path, pulled: Path) -> int:
    """Return how many predictions of two databases are not the same, floats within 1e-12."""
    sql = f"""
        select count(*)
        from {BEFORE}.ml.predictions as one
        full join {AFTER}.ml.predictions as other on one.song_key = other.song_key
        where
            (one.genre, one.genre_group, one.basis)
            is distinct from (other.genre, other.genre_group, other.basis)
            or abs(one.probability - other.probability) > 1e-12
        """
    with open_pair(duck, pulled) as connection:
        return int(connection.rows(sql)[0][0])


def run(*arguments: object) -> list[Cost]:
    """Run one engine in a process of its own; return what its stages cost."""
    command = [sys.executable, "-m", "bench.spark", *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    return [Cost(**one) for one in json.loads(done.stdout.splitlines()[-1])]


def measure(folder: Path, songs: int, all_slots: Sequence[int]) -> dict[str, list[Cost]]:
    """Measure one number of songs with DuckDB and with each number of slots; print it."""
    write_sample(folder / "raw", math.ceil(songs * TEST_SHARE / (TEST_SHARE + 1)))
    found: dict[str, list[Cost]] = {}
    print(f"\n{songs:,} songs")
    print("engine     stage     wall s    cpu s   tasks  shuffled  spilled  (MiB)")
    for slots in (0, *all_slots):
        name = f"local[{slots}]" if slots else "duckdb"
        found[name] = run("--in", folder, "--only", slots)
        for one in found[name]:
            print(
                f"{name:<10} {one.stage:<8} {one.wall:8.1f} {one.cpu:8.1f} {one.tasks:7}"
                f" {one.shuffled:9} {one.spilled:8}"
            )
        if slots:
            pulled = folder / f"pulled{slots}.duckdb"
            pull(config_of(folder / "raw", folder / f"on{slots}.duckdb", "spark"), pulled)
            print(f"{name}: {differing(folder / 'on0.duckdb', pulled)} predictions differ from DuckDB's")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--songs", type=int, action="append", help="number of songs, labelled or not")
    parser.add_argument("--slots", type=int, action="append", help="number of tasks that run at a time")
    parser.add_argument("--json", type=Path, help="file to write the figures to")
    parser.add_argument("--in", dest="folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--only", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.folder:  # one engine, whose slots are 0 for DuckDB
        raw, slots = arguments.folder / "raw", arguments.only
        database = arguments.folder / f"on{slots}.duckdb"
        stages = on_spark(raw, database, slots) if slots else on_duckdb(raw, database)
        print(json.dumps([asdict(one) for one in stages]))
        return
    results = []
    for songs in arguments.songs or (1_000_000,):
        with tempfile.TemporaryDirectory() as temporary:
            found = measure(Path(temporary), songs, arguments.slots or (1, 2, 4))
        costs = {name: [asdict(one) for one in costs] for name, costs in found.items()}
        results.append({"songs": songs, "costs": costs})
    if arguments.json:
        told = {"machine": machine("duckdb", "pyspark"), "results": results}
        arguments.json.write_text(json.dumps(told, indent=1))


if __name__ == "__main__":
    main()
