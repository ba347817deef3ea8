"""A build on Spark gives the rows, the checks and the quarantine of a build on DuckDB."""

import os
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pytest

from genredb.errors import ProjectErrors, UsageError
from genredb.runner.planning.options import Options
from genredb.runner.project.config import Config
from genredb.runner.results import BuildResult
from genredb.songs.sample.write import write_sample
from genredb.spark.dialect import quoted
from genredb.spark.engine import SparkEngine
from genredb.spark.snapshots import POINTER, Snapshots, warehouse_of
from genredb.warehouse.connection import Connection
from genredb.warehouse.database import connect, open_reader
from tests import test_partitions, verbs
from tests.conftest import REAL_FILES, config_for
from tests.project_files import write_project
from tests.songs_from_elsewhere import write_organize_file, write_playlist
from tests.spark.same_rows import assert_same

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = [pytest.mark.spark, pytest.mark.slow, pytest.mark.timeout(900)]
Build = Callable[..., BuildResult]


def on_spark(config: Config) -> Config:
    """The same project on Spark, with a ledger of its own."""
    return replace(
        config,
        settings=replace(config.settings, engine="spark"),
        database=config.database.with_name("ledger.duckdb"),
        target_dir=config.target_dir.with_name("target-spark"),
    )


@pytest.fixture
def build(session: "SparkSession") -> Build:
    """Build on the tests' session, and plan on it."""

    def run(config: Config, options: Options = Options()) -> BuildResult:  # noqa: B008 - frozen
        return verbs.build(config, options=options, engine=SparkEngine(config))

    return run


def assert_builds_alike(config: Config, build: Build, session: "SparkSession") -> None:
    """Fail if a relation, a check, a load or a quarantined row differs between the engines."""
    expected = verbs.build(config)
    spark = on_spark(config)
    found = build(spark)
    outcome = {r.node.unique_id: (r.status, r.failing and r.failing.total, r.message) for r in found.results}
    assert outcome == {
        r.node.unique_id: (r.status, r.failing and r.failing.total, r.message) for r in expected.results
    }
    loads = [[replace(load, source="") for load in result.loads] for result in (found, expected)]
    assert loads[0] == loads[1]
    stored = Snapshots(warehouse_of(spark.database)).published()
    with open_reader(config.database) as duck, open_reader(spark.database) as ledger:
        quarantine = "from raw.quarantine order by all"
        assert ledger.rows(quarantine) == duck.rows(quarantine)
        built = [r.node.built_relation for r in found.results if r.node.built_relation]
        names = {relation.qualified_name for relation in built} | {load.source for load in found.loads}
        assert names <= stored.keys()
        for name in names:
            one, files = stored[name], config.target_dir / "on-spark" / name
            session.table(quoted(name)).write.parquet(str(files))  # collected, a million rows end Java
            assert_same_rows(duck, f'from "{one.schema}"."{one.name}"', f"from '{files}/*.parquet'")


def assert_same_rows(connection: Connection, expected: str, found: str) -> None:
    """Fail if two queries differ in types or rows, which may stand in any order; few rows differ at all."""
    types = [
        connection.rows(f"select column_name, column_type from (describe {sql})") for sql in (expected, found)
    ]
    assert types[0] == types[1]
    both = [f"({expected}) except all ({found})", f"({found}) except all ({expected})"]
    assert_same(*(connection.engine.sql(sql).to_arrow_table() for sql in both))


def test_the_real_songs(real_data: Path, tmp_path: Path, build: Build, session: "SparkSession") -> None:
    config = config_for(real_data, tmp_path / "duck.duckdb", baselines=True)
    assert_builds_alike(config, build, session)


@pytest.mark.skipif("GENREDB_SPARK_SONGS" not in os.environ, reason="GENREDB_SPARK_SONGS is not set")
def test_sample_songs(tmp_path: Path, build: Build, session: "SparkSession") -> None:
    """As many synthetic songs as GENREDB_SPARK_SONGS says, some of them faulty."""
    raw_dir = tmp_path / "raw"
    write_sample(raw_dir, int(os.environ["GENREDB_SPARK_SONGS"]), seed=1, defects=True)
    assert_builds_alike(config_for(raw_dir, tmp_path / "duck.duckdb"), build, session)


