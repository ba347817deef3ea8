"""Builds on real clusters: two executor processes, a master and a worker, and processes that die."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb
import pytest
import yaml

from genredb.songs.sample.write import write_sample
from genredb.spark.snapshots import UNFINISHED, Snapshots, warehouse_of
from genredb.warehouse.database import open_reader, quote
from tests import verbs
from tests.conftest import ROOT, config_for
from tests.spark.conftest import NO_CODE, QUICK_JAVA
from tests.spark.same_rows import assert_same

pytestmark = [
    pytest.mark.spark,
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.usefixtures("spark_is_here"),
]
LOCAL_CLUSTER = "local-cluster[2,1,1024]"
SECONDS = 600


@dataclass(frozen=True)
class Project:
    """A project on Spark, built by the command in processes of its own; all of them are of one session."""

    folder: Path
    raw_dir: Path
    options: tuple[str, ...] = ("--exclude", "test_type:data")  # checks are not what is tested here

    @property
    def ledger(self) -> Path:
        return self.folder / "ledger.duckdb"

    def start(self, master: str, *, code: str = "", env: Mapping[str, str] = {}) -> subprocess.Popen[str]:
        """Start a build; ``code`` is run before it."""
        script = f"{code}\nimport sys\nfrom genredb.__main__ import main\nsys.exit(main())"
        options = {"--project-dir": self.folder, "--raw-dir": self.raw_dir, "--database": self.ledger}
        stated = [str(part) for option in options.items() for part in option]
        return subprocess.Popen(
            [
                sys.executable,
                "-c",
                script,
                "build",
                "--engine",
                "spark",
                "--master",
                master,
                *stated,
                *self.options,
            ],
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env={**os.environ, "SPARK_LOCAL_IP": "127.0.0.1", **env},
        )

    def build(self, master: str) -> None:
        """Build, and fail if that fails."""
        process = self.start(master)
        _, said = process.communicate(timeout=SECONDS)
        assert process.returncode == 0, said

    def assert_same_as(self, database: Path) -> None:
        """Fail if a table of the published snapshot differs from that of a build on DuckDB."""
        folder = warehouse_of(self.ledger)
        tables = [one for one in Snapshots(folder).published().values() if one.folder]
        assert tables
        with open_reader(database) as duck:
            for one in tables:
                columns = ", ".join(
                    f"{quote(name)}::{kind} as {quote(name)}" for name, kind in one.columns.items()
                )
                files = folder / one.folder / "*.parquet"
                found = (
                    duckdb.connect().sql(f"select {columns} from read_parquet('{files}')").to_arrow_table()
                )
                rows = duck.engine.sql(f"from {quote(one.schema)}.{quote(one.name)}").to_arrow_table()
                assert_same(rows, found)


@pytest.fixture
def project(tmp_path: Path, raw_dir: Path) -> Project:
    folder = tmp_path / "project"
    for name in ("sql", "data/seeds"):
        shutil.copytree(ROOT / name, folder / name)
    for name in ("dbt_project.yml", "profiles.yml"):
        shutil.copy(ROOT / name, folder / name)
    settings = {**NO_CODE, "spark.sql.shuffle.partitions": 2}
    settings |= {f"spark.{one}.extraJavaOptions": QUICK_JAVA for one in ("driver", "executor")}
    profiles = yaml.safe_load((folder / "profiles.yml").read_text())
    profiles["genredb"]["outputs"]["dev"]["spark"] = {"settings": settings}
    (folder / "profiles.yml").write_text(yaml.safe_dump(profiles))
    return Project(folder, raw_dir)


@pytest.fixture
def duck(project: Project, tmp_path: Path) -> Path:
    """The database of a build on DuckDB."""
    config = config_for(project.raw_dir, tmp_path / "duck.duckdb")
    assert verbs.build(config).is_published
    return config.database


def processes(session: int, what: str) -> list[int]:
    """Return the processes of a session whose command contains a text."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
            command = (stat.parent / "cmdline").read_text()
        except OSError:  # it has ended
            continue
        if int(fields[3]) == session and what in command:
            found.append(int(stat.parent.name))
    return found


@contextmanager
def standalone(folder: Path) -> Iterator[str]:
    """Run a master and a worker; yield the master's URL."""
    import pyspark

    spark = Path(pyspark.__file__).parent
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"spark://127.0.0.1:{port}"
    deploy = "org.apache.spark.deploy"
    commands = (
        f"{deploy}.master.Master --host 127.0.0.1 --port {port} --webui-port 0".split(),
        f"{deploy}.worker.Worker --host 127.0.0.1 --cores 2 --memory 2g --work-dir {folder} {url}".split(),
    )
    started = []
    try:
        for command in commands:
            with (folder / f"{command[0]}.log").open("w") as log:
                started.append(
                    subprocess.Popen(
                        [str(spark / "bin" / "spark-class"), *command],
                        stdout=log,
                        stderr=log,
                        start_new_session=True,
                        env={**os.environ, "SPARK_HOME": str(spark), "SPARK_LOCAL_IP": "127.0.0.1"},
                    )
                )
        yield url
    finally:
        for process in started:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def test_two_executor_processes(project: Project, duck: Path) -> None:
    project.build(LOCAL_CLUSTER)
    project.assert_same_as(duck)


