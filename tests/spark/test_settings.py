"""Settings and masters that cannot hold are refused before Spark starts, or at once after it did."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from genredb.errors import ProjectError, ResourceError
from genredb.spark.masters import refuse_absent
from genredb.spark.settings import refuse_unknown, refused_settings
from tests.conftest import Cli
from tests.project_files import write_project

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("spark.sql.ansi.enabled", "false", "equality with DuckDB rests on it"),
        ("spark.sql.ANSI.enabled", False, "equality with DuckDB rests on it"),
        ("spark.sql.legacy.statisticalAggregate", "true", "equality with DuckDB rests on it"),
        ("spark.sql.files.ignoreCorruptFiles", True, "equality with DuckDB rests on it"),
        ("spark.master", "local[2]", "use --master, or `master:` under `spark:`"),
        ("sparc.cores.max", 2, "all begin with `spark.`"),
        ("spark.cores.max", [2], "needs one value"),
        ("spark.cores.max", None, "needs one value"),
        ("spark.cores.max", 2, ""),
        ("spark.sql.shuffle.partitions", "7", ""),
    ],
)
def test_a_setting_is_refused(name: str, value: Any, reason: str) -> None:
    said = [str(error) for error in refused_settings({name: value})]
    assert [reason in one for one in said] == ([True] if reason else [])


@pytest.mark.parametrize(
    "master",
    ["", "local[0]", "local[]", "spark://", "spark://x", "spark://x:65536", "spark://x:0", "k8s://x", "yarn"],
)
def test_what_is_no_master_is_refused(master: str) -> None:
    with pytest.raises(ResourceError, match="this is no master; name one such as"):
        refuse_absent(master)


def test_masters_of_one_machine_need_no_answer() -> None:
    for master in ("local", "local[*]", "local[4]", "local[*, 3]", "local-cluster[2,1,1024]"):
        refuse_absent(master)


@pytest.mark.spark
@pytest.mark.slow
@pytest.mark.usefixtures("spark_is_here")
def test_a_plan_refuses_settings_with_their_file(tmp_path: Path, cli: Cli) -> None:
    config = write_project(tmp_path, {"seeds/numbers.csv": "i\n1\n"})
    (tmp_path / "profiles.yml").write_text(
        "small:\n  outputs:\n    dev:\n      type: duckdb\n      path: x.duckdb\n"
        "      spark:\n        settings:\n          spark.master: local[2]\n"
    )
    result = cli("plan", "--engine", "spark", cwd=config.root)
    assert "profiles.yml: spark.master is no setting; use --master" in result.err


@pytest.mark.spark
@pytest.mark.slow
def test_a_name_that_spark_does_not_know_is_refused(session: "SparkSession") -> None:
    refuse_unknown(session, ["spark.sql.shuffle.partitions", "spark.executor.memory", "spark.local.dir"])
    with pytest.raises(ProjectError, match=r"Did you mean '?`?spark\.sql\.shuffle\.partitions"):
        refuse_unknown(session, ["spark.sql.shufle.partitions"])
