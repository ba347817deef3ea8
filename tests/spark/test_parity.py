"""Every entry of the allow-list gives the same values and types on both engines, over nasty rows."""

from typing import TYPE_CHECKING

import pytest

from genredb.spark.dialect import to_spark, with_types
from genredb.spark.functions import JOINED_OTHERWISE
from genredb.spark.registry import ALLOWED
from genredb.spark.types import Schema
from genredb.warehouse.connection import Connection
from tests.spark import nasty
from tests.spark.same_rows import assert_same

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = [pytest.mark.spark, pytest.mark.slow]
PROBES = [
    pytest.param(probe, id=f"{kind.__name__}-{number}")
    for kind, entry in ALLOWED.items()
    for number, probe in enumerate(entry.probes)
]


@pytest.mark.parametrize("probe", PROBES)
def test_a_probe_is_the_same(probe: str, duck: Connection, nasty_session: "SparkSession") -> None:
    expected = duck.engine.sql(probe).to_arrow_table()
    types = {name: kind for name, kind, *_ in duck.rows(f"describe {probe}")}
    translated = with_types(to_spark(probe, nasty.schema_of(duck)), types)
    assert_same(expected, nasty_session.sql(translated).toArrow())


@pytest.fixture(scope="module")
def every_character(
    duck: Connection, session: "SparkSession", tmp_path_factory: pytest.TempPathFactory
) -> Schema:
    """One row per code point, but for those that UTF-8 cannot hold."""
    duck.execute(
        "create table every_character as select n::integer as n, chr(n::integer) as t from range(1, 1114112) as r(n)"
        " where n not between 55296 and 57343"
    )
    file = tmp_path_factory.mktemp("characters") / "part.parquet"
    duck.execute(f"copy every_character to '{file}' (format parquet)")
    session.read.schema("n int, t string").parquet(str(file)).createOrReplaceTempView(
        "`main.every_character`"
    )
    return {"main": {"every_character": {"n": "INTEGER", "t": "VARCHAR"}}}


@pytest.mark.parametrize(
    "expression",
    ["lower(t)", "trim(t || 'x' || t)", "length(t)", "unicode(t)", r"regexp_replace(t || 'a', '\s|\w', '-', 'g')",
     r"regexp_matches('a' || t || 'b', '^a.b$')", r"regexp_matches('a' || t, 'a\b')", "reverse('a' || t)"],
)  # fmt: skip
def test_every_character_is_the_same(
    expression: str, duck: Connection, session: "SparkSession", every_character: Schema
) -> None:
    probe = f"select n, {expression} as x from every_character"
    if "reverse" in expression:
        probe += f" where not regexp_matches(t, '[{JOINED_OTHERWISE}]')"  # an error on Spark
    types = {name: kind for name, kind, *_ in duck.rows(f"describe {probe}")}
    spark = session.sql(with_types(to_spark(probe, every_character), types)).toArrow()
    with duck.given("on_spark", spark):
        unlike = duck.rows(
            f"select a.n, a.x, b.x from ({probe}) as a full join on_spark as b using (n)"
            " where a.x is distinct from b.x order by a.n limit 20"
        )
    assert unlike == []
