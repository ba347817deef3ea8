"""Starts the Spark session of a command, with the settings on which equality with DuckDB rests."""

import contextlib
import logging
import os
import shutil
import sys
import tempfile
import warnings
from collections.abc import Mapping
from typing import IO, TYPE_CHECKING, Any

from genredb.errors import ProjectError, ResourceError, UsageError
from genredb.spark.failures import Failure, failure_in, failure_of, is_of_spark
from genredb.spark.masters import refuse_absent
from genredb.spark.settings import FIXED, refuse_unknown

if TYPE_CHECKING:
    from pyspark import SparkConf
    from pyspark.sql import SparkSession

DEFAULT_MASTER = "local[*]"
LOG_LEVEL = "spark.log.level"
# Java's regular expressions recurse once per repetition of a group: long texts need a deep stack.
_STACK = "-Xss16m"
_JAVA_OPTIONS = ("spark.driver.extraJavaOptions", "spark.executor.extraJavaOptions")
_QUIET: Mapping[str, str] = {
    **dict.fromkeys(_JAVA_OPTIONS, _STACK),
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    LOG_LEVEL: "OFF",
}
# One machine has few cores: Spark's 200 tasks per shuffle would cost more than the work in them.
_LOCAL: Mapping[str, str] = {"spark.sql.shuffle.partitions": "8"}


def start_session(master: str, settings: Mapping[str, Any]) -> "SparkSession":
    """Start a session; ``settings`` are the profile's. ResourceError if Spark does not start.

    What Spark's Java process prints is shown only if the settings have ``spark.log.level``.
    """
    refuse_missing()
    from pyspark import SparkConf, SparkContext  # noqa: PLC0415 - slow to import
    from pyspark.sql import SparkSession  # noqa: PLC0415

    warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
    # pyspark logs each failing query as JSON; the error itself says what failed.
    logging.getLogger("SQLQueryContextLogger").disabled = True
    # py4j prints tracebacks if Java ends while it waits for an answer; failures are told by genredb.
    logging.getLogger("py4j").setLevel(logging.CRITICAL + 1)
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    conf = SparkConf().setMaster(master).setAppName("genredb")
    refuse_absent(master)
    local = _LOCAL if master.startswith("local[") else {}
    for name, value in {**_QUIET, **local, **settings, **FIXED}.items():
        conf.set(name, f"{_STACK} {value}" if name in _JAVA_OPTIONS and name in settings else str(value))
    with tempfile.TemporaryFile() as printed:
        try:
            _start_java(conf, None if LOG_LEVEL in settings else printed)
            session = SparkSession.builder.config(conf=conf).getOrCreate()
        except Exception as error:
            if not is_of_spark(error):
                raise
            found = failure_of(error) if SparkContext._gateway else _of_java(printed)
            what = f"Spark does not start on {master}: {found.what}"
            raise ResourceError(what, cure=found.cure) from None
    try:
        refuse_unknown(session, settings)
    except ProjectError:
        stop_session(session)
        raise
    return session


def stop_session(session: "SparkSession") -> None:
    """End a session; its Java process may be gone already."""
    with warnings.catch_warnings(), contextlib.suppress(ConnectionError):
        warnings.filterwarnings("ignore", "Unable to cleanly shutdown", RuntimeWarning)
        session.stop()


def running_session() -> "SparkSession | None":
    """Return the session that runs in this process, if any; UsageError if its settings are others."""
    refuse_missing()
    from pyspark.sql import SparkSession  # noqa: PLC0415 - slow to import

    found = SparkSession.getActiveSession()
    for name, value in FIXED.items() if found else ():
        if found.conf.get(name, None) != value:
            raise UsageError(f"The Spark session of this process has not set {name} to {value}")
    return found


def refuse_missing() -> None:
    """Raise UsageError if pyspark or Java is not installed."""
    try:
        import pyspark  # noqa: F401, PLC0415
    except ImportError:
        raise UsageError("pyspark is not installed", cure="run `pip install 'genredb[spark]'`") from None
    home = os.environ.get("JAVA_HOME")
    if home and not shutil.which("java", path=f"{home}/bin"):
        raise UsageError(f"JAVA_HOME is {home}, which has no bin/java", cure="set it to Java 17, or unset it")
    if not home and not shutil.which("java"):
        raise UsageError(
            "Spark needs Java 17, and there is no `java`", cure="install a Java runtime, or set JAVA_HOME"
        )


def _start_java(conf: "SparkConf", printed: IO[bytes] | None) -> None:
    """Start the Java process, unless there is one; what it prints goes to a file, or to the terminal."""
    from pyspark import SparkContext  # noqa: PLC0415
    from pyspark.java_gateway import launch_gateway  # noqa: PLC0415

    if SparkContext._gateway is None:
        gateway = launch_gateway(conf, {"stdout": printed, "stderr": printed})
        SparkContext._ensure_initialized(gateway=gateway, conf=conf)


def _of_java(printed: IO[bytes]) -> Failure:
    """Return why the Java process did not start, from what it printed."""
    printed.seek(0)
    found = failure_in(printed.read().decode(errors="replace"))
    return found if found.what else Failure("Java said why above")
