"""Builds on real clusters: two executor processes, a master and a worker, and processes that die."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from genredb.spark.engine import warehouse_of
from genredb.spark.snapshots import Snapshots
from genredb.warehouse.database import open_reader, quote
from tests import verbs
from tests.conftest import ROOT, config_for
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

    @property
    def ledger(self) -> Path:
        return self.folder / "ledger.duckdb"

    def start(self, master: str, *, code: str = "") -> subprocess.Popen[str]:
        """Start a build; ``code`` is run before it."""
        script = f"{code}\nimport sys\nfrom genredb.__main__ import main\nsys.exit(main())"
        options = {"--project-dir": self.folder, "--raw-dir": self.raw_dir, "--database": self.ledger}
        stated = [str(part) for option in options.items() for part in option]
        return subprocess.Popen(
            [sys.executable, "-c", script, "build", "--engine", "spark", "--master", master, *stated],
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env={**os.environ, "SPARK_LOCAL_IP": "127.0.0.1"},
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


def test_an_executor_that_dies_in_a_stage_costs_no_row(project: Project, duck: Path) -> None:
    process = project.start(LOCAL_CLUSTER)
    deadline = time.monotonic() + SECONDS
    killed = 0
    while not killed and process.poll() is None and time.monotonic() < deadline:
        is_writing = any(warehouse_of(project.ledger).glob("snap-*/*/_temporary"))
        for executor in processes(process.pid, "CoarseGrainedExecutorBackend")[:1] if is_writing else ():
            os.kill(executor, signal.SIGKILL)
            killed = executor
        time.sleep(0.02)
    _, said = process.communicate(timeout=SECONDS)
    assert killed
    assert process.returncode == 0, said
    project.assert_same_as(duck)


DIE = """
import os, signal
from genredb.spark import snapshots
def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)
"""
# What makes a build die while it publishes, and whether the new snapshot stands then.
AT = {
    "before the manifest": ("snapshots.Snapshots.publish = die", False),
    "before the pointer": ("snapshots.whole_file = die", False),
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
