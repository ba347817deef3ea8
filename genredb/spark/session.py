"""Starts the Spark session of a command, with the settings on which equality with DuckDB rests."""

import logging
import os
import shutil
import sys
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from genredb.errors import UsageError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

DEFAULT_MASTER = "local[*]"
# Fixed, because the probes of the allow-list were run with them.
FIXED: Mapping[str, str] = {
    "spark.sql.ansi.enabled": "true",  # errors where DuckDB has errors, instead of NULL or a wrapped number
    "spark.sql.icu.caseMappings.enabled": "false",  # ICU lowercases newer letters than DuckDB, Java fewer
    "spark.sql.caseSensitive": "false",
    "spark.sql.catalogImplementation": "in-memory",
    # Spark 4.3 fails on `order by` over several grouped branches of a union that this rule has changed.
    "spark.sql.optimizer.excludedRules": "org.apache.spark.sql.catalyst.optimizer.PushProjectionThroughUnion",
    "spark.sql.session.timeZone": "UTC",
}
# Java's regular expressions recurse once per repetition of a group: long texts need a deep stack.
_STACK = "-Xss16m"
_QUIET: Mapping[str, str] = {
    "spark.driver.extraJavaOptions": _STACK,
    "spark.executor.extraJavaOptions": _STACK,
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "OFF",
}
# One machine has few cores: Spark's 200 tasks per shuffle would cost more than the work in them.
_LOCAL: Mapping[str, str] = {"spark.sql.shuffle.partitions": "8"}


def start_session(master: str, settings: Mapping[str, Any]) -> "SparkSession":
    """Start a session; ``settings`` are the profile's. UsageError if Spark or Java is missing or refuses."""
    refuse_missing()
    from pyspark.errors import PySparkException  # noqa: PLC0415 - slow to import
    from pyspark.sql import SparkSession  # noqa: PLC0415

    warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
    # pyspark logs each failing query as JSON; the error itself says what failed.
    logging.getLogger("SQLQueryContextLogger").disabled = True
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.master(master).appName("genredb")
    local = _LOCAL if master.startswith("local[") else {}
    for name, value in {**_QUIET, **local, **settings, **FIXED}.items():
        builder = builder.config(name, str(value))
    try:
        return builder.getOrCreate()
    except (PySparkException, OSError) as error:
        raise UsageError(f"Spark does not start on {master}: {first_line(error)}") from None


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
    if not (shutil.which("java") or (home and shutil.which("java", path=f"{home}/bin"))):
        raise UsageError(
            "Spark needs Java 17, and there is no `java`", cure="install a Java runtime, or set JAVA_HOME"
        )


def first_line(error: BaseException) -> str:
    """Return the first line of an error's text: Spark's go on with plans and stack traces."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