def test_files_in_folders(tmp_path: Path, build: Build, session: "SparkSession") -> None:
    """What the folders' names say is loaded on Spark, too."""
    config = test_partitions.project(tmp_path)
    test_partitions.write(config)
    assert_builds_alike(config, build, session)


def test_odd_songs_from_many_files(
    config: Config, tmp_path: Path, build: Build, session: "SparkSession"
) -> None:
    """Quarantined and repaired rows, mojibake, additional files, playlists of several artists."""
    raw = config.raw_dir
    write_organize_file(raw / "songs_extra_a.csv", 40)
    write_organize_file(raw / "songs_extra_b.csv", 30, seed=9)
    write_playlist(raw / "playlist_a.csv", 50, artists=["Earth, Wind & Fire", "Beyoncé"])
    for number, suffix in enumerate(("jsonl", "parquet")):
        options = "format json" if suffix == "jsonl" else "format parquet"
        rows = (
            f'select * replace ("Id" + {200 + 100 * number} as "Id") from read_csv(\'{raw / REAL_FILES[0]}\')'
        )
        duckdb.sql(f"copy ({rows}) to '{raw / f'songs_extra_{suffix}.{suffix}'}' ({options})")
    train = raw / REAL_FILES[0]
    first, *lines = train.read_text(encoding="utf-8").splitlines()
    fields = lines[0].split(",")
    odd = [
        ",".join([f"{90000 + number}", *(f'"{text}"' for text in (title, artist)), *fields[3:]])
        for number, (title, artist) in enumerate(
            [
                ("CÃ©line", "BeyoncÃ©"),
                ("ΑΣ", "İstanbul Σ"),
                ("a\u00a0 b", "Sigur Rós\u3000"),
                ("x - Remix", "\u200d"),
                ("é", "😀"),
            ]
        )
    ]
    bad = ["x,no,good", lines[1], lines[2].replace(",", ";"), '91000,"open']
    train.write_text("\n".join([first, *lines, *odd, *bad]) + "\n", encoding="utf-8")
    assert_builds_alike(config, build, session)


def test_what_did_not_change_is_skipped(config: Config, build: Build) -> None:
    spark = on_spark(config)
    assert build(spark).is_published
    pointer = warehouse_of(spark.database) / POINTER
    before = pointer.read_text(encoding="utf-8")
    again = build(spark)
    assert (again.results, again.is_published, pointer.read_text(encoding="utf-8")) == ((), False, before)
    with (spark.raw_dir / REAL_FILES[1]).open("a", encoding="utf-8") as file:
        line = (spark.raw_dir / REAL_FILES[1]).read_text(encoding="utf-8").splitlines()[-1]
        file.write(",".join(["99999", *line.split(",")[1:]]) + "\n")
    third = build(spark)
    rerun = {r.node.label for r in third.results}
    assert third.is_published
    assert "staging.stg_songs" in rerun
    assert "seeds.genre_groups" not in rerun


def test_a_failed_check_publishes_nothing(tmp_path: Path, build: Build) -> None:
    files = {
        "seeds/numbers.csv": "i,d\n1,0.5\n2,1.5\n",
        "models/doubled.sql": "select i * 2 as i from {{ ref('numbers') }}",
        "tests/small.sql": "select i from {{ ref('doubled') }} where i > 3",
    }
    config = on_spark(write_project(tmp_path, files))
    failed = build(config)
    assert failed.exit_code == 1
    [failing] = [r.failing for r in failed.results if r.failing]
    assert (failing.columns, failing.rows, failing.total) == (("i",), ((4,),), 1)
    assert not config.database.exists()
    assert [*warehouse_of(config.database).glob("*")] == []
    (tmp_path / "tests" / "small.sql").write_text("select i from {{ ref('doubled') }} where i > 4")
    assert build(config).is_published


def test_a_death_between_ledger_and_pointer_is_repaired(
    tmp_path: Path, build: Build, session: "SparkSession", monkeypatch: pytest.MonkeyPatch
) -> None:
    """Readers see the old snapshot, and the next build makes what the ledger already claims."""
    files = {
        "seeds/numbers.csv": "i\n1\n",
        "models/doubled.sql": "select i * 2 as i from {{ ref('numbers') }}",
    }
    config = on_spark(write_project(tmp_path, files))
    assert build(config).is_published
    pointer = warehouse_of(config.database) / POINTER
    before = pointer.read_text(encoding="utf-8")

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    (tmp_path / "seeds" / "numbers.csv").write_text("i\n5\n")
    with monkeypatch.context() as patch:
        patch.setattr(Snapshots, "publish", die)
        with pytest.raises(KeyboardInterrupt):
            build(config)
    assert pointer.read_text(encoding="utf-8") == before
    assert Snapshots(warehouse_of(config.database)).published().keys() == {"main.numbers", "main.doubled"}
    assert {r.node.name for r in build(config).results} == {"numbers", "doubled"}
    assert session.table(quoted("main.doubled")).toArrow().to_pylist() == [{"i": 10}]
    assert not build(config).is_published


