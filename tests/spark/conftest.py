"""One Spark session for the tests of this folder, which are skipped with a notice where there is none."""

import importlib.util
import shutil
from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING

import duckdb
import pytest

from genredb.warehouse.connection import Connection
from tests.spark import nasty

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# Java that compiles little, and Spark that generates no code: with few rows, both cost more than they save.
QUICK_JAVA = "-Xss16m -XX:TieredStopAtLevel=1"
NO_CODE = {"spark.sql.codegen.wholeStage": "false", "spark.sql.codegen.factoryMode": "NO_CODEGEN"}


@pytest.fixture(scope="session")
def spark_is_here() -> None:
    """Skip where Spark or Java is missing."""
    if importlib.util.find_spec("pyspark") is None:
        pytest.skip("pyspark is not installed: pip install 'genredb[spark]'")
    if shutil.which("java") is None:
        pytest.skip("there is no Java 17 for Spark")


@pytest.fixture(scope="session")
def session(spark_is_here: None) -> "Iterator[SparkSession]":
    """A local session."""
    from genredb.spark.session import start_session

    found = start_session(
        "local[2]", {"spark.sql.shuffle.partitions": 2, "spark.driver.extraJavaOptions": QUICK_JAVA}
    )
    yield found
    found.stop()


@pytest.fixture(scope="session")
def duck() -> Iterator[Connection]:
    """DuckDB with the nasty rows."""
    with closing(Connection(duckdb.connect())) as connection:
        nasty.create(connection)
        yield connection


@pytest.fixture(scope="session")
def nasty_session(session: "SparkSession", duck: Connection) -> "SparkSession":
    """Spark with the nasty rows."""
    nasty.create_on_spark(session, duck)
    return session
