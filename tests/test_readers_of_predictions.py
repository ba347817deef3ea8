"""Tables and checks on predictions: they see what was predicted, and never predictions of other songs."""

import shutil
from pathlib import Path

import pytest

from genredb.errors import ProjectErrors
from genredb.runner.planning.options import Options
from genredb.runner.project.config import Config, Settings, read_config
from genredb.runner.results import Status
from genredb.songs.predict import predict
from tests.conftest import REAL_FILES, ROOT, rows, song, write_raw
from tests.verbs import build, plan

pytestmark = pytest.mark.usefixtures("quick_forests")
COUNTS = """
{{ config(materialized='table') }}
select genre_group, count(*) as songs from {{ ref('predictions') }} group by genre_group
"""
CHECK = "select * from {{ ref('predictions') }} where song_key <> 'never'"


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """The shipped project with a table and a check on a view of predictions, built."""
    shutil.copytree(ROOT / "sql", tmp_path / "sql")
    shutil.copytree(ROOT / "data", tmp_path / "data", ignore=shutil.ignore_patterns("*.csv.lock", "raw"))
    for name in ("dbt_project.yml", "profiles.yml"):
        shutil.copy(ROOT / name, tmp_path)
    raw_dir = tmp_path / "data" / "raw"
    raw_dir.mkdir()
    write_raw(raw_dir)
    (tmp_path / "sql" / "models" / "counts.sql").write_text(COUNTS)
    config = read_config(Settings(project_dir=tmp_path))
    assert build(config).exit_code == 0
    return config


def counted(config: Config) -> tuple[int, int]:
    """The songs that the table counts, and the predictions."""
    sql = "select (select coalesce(sum(songs), 0) from counts), (select count(*) from ml.predictions)"
    [(found, predicted)] = rows(config.database, sql)
    return int(found), int(predicted)


def add_song(config: Config) -> None:
    """Add a song to predict."""
    with (config.raw_dir / REAL_FILES[1]).open("a", encoding="utf-8") as file:
        file.write(f"999,Late,Artist 1,1999,{song(7)}\n")


def test_a_table_is_built_from_new_predictions(config: Config) -> None:
    assert counted(config) == (0, 0)
    predict(config)
    found = {i: str(reason) for i, reason in plan(config).reasons.items()}
    assert found["model.genredb.counts"] == "ml.predictions changed"
    assert "model.genredb.predictions" not in found  # a view has them already
    result = build(config)
    assert {r.node.name for r in result.results if r.node.is_built} == {"counts"}
    songs, predicted = counted(config)
    assert songs == predicted > 0
    assert build(config).results == ()


def test_a_table_never_keeps_forgotten_predictions(config: Config) -> None:
    predict(config)
    build(config)
    add_song(config)
    assert build(config).forgotten["ml.predictions"] > 0
    assert counted(config) == (0, 0)
    assert build(config).results == ()


@pytest.mark.parametrize("source", ["source('ml', 'predictions')", "source('mine', 'predicted')"])
def test_a_table_alone_is_brought_up_to_date_when_predictions_are_forgotten(
    config: Config, source: str
) -> None:
    """Nothing else upstream of it changed: it reads predictions alone, under whatever name."""
    path = config.home / "sql" / "models" / "counts.sql"
    path.write_text(COUNTS.replace("ref('predictions')", source))
    named = "sources: [{name: mine, schema: ML, tables: [{name: predicted, identifier: Predictions}]}]"
    path.with_name("mine.yml").write_text(named)
    build(config)
    predict(config)
    build(config)
    add_song(config)
    assert "model.genredb.counts" not in plan(config).reasons
    result = build(config)
    found = {r.node.name: str(r.reason) for r in result.results if r.node.is_built}
    assert found["counts"] == "ml.predictions changed"
    assert counted(config) == (0, 0)


