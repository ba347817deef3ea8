"""Spark's failures are one sentence, and its noise stays off the terminal; each case is a command of its own."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from genredb.spark.failures import failure_in
from tests.project_files import write_project
from tests.spark.test_clusters import processes

real = [
    pytest.mark.spark,
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.usefixtures("spark_is_here"),
]
SECONDS = 600
NOISE = ("WARN", "Using Spark", "log level", "incubator")
FILES = {
    "seeds/numbers.csv": "i\n1\n",
    "models/doubled.sql": "{{ config(materialized='table') }} select i * 2 as i from {{ ref('numbers') }}",
}


@dataclass(frozen=True)
class Command:
    """A build of a small project on Spark."""

    folder: Path

    def start(
        self, master: str, settings: Mapping[str, object] = {}, env: Mapping[str, str] = {}
    ) -> subprocess.Popen[str]:
        output = {"type": "duckdb", "path": "x.duckdb", "spark": {"settings": dict(settings)}}
        profiles = {"small": {"target": "dev", "outputs": {"dev": output}}}
        (self.folder / "profiles.yml").write_text(yaml.safe_dump(profiles))
        command = f"-m genredb build --engine spark --master {master} --project-dir {self.folder} --database ledger.duckdb"
        return subprocess.Popen(
            [sys.executable, *command.split()],
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            env={**os.environ, "SPARK_LOCAL_IP": "127.0.0.1", **env},
        )

    def says(self, *of: object) -> tuple[int, list[str]]:
        """Run a build; return its exit code and all that reached the terminal."""
        process = self.start(*of)  # type: ignore[arg-type]
        said, _ = process.communicate(timeout=SECONDS)
        return process.returncode, said.splitlines()


@pytest.fixture
def command(tmp_path: Path) -> Command:
    return Command(write_project(tmp_path, FILES).root)


class TestReal:
    pytestmark = real

    def test_a_build_says_nothing_of_spark(self, command: Command) -> None:
        code, said = command.says("local[1]")
        assert code == 0, said
        assert [line.split()[0] for line in said] == ["seed", "table", "Built"]

    def test_who_sets_the_log_level_sees_the_log(self, command: Command) -> None:
        code, said = command.says("local[1]", {"spark.log.level": "WARN"})
        assert code == 0, said
        assert [word for word in NOISE if any(word in line for line in said)] == [*NOISE]

    @pytest.mark.parametrize(
        ("master", "settings", "reason"),
        [
            ("nonsense", {}, "this is no master; name one such as local[4] or spark://host:7077"),
            ("local[x]", {}, "this is no master; name one such as local[4] or spark://host:7077"),
            ("local[0]", {}, "this is no master; name one such as local[4] or spark://host:7077"),
            ("yarn", {}, "this is no master; name one such as local[4] or spark://host:7077"),
            ("spark://127.0.0.1:1", {}, "no master answers (127.0.0.1:1: Connection refused); see that it runs"),
            ("local[1]", {"spark.driver.memory": "lots"}, "Invalid maximum heap size: -Xmxlots"),
            ("local[1]", {"spark.driver.memory": "400000g"}, "Could not reserve enough space for 419430400000KB object heap"),
            ("local[1]", {"spark.executor.memory": "1m"}, "Insufficient executor memory: Executor memory 1048576 must be at least 471859200"),
        ],
    )  # fmt: skip
    def test_spark_does_not_start(
        self, command: Command, master: str, settings: dict[str, str], reason: str
    ) -> None:
        assert command.says(master, settings) == (
            3,
            [f"error: numbers: Spark does not start on {master}: {reason}."],
        )

    def test_a_setting_that_only_queries_read(self, command: Command) -> None:
        code, said = command.says("local[1]", {"spark.sql.shuffle.partitions": "abc"})
        assert code == 3
        assert [line for line in said if "spark.sql.shuffle.partitions" in line and "abc" in line] == said[:1]
        assert not [line for line in said if "java" in line.lower()]

    def test_java_home_is_wrong(self, command: Command) -> None:
        assert command.says("local[1]", {}, {"JAVA_HOME": "/no/such"}) == (
            2,
            ["error: JAVA_HOME is /no/such, which has no bin/java; set it to Java 17, or unset it."],
        )

    def test_java_is_too_old(self, command: Command) -> None:
        """Java 11 says this of Spark 4."""
        java = command.folder / "old" / "bin" / "java"
        java.parent.mkdir(parents=True)
        said = (
            "Error: LinkageError occurred while loading main class org.apache.spark.launcher.Main\\n"
            "\\tjava.lang.UnsupportedClassVersionError: org/apache/spark/launcher/Main has been compiled by a more recent"
            " version of the Java Runtime (class file version 61.0)"
        )
        java.write_text(f"#!/bin/sh\nprintf '{said}\\n' >&2\nexit 1\n")
        java.chmod(0o755)
        reason = "this Java is too old; install Java 17, or set JAVA_HOME"
        assert command.says("local[1]", {}, {"JAVA_HOME": str(java.parent.parent)}) == (
            3,
            [f"error: numbers: Spark does not start on local[1]: {reason}."],
        )

    def test_the_java_process_is_killed(self, command: Command) -> None:
        (command.folder / "seeds" / "many.csv").write_text("\n".join(["i", *map(str, range(5000))]))
        many = [f"{{{{ ref('many') }}}} as {name}" for name in "abc"]
        slow = f"select a.i from {many[0]} join {many[1]} on a.i >= b.i join {many[2]} on b.i >= c.i where a.i + b.i + c.i < 0"
        (command.folder / "models" / "slow.sql").write_text(f"{{{{ config(materialized='table') }}}} {slow}")
        process = command.start("local[1]")
        deadline = time.monotonic() + SECONDS
        while process.poll() is None and time.monotonic() < deadline:
            if any(command.folder.glob("ledger.duckdb.spark/snap-*/*slow/_temporary")):
                [java] = processes(process.pid, "org.apache.spark.deploy.SparkSubmit")
                os.kill(java, signal.SIGKILL)
                break
            time.sleep(0.02)
        said, _ = process.communicate(timeout=SECONDS)
        assert process.returncode == 3
        assert said.splitlines()[-1] == (
            "error: slow: Spark's Java process was killed by SIGKILL; run the command again."
        )
        assert not [line for line in said.splitlines() if "Traceback" in line or line.startswith("\tat")]

    def test_the_folder_of_the_tables_is_not_one(self, command: Command) -> None:
        (command.folder / "ledger.duckdb.spark").write_text("a file")
        code, said = command.says("local[1]")
        assert code == 3
        assert len(said) == 1
        assert str(command.folder / "ledger.duckdb.spark") in said[0]


JOB = (
    "An error occurred while calling o251.getResult.\n: org.apache.spark.SparkException: Exception thrown in awaitResult: \n"
    "\tat org.apache.spark.util.SparkThreadUtils$.awaitResult(SparkThreadUtils.scala:70)\n"
    "Caused by: org.apache.spark.SparkException: Job aborted due to stage failure: Task 1 in stage 9.0 failed 4 times, most"
    " recent failure: Lost task 1.6 in stage 9.0 (TID 66) (127.0.0.1 executor 3): {}\n\tat org.apache.spark.X.y(Z.scala:1)\n"
)
PYTHON = (
    "An exception was thrown from the Python worker:\nTraceback (most recent call last):\n"
    '  File "worker.py", line 4327, in invoke_udf\n    run_process()\n{}'
)


@pytest.mark.parametrize(
    ("text", "what", "cure"),
    [
        (JOB.format("java.lang.OutOfMemoryError: Java heap space"), "an executor ran out of memory", "`spark.executor.memory`"),
        (JOB.format("ExecutorLostFailure (executor 7 exited caused by one of the running tasks) Reason: Command exited with code 137"),
         "executors were killed, as by a system short of memory", "`spark.executor.memory`"),
        (JOB.format("ExecutorLostFailure (executor 7 exited unrelated) Reason: worker lost"), "executors were lost", "the logs of their workers"),
        (JOB.format("java.io.IOException: Mkdirs failed to create file:/w/x"), "Mkdirs failed to create file:/w/x", "all executors"),
        (JOB.format("java.io.IOException: Cannot run program \"/no/python\": error=2, No such file"), 'Cannot run program "/no/python": error=2, No such file', "PYSPARK_PYTHON"),
        (PYTHON.format("ModuleNotFoundError: No module named 'genredb'"), "the executors' Python lacks genredb or a library of it", "install genredb[spark] there"),
        (PYTHON.format("FileNotFoundError: [Errno 2] No such file or directory: '/raw/a.csv'"), "No such file or directory: '/raw/a.csv'", "all executors"),
        (PYTHON.format("ValueError: odd"), "ValueError: odd", ""),
        ("[DIVIDE_BY_ZERO] Division by zero. Use `try_divide` to tolerate divisor being 0 and return NULL instead. If necessary set"
         ' "spark.sql.ansi.enabled" to "false" to bypass this error. SQLSTATE: 22012\n== SQL (line 1, position 8) ==\nselect 1 / 0', "Division by zero", ""),
        ("[USER_RAISED_EXCEPTION] a tuple holds NULL SQLSTATE: P0001", "a tuple holds NULL", ""),
    ],
)  # fmt: skip
def test_the_reason_is_one_sentence(text: str, what: str, cure: str) -> None:
    """Texts that Spark 4 gave."""
    found = failure_in(text)
    assert found.what == what
    assert cure in found.cure
    assert bool(found.cure) == bool(cure)