def test_a_master_and_a_worker(project: Project, duck: Path, tmp_path: Path) -> None:
    workers = tmp_path / "work"
    workers.mkdir()
    with standalone(workers) as url:
        project.build(url)
    project.assert_same_as(duck)


def kill_executors(project: Project, process: subprocess.Popen[str], where: str, most: int) -> int:
    """Kill executors once there are such files in the warehouse; return how many were killed."""
    deadline = time.monotonic() + SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        if any(warehouse_of(project.ledger).glob(where)):
            executors = processes(process.pid, "CoarseGrainedExecutorBackend")[:most]
            for executor in executors:
                os.kill(executor, signal.SIGKILL)
            return len(executors)
        time.sleep(0.01)
    return 0


def test_an_executor_that_dies_in_a_stage_costs_no_row(project: Project, duck: Path) -> None:
    process = project.start(LOCAL_CLUSTER)
    killed = kill_executors(project, process, "snap-*/*/_temporary/0", most=1)
    _, said = process.communicate(timeout=SECONDS)
    assert killed
    assert process.returncode == 0, said
    project.assert_same_as(duck)


def test_executors_that_die_while_they_load_cost_and_double_no_row(project: Project, tmp_path: Path) -> None:
    """What they did not finish is gone, too."""
    project = replace(project, raw_dir=tmp_path / "many")
    write_sample(project.raw_dir, 20_000, defects=True)
    process = project.start(LOCAL_CLUSTER)
    killed = kill_executors(project, process, f"snap-*/raw.*/{UNFINISHED}/*", most=2)
    _, said = process.communicate(timeout=SECONDS)
    assert killed
    assert process.returncode == 0, said
    config = config_for(project.raw_dir, tmp_path / "duck.duckdb")
    assert verbs.build(config).is_published
    project.assert_same_as(config.database)
    with open_reader(config.database) as expected, open_reader(project.ledger) as ledger:
        quarantine = "from raw.quarantine order by all"
        assert ledger.rows(quarantine) == expected.rows(quarantine)
    assert [*warehouse_of(project.ledger).glob(f"snap-*/*/{UNFINISHED}")] == []


def test_executors_without_genredb_are_reported(project: Project, tmp_path: Path) -> None:
    import pyspark

    libraries = ":".join(map(str, (Path(pyspark.__file__).parent / "python" / "lib").glob("*.zip")))
    bare = tmp_path / "python"
    bare.write_text(f'#!/bin/sh\nPYTHONPATH="{libraries}" exec "{sys.executable}" -S "$@"\n')
    bare.chmod(0o755)
    process = project.start("local[1]", env={"PYSPARK_PYTHON": str(bare)})
    _, said = process.communicate(timeout=SECONDS)
    assert process.returncode == 3
    [last] = said.splitlines()[-1:]
    reason = "the executors' Python lacks genredb or a library of it"
    assert last == f"error: {reason}; install genredb[spark] there, or set PYSPARK_PYTHON."


DIE = """
import os, signal
from genredb.spark import snapshots
def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)
"""
# What makes a build die while it publishes, and whether the new snapshot stands then.
AT = {
    "before the manifest": ("snapshots.Snapshots.publish = die", False),
    "with the manifest written but not in place": (
        "sync = snapshots._sync\n"
        "snapshots._sync = lambda path: die() if path.name.startswith('.manifest') else sync(path)",
        False,
    ),
    "before the pointer": ("snapshots.Snapshots._start_grace = die", False),
    "with the pointer written but not in place": (
        "sync = snapshots._sync\n"
        "snapshots._sync = lambda path: die() if snapshots.POINTER in path.name else sync(path)",
        False,
    ),
    "before the sweep": ("snapshots.Snapshots._sweep = die", True),
}


@pytest.mark.parametrize("moment", AT)
def test_a_driver_that_dies_while_it_publishes(project: Project, tmp_path: Path, moment: str) -> None:
    """Readers see the old snapshot whole, or the new one; the next build gives what a first one gives."""
    code, is_new = AT[moment]
    project = replace(project, options=())
    for name in ("sql", "data/seeds"):
        shutil.rmtree(project.folder / name)
    (project.folder / "sql/models").mkdir(parents=True)
    (project.folder / "data/seeds").mkdir(parents=True)
    (project.folder / "sql/models/doubled.sql").write_text(
        "{{ config(materialized='table') }} select i * 2 as i from {{ ref('numbers') }}"
    )
    numbers = project.folder / "data/seeds/numbers.csv"

    def published() -> list[int]:
        folder = warehouse_of(project.ledger)
        one = Snapshots(folder).published()["main.doubled"]
        return [
            i
            for (i,) in duckdb.connect()
            .sql(f"from read_parquet('{folder / one.folder / '*.parquet'}')")
            .fetchall()
        ]

    numbers.write_text("i\n1\n")
    project.build("local[1]")
    assert published() == [2]
    numbers.write_text("i\n5\n")
    process = project.start("local[1]", code=DIE + code)
    _, said = process.communicate(timeout=SECONDS)
    assert process.returncode == -signal.SIGKILL, said
    assert published() == ([10] if is_new else [2])
    project.build("local[1]")
    assert published() == [10]
