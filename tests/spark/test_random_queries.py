"""A random query that is translated gives the same rows on both engines.

``GENREDB_SPARK_QUERIES`` says how many are tried.
"""

import os
import random
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pytest

from genredb.spark.dialect import RefusedError, to_spark, with_types
from genredb.warehouse.connection import Connection
from tests.random_queries import RELATIONS, Writer
from tests.spark.same_rows import assert_same

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = [pytest.mark.spark, pytest.mark.slow, pytest.mark.timeout(0)]
QUERIES = int(os.environ.get("GENREDB_SPARK_QUERIES", "100"))
VALUES = ["a", "b", "x", "1", "10", "A", "", " a", "é", None]


@pytest.fixture
def duck(session: "SparkSession", tmp_path: Path) -> Connection:
    """Both engines with the same random rows."""
    connection, rng = Connection(duckdb.connect()), random.Random(1)
    for relation, columns in RELATIONS.items():
        typed = ", ".join(f"{column} varchar" for column in columns)
        connection.execute(f"create table {relation} ({typed})")
        for _ in range(12):
            row = [rng.choice(VALUES) for _ in columns]
            connection.execute(f"insert into {relation} values ({', '.join('?' * len(columns))})", row)
        file = tmp_path / f"{relation}.parquet"
        connection.execute(f"copy {relation} to '{file}' (format parquet)")
        types = ", ".join(f"{column} string" for column in columns)
        session.read.schema(types).parquet(str(file)).createOrReplaceTempView(f"`{relation}`")
    return connection


def test_a_translated_query_gives_the_same_rows(duck: Connection, session: "SparkSession") -> None:
    tried = 0
    schema = {
        "main": {name.partition(".")[2]: dict.fromkeys(of, "VARCHAR") for name, of in RELATIONS.items()}
    }
    for seed in range(QUERIES):
        text, _ = Writer(seed).query(random.Random(seed).choice([1, 2]))
        sql = text.replace('"db".', "")
        try:
            translated = to_spark(sql, schema)
            expected = duck.engine.sql(sql).to_arrow_table()
        except (RefusedError, duckdb.BinderException):
            continue
        types = {name: kind for name, kind, *_ in duck.rows(f"describe {sql}")}
        tried += 1
        found = session.sql(with_types(translated, types)).toArrow()
        try:
            assert_same(expected, found)
        except AssertionError as error:
            raise AssertionError(f"{seed}: {sql}\n{translated}\n{error}") from None
    assert tried > QUERIES // 5
