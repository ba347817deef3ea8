"""Says in one sentence why Spark failed and what helps: its errors are stack traces of two languages."""

import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from genredb.errors import ResourceError, SqlError

_SHARED_DISK = "all executors must see the raw files, and write to the folder of the database"
_MORE_MEMORY = "raise `spark.executor.memory` or `spark.sql.shuffle.partitions` in profiles.yml"


@dataclass(frozen=True)
class Failure:
    """Why Spark failed, and the cure if there is one; ``is_lasting`` if what runs next would fail alike."""

    what: str
    cure: str = ""
    is_lasting: bool = False


# Reasons that need other words than Spark's, or a cure. Without words, Spark's own are kept.
_KNOWN: tuple[tuple[str, str, str], ...] = (
    (
        "UnsupportedClassVersionError|LinkageError occurred",
        "this Java is too old",
        "install Java 17, or set JAVA_HOME",
    ),
    (
        "[Mm]aster must either|parse Master URL|nvalid master URL",
        "this is no master",
        "name one such as local[4] or spark://host:7077",
    ),
    (
        "stopped SparkContext|SparkContext was shut ?down|masters are unresponsive",
        "no master answers, or it ended the application",
        "see that it runs",
    ),
    (r"OutOfMemoryError|exited with code 52\b", "an executor ran out of memory", _MORE_MEMORY),
    (r"exited with code 137\b", "executors were killed, as by a system short of memory", _MORE_MEMORY),
    ("ExecutorLostFailure|Could not find executor", "executors were lost", "see the logs of their workers"),
    (
        "ModuleNotFoundError",
        "the executors' Python lacks genredb or a library of it",
        "install genredb[spark] there, or set PYSPARK_PYTHON",
    ),
    ("Cannot run program", "", "set PYSPARK_PYTHON to a Python that all executors have"),
    ("FileNotFoundError|PATH_NOT_FOUND|Mkdirs failed|Permission ?denied", "", _SHARED_DISK),
)
_TASK = re.compile(r"^.*?Lost task \S+ in stage \S+ \(TID \d+\) \([^)]*\): ")
_CLASS = re.compile(r"^(Exception in thread \S+ )?((Error|OSError|(?:[\w$]+\.)+[A-Z][\w$]*): )*")
_CONDITION = re.compile(r"^\[[A-Z_0-9.]+\] ")
_ERRNO = re.compile(r"^\w+Error: \[Errno \d+\] ")
# Spark's advice names settings that genredb fixes, and functions that DuckDB does not have.
_ADVICE = re.compile(r"\.? +(Use [`']try_|If necessary set|Correct the value as per|SQLSTATE:).*$")
_NOISE = re.compile(
    r"^\s|^Error occurred during init|^WARNING: |^Using Spark's|^Setting |^To adjust|^\S+ \S+ (WARN|INFO) |^$"
)


@contextmanager
def explained(sql: str = "") -> Iterator[None]:
    """Run the block; Spark's errors become SqlErrors of one sentence, or ResourceErrors if they last."""
    try:
        yield
    except Exception as error:
        if not is_of_spark(error):
            raise
        found = failure_of(error)
        if found.is_lasting:
            raise ResourceError(found.what, cure=found.cure) from None
        raise SqlError(f"Spark: {found.what}", sql, cure=found.cure) from None


def is_of_spark(error: Exception) -> bool:
    """Return True if an error is one of Spark, or of the connection with its Java process."""
    is_named = type(error).__module__.split(".")[0] in ("pyspark", "py4j")
    return is_named or isinstance(error, ConnectionError | EOFError)


def failure_of(error: Exception) -> Failure:
    """Return why one of Spark's errors came about."""
    if type(error).__name__ == "Py4JNetworkError" or isinstance(error, ConnectionError | EOFError):
        return _lost_java()
    try:
        text = str(error)  # of a Py4JJavaError, which asks the Java process
    except Exception as other:
        if is_of_spark(other):
            return _lost_java()
        raise
    return failure_in(text)


def failure_in(text: str) -> Failure:
    """Return the reason in an error's text or in what Java printed: the innermost that has words."""
    heading = _heading(text)
    for pattern, words, cure in _KNOWN:
        if re.search(pattern, heading):
            return Failure(words or _plain(heading), cure, is_lasting=True)
    return Failure(_plain(heading))


def _heading(text: str) -> str:
    """Return the line that names the innermost reason."""
    if "Traceback (most recent call last):" in text:
        _, _, text = text.rpartition("Traceback (most recent call last):")
        return next((line for line in text.splitlines() if line and not line[0].isspace()), "")
    lines = [line for line in text.splitlines() if not _NOISE.match(line)]
    causes = [line.removeprefix("Caused by: ") for line in lines if line.startswith("Caused by: ")]
    called = [line.removeprefix(": ") for line in lines if line.startswith(": ")]
    thrown = [line for line in lines if line.startswith("Exception in thread")]
    return next((line for line in [*reversed(causes), *called, *thrown, *lines] if _plain(line)), "")


def _plain(heading: str) -> str:
    """Return a reason without its task, Java class, error class and SQL state."""
    said = _CLASS.sub("", _TASK.sub("", heading.strip()))
    for pattern in (_CONDITION, _ERRNO, _ADVICE):
        said = pattern.sub("", said)
    return said.strip().removesuffix(".")


def _lost_java() -> Failure:
    """Return why Spark's Java process is gone."""
    from pyspark import SparkContext  # noqa: PLC0415 - slow to import

    process = getattr(SparkContext._gateway, "proc", None)
    code = None
    with suppress(subprocess.TimeoutExpired):
        code = process.wait(10) if process else None
    if code == 52:  # so Spark ends when it is out of memory
        return Failure("Spark ran out of memory", "set `spark.driver.memory` in profiles.yml", True)
    how = "does not answer" if code is None else "has ended"
    if code and code < 0:
        how = f"was killed by {signal.Signals(-code).name}"
    return Failure(f"Spark's Java process {how}", "run the command again", True)