def test_unit_tests_run(tmp_path: Path, build: Build) -> None:
    unit = """
unit_tests:
  - name: halves
    model: halved
    given: [{input: ref('numbers'), rows: [{i: 3}, {i: 4}]}]
    expect: {rows: [{half: 1.5}, {half: %s}]}
"""
    files = {
        "seeds/numbers.csv": "i\n1\n",
        "models/halved.sql": "select i / 2 as half from {{ ref('numbers') }}",
        "models/units.yml": unit % "2.0",
    }
    config = on_spark(write_project(tmp_path, files))
    assert build(config).exit_code == 0
    (tmp_path / "models" / "units.yml").write_text(unit % "3.0")
    failed = build(config)
    [failing] = [r.failing for r in failed.results if r.failing]
    assert failing.rows == (("actual", 2.0), ("expected", 3.0))


def test_the_ledger_of_one_engine_is_not_built_on_the_other(tmp_path: Path, build: Build) -> None:
    spark = on_spark(write_project(tmp_path, {"seeds/numbers.csv": "i\n1\n"}))
    assert build(spark).is_published
    other = replace(spark, settings=replace(spark.settings, engine="duckdb"))
    with pytest.raises(
        UsageError, match="was built on Spark, not on DuckDB; add --engine spark if the command has it"
    ):
        verbs.build(other)


def test_everything_refused_is_said_at_once_with_its_line(tmp_path: Path) -> None:
    """Before Spark starts: the plan needs none."""
    files = {
        "profiles.yml": """
small:
  outputs:
    dev:
      type: duckdb
      path: small.duckdb
      settings: {memory_limit: 1GB, integer_division: true}
      spark: {settings: {spark.sql.ansi.enabled: false, executor.memory: 2g, spark.executor.cores: 2}}
""",
        "seeds/numbers.csv": "i,t\n1,a\n",
        "models/one.sql": "select\n    upper(t) as t,\n    i // 2 as half\nfrom {{ ref('numbers') }}",
        "models/two.sql": "{{ config(materialized='incremental') }}\nselect i from {{ ref('numbers') }}",
    }
    config = on_spark(write_project(tmp_path, files))
    with pytest.raises(ProjectErrors) as raised:
        verbs.build(config, engine=SparkEngine(config))
    of_profile, errors = raised.value.errors[:3], raised.value.errors[3:]
    assert [one.what for one in of_profile] == [
        "DuckDB's setting integer_division does not hold on Spark",
        "the setting spark.sql.ansi.enabled is genredb's, since equality with DuckDB rests on it",
        "Spark has no setting 'executor.memory': all begin with `spark.`",
    ]
    said = sorted(one.headline for one in errors)
    assert [line.split(":")[:2] for line in said[:2]] == [["models/one.sql", "2"], ["models/one.sql", "3"]]
    assert "upper()" in said[0]
    assert "//" in said[1]
    assert said[2].startswith("models/two.sql: incremental models do not run on Spark")


def test_rows_for_the_leak_guard_have_duckdbs_types(
    tmp_path: Path, build: Build, session: "SparkSession"
) -> None:
    config = on_spark(
        write_project(tmp_path, {"seeds/numbers.csv": "i,b,d\n1,9007199254740993,2024-02-29\n"})
    )
    assert build(config).is_published
    engine = SparkEngine(config)
    with open_reader(config.database) as ledger, closing(connect(tmp_path / "memory.duckdb")) as target:
        from genredb.runner.templates.relation import Relation

        relation = Relation(None, "main", "numbers")
        engine.executor(ledger).copy_rows(relation, 10, target)
        assert [row[:2] for row in target.rows("describe main.numbers")] == [
            ("i", "INTEGER"),
            ("b", "BIGINT"),
            ("d", "DATE"),
        ]
