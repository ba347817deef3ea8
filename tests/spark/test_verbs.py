"""What is built on Spark is asked, tested, exported, predicted and pulled; DuckDB's answers are the measure."""

import io
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from genredb.ask.export import export
from genredb.ask.pull import pull
from genredb.ask.query import Question, write_answer
from genredb.errors import UsageError
from genredb.runner.planning.options import Options
from genredb.runner.project.config import Config
from genredb.runner.test import test as run_tests
from genredb.songs.predict import predict
from genredb.songs.predict_on_spark import predict_on_spark
from genredb.spark.engine import SparkEngine
from genredb.spark.snapshots import POINTER, Snapshots, warehouse_of
from genredb.warehouse.database import open_reader
from tests import verbs
from tests.conftest import REAL_FILES, config_for, write_raw
from tests.spark.conftest import NO_CODE
from tests.spark.same_rows import assert_same

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = [pytest.mark.spark, pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def duck(tmp_path_factory: pytest.TempPathFactory) -> Config:
    """The project, built on DuckDB, with its songs predicted."""
    folder = tmp_path_factory.mktemp("songs")
    (folder / "raw").mkdir()
    write_raw(folder / "raw")
    config = config_for(folder / "raw", folder / "duck.duckdb")
    verbs.build(config)
    predict(config)
    return config


@pytest.fixture(scope="module", autouse=True)
def quick(session: "SparkSession") -> Iterator[None]:
    """Let Spark generate no code; that equality does not depend on it, test_build.py shows."""
    for name, value in NO_CODE.items():
        session.conf.set(name, value)
    yield
    for name in NO_CODE:
        session.conf.unset(name)


@pytest.fixture(scope="module")
def ledger(duck: Config, session: "SparkSession") -> Config:
    """The same on Spark."""
    config = on(duck, duck.database.with_name("ledger.duckdb"), "spark")
    verbs.build(config, engine=SparkEngine(config))
    predict_on_spark(config)
    return config


@pytest.fixture(scope="module")
def pulled(ledger: Config) -> Config:
    """What was built on Spark, in a file of DuckDB."""
    file = ledger.database.with_name("pulled.duckdb")
    pull(ledger, file)
    return on(ledger, file, "duckdb")


def on(config: Config, database: Path, engine: str) -> Config:
    settings = replace(config.settings, engine=engine, database=database)
    return replace(config, settings=settings, database=database, target_dir=database.with_suffix(".target"))


def copied(ledger: Config, folder: Path) -> Config:
    """A copy of a ledger, with its snapshots."""
    shutil.copy(ledger.database, folder / ledger.database.name)
    shutil.copytree(warehouse_of(ledger.database), folder / warehouse_of(ledger.database).name)
    return on(ledger, folder / ledger.database.name, "spark")


def rows(config: Config, relation: str) -> pa.Table:
    with open_reader(config.database) as reader:
        return reader.engine.sql(f"from {relation}").to_arrow_table()


def test_all_that_was_pulled_is_what_duckdb_makes(pulled: Config, duck: Config) -> None:
    """Every relation of the project, predictions included: no row differs, nor a column's type."""
    sql = "select table_schema, table_name from information_schema.tables where table_schema not in ('meta', 'ml')"
    with open_reader(duck.database) as reader:
        names = [f'"{schema}"."{name}"' for schema, name in reader.rows(sql)]
    assert len(names) > 20
    for name in [*names, "ml.predictions"]:
        assert_same(rows(duck, name), rows(pulled, name))


def test_a_pulled_file_is_a_database_like_any_other(pulled: Config, duck: Config, tmp_path: Path) -> None:
    assert not predict(pulled).is_published  # they are up to date
    for config in (pulled, duck):
        export(config, "submission", tmp_path / f"{config.database.stem}.csv")
    assert (tmp_path / "pulled.csv").read_bytes() == (tmp_path / "duck.csv").read_bytes()


def test_predictions_that_are_up_to_date_are_left_alone(ledger: Config) -> None:
    pointer = warehouse_of(ledger.database) / POINTER
    before = pointer.read_text()
    assert not predict_on_spark(ledger).is_published
    assert pointer.read_text() == before


@pytest.mark.parametrize("classifier", ["sql_neighbors", "majority"])
def test_other_classifiers_predict_as_on_duckdb(
    ledger: Config, duck: Config, tmp_path: Path, classifier: str
) -> None:
    """One that is SQL, and one that looks at no artist."""
    spark, own = copied(ledger, tmp_path), on(duck, tmp_path / "duck.duckdb", "duckdb")
    shutil.copy(duck.database, own.database)
    results = [predict_on_spark(spark, classifier=classifier, min_probability=0.5)]
    results.append(predict(own, classifier=classifier, min_probability=0.5))
    assert results[0] == results[1]
    pull(spark, tmp_path / "pulled.duckdb")
    for relation in ("ml.predictions", "predictions", "submission", "ml.chosen"):
        found = rows(on(spark, tmp_path / "pulled.duckdb", "duckdb"), relation)
        assert_same(rows(own, relation), found)


QUESTIONS = {
    "select genre, count(*) as n from songs group by genre order by n desc, genre": ("csv", None),
    "from songs order by song_key": ("jsonl", 3),
    "select title, bpm from songs where genre = $g order by id": ("json", None),
    "select song_key, group_probabilities, basis = 'artist' as b from predictions order by 1": ("json", 2),
    "select 1 as x, 'a|b' as y, cast(null as varchar) as z": ("markdown", None),
}


@pytest.mark.parametrize("sql", QUESTIONS)
def test_a_question_has_one_answer(ledger: Config, duck: Config, sql: str) -> None:
    answer_format, limit = QUESTIONS[sql]
    question = Question(sql, {"g": "pop"} if "$g" in sql else {}, limit)
    found, expected = io.BytesIO(), io.BytesIO()
    is_cut = write_answer(ledger, question, answer_format, found)
    assert is_cut == write_answer(duck, question, answer_format, expected)
    assert found.getvalue() == expected.getvalue()


def test_an_answer_leaves_nothing_behind(ledger: Config) -> None:
    before = sorted(warehouse_of(ledger.database).iterdir())
    write_answer(ledger, Question("select count(*) as n from songs"), "csv", io.BytesIO())
    assert sorted(warehouse_of(ledger.database).iterdir()) == before


def command(
    config: Config, *arguments: str, engine: Sequence[str] = ("--engine", "spark")
) -> "subprocess.CompletedProcess[str]":
    """Run a command on Spark as users do."""
    script = "import sys; from genredb.__main__ import main; sys.exit(main())"
    stated = ["--project-dir", str(config.home), "--database", str(config.database)]
    return subprocess.run(
        [sys.executable, "-c", script, *arguments, *engine, *stated],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
        env={**os.environ, "SPARK_LOCAL_IP": "127.0.0.1"},
    )


REFUSED = {
    "select upper(title) from songs": "SQL:1:8: Spark is not known to run upper() as DuckDB does.",
    "select titel from songs": "Did you mean 'title'?",
    "select 1; select 2": "Only one statement can be run at a time",
    "drop table songs": "Only queries can be run, not DROP statements",
    "select $x": "No value is given for $x",
    "from read_csv('/etc/passwd')": "Cannot access file",
    "select null as z": "the column z has no type; state one, as in cast(null as varchar).",
}


@pytest.mark.parametrize("sql", REFUSED)
def test_what_cannot_be_asked_is_said_before_spark_starts(ledger: Config, sql: str) -> None:
    done = command(ledger, "query", sql, "--master", "nonsense")
    assert (done.returncode, done.stdout) == (2, "")
    assert REFUSED[sql] in done.stderr
    assert "Traceback" not in done.stderr


def test_the_command_line_asks_spark(ledger: Config) -> None:
    done = command(ledger, "query", "select count(*) as n from songs", "--master", "local[1]")
    assert (done.returncode, done.stdout.split()) == (0, ["n", "──", "16"])
    assert "--trusted is for DuckDB" in command(ledger, "query", "from songs", "--trusted").stderr


def test_the_command_line_pulls(ledger: Config, duck: Config, tmp_path: Path) -> None:
    done = command(ledger, "pull", "-o", str(tmp_path / "out.duckdb"), engine=())
    relations = len(Snapshots(warehouse_of(ledger.database)).published())
    assert (done.returncode, done.stderr) == (
        0,
        f"Wrote {relations} relations to {tmp_path / 'out.duckdb'}.\n",
    )
    assert rows(on(ledger, tmp_path / "out.duckdb", "duckdb"), "songs").num_rows == 16
    again = command(duck, "pull", "-o", str(tmp_path / "other.duckdb"), engine=())
    assert again.returncode == 2
    assert "was not built on Spark; it needs no pull" in again.stderr


def test_a_ledger_is_not_asked_as_if_it_were_duckdbs(ledger: Config) -> None:
    duckdb = on(ledger, ledger.database, "duckdb")
    with pytest.raises(UsageError, match="was built on Spark, not on DuckDB; add --engine spark"):
        write_answer(duckdb, Question("from songs"), "csv", io.BytesIO())


def test_a_relation_is_exported(ledger: Config, duck: Config, tmp_path: Path) -> None:
    for config in (ledger, duck):
        export(config, "songs", tmp_path / f"{config.database.stem}.csv")
    lines = [sorted((tmp_path / name).read_text().splitlines()) for name in ("ledger.csv", "duck.csv")]
    assert lines[0] == lines[1]
    with pytest.raises(UsageError, match="run `genredb pull -o FILE`, then `genredb export --database FILE`"):
        export(ledger, "submission", tmp_path / "submission.csv")


def test_checks_are_run_on_spark(ledger: Config) -> None:
    result = run_tests(ledger, options=Options(["songs"]), engine=SparkEngine(ledger))
    assert result.exit_code == 0
    assert {f"{one.node.name}" for one in result.results} > {
        "unique_songs_song_key",
        "not_null_songs_song_key",
    }


def test_what_changes_makes_predictions_out_of_date(ledger: Config, tmp_path: Path) -> None:
    """A load marks the models as old; a build removes predictions of the songs as they were."""
    config = copied(ledger, tmp_path)
    train = config.raw_dir / REAL_FILES[0]
    before = train.read_text()
    try:
        train.write_text(before + before.splitlines()[1].replace("1,Song 1,", "90,Song 90,") + "\n")
        [load] = verbs.load(config, engine=SparkEngine(config))
        assert (load.source, load.loaded) == ("raw.songs_train", 14)
        with pytest.raises(UsageError, match="run `genredb build` first"):
            predict_on_spark(config)
        result = verbs.build(config, engine=SparkEngine(config))
    finally:
        train.write_text(before)
    assert result.forgotten == {"ml.predictions": 4}
    with closing(SparkEngine(config)) as engine, open_reader(config.database) as reader:
        assert engine.executor(reader).query("select count(*) as n from predictions")[1] == [(0,)]


def damaged(config: Config) -> None:
    """Make the ledger one of another build than the snapshot, as after a death between the two."""
    folder = warehouse_of(config.database)
    manifest = folder / (folder / POINTER).read_text().strip() / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"mark": "genredb ', '"mark": "genredb 0'))


@pytest.mark.parametrize(
    "verb", [predict_on_spark, lambda config: pull(config, config.database.parent / "out")]
)
def test_a_half_published_build_is_not_read(
    ledger: Config, tmp_path: Path, verb: Callable[[Config], object]
) -> None:
    config = copied(ledger, tmp_path)
    damaged(config)
    with pytest.raises(UsageError, match="while it was published; run `genredb build --engine spark` again"):
        verb(config)
    assert not (tmp_path / "out").exists()
    assert Snapshots(warehouse_of(config.database)).published()