def test_a_check_sees_new_predictions(config: Config) -> None:
    (config.home / "sql" / "tests" / "none_predicted.sql").write_text(CHECK)
    assert build(config).exit_code == 0
    predict(config)
    result = build(config)
    assert result.exit_code == 1
    assert [r.node.name for r in result.results if r.status is Status.FAIL] == ["none_predicted"]


@pytest.mark.usefixtures("few_rows_are_enough")
def test_a_check_sees_that_predictions_were_forgotten(config: Config) -> None:
    """Also where the build looks only at the rows of songs that changed."""
    predict(config)
    check = "select 1 as missing where (select count(*) from {{ ref('predictions') }}) = 0"
    (config.home / "sql" / "tests" / "some_predicted.sql").write_text(check)
    assert build(config).exit_code == 0
    add_song(config)
    result = build(config)
    assert [r.node.name for r in result.results if r.status is Status.FAIL] == ["some_predicted"]
    assert rows(config.database, "select count(*) > 0 from ml.predictions") == [(True,)]  # not published


@pytest.mark.parametrize(
    ("name", "text", "other"),
    [
        ("dbt_project.yml", "min_genre_songs: 3", "min_genre_songs: 4"),
        ("sql/models/features/features.yml", "role: feature", "note: none"),
    ],
)
def test_predictions_of_other_settings_are_forgotten_before_they_are_read(
    config: Config, name: str, text: str, other: str
) -> None:
    predict(config)
    build(config)
    path = config.home / name
    path.write_text(path.read_text().replace(text, other, 1))
    config = read_config(Settings(project_dir=config.home))
    assert build(config).forgotten["ml.predictions"] > 0
    assert counted(config) == (0, 0)
    assert build(config).results == ()


def test_a_table_left_out_is_built_next_time(config: Config) -> None:
    path = config.home / "sql" / "models" / "counts.sql"
    path.write_text(COUNTS.replace("ref('predictions')", "source('ml', 'predictions')"))
    predict(config)
    build(config)
    add_song(config)
    build(config, options=Options(excluded=("counts",)))
    assert {r.node.name for r in build(config).results if r.node.is_built} == {"counts"}
    assert counted(config) == (0, 0)


def test_a_feature_view_reads_no_predictions(config: Config) -> None:
    """Not even in a column that is no feature: no prediction would fit the songs that it was made from."""
    read = "select song_key, basis from {{ source('ml', 'predictions') }}"
    (config.home / "sql" / "models" / "before.sql").write_text(read)
    path = config.home / "sql" / "models" / "features" / "song_features.sql"
    text = path.read_text().replace("        genre,\n", "        before.basis,\n        genre,\n")
    joined = "from songs left join {{ ref('before') }} as before using (song_key)\n)"
    path.write_text(text.replace("from songs\n)", joined))
    with pytest.raises(ProjectErrors) as error:
        build(config)
    assert (
        "sql/models/before.sql: features.predict reads ml.predictions by way of before, but predictions are made"
        " from it; predict from the songs alone." in str(error.value)
    )


def test_a_hook_that_changes_songs_is_followed_by_another_build(config: Config) -> None:
    """It runs after the table on predictions was built."""
    predict(config)
    build(config)
    path = config.home / "dbt_project.yml"
    path.write_text(path.read_text() + 'on-run-end: ["update songs set bpm = 77"]\n')
    config = read_config(Settings(project_dir=config.home))
    assert build(config).forgotten["ml.predictions"] > 0
    build(config)
    assert counted(config) == (0, 0)


def test_a_table_that_names_predictions_without_source_is_always_built(config: Config) -> None:
    path = config.home / "sql" / "models" / "counts.sql"
    path.write_text(COUNTS.replace("{{ ref('predictions') }}", "ml.predictions"))
    build(config)
    predict(config)
    result = build(config)
    found = {r.node.name: str(r.reason) for r in result.results if r.node.is_built}
    assert found == {"counts": "reads ml.predictions without ref() or source()"}
    songs, predicted = counted(config)
    assert songs == predicted > 0
