"""In a project that knows no songs, nothing speaks of them and nothing is made for them."""

import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import duckdb
import pytest

from genredb.ask.describe import describe_songs
from genredb.catalog import Catalog
from genredb.doctor import examine
from genredb.errors import ProjectError, UsageError
from genredb.reports.contents import RelationsReport
from genredb.runner.flow.lineage import Lineage
from genredb.runner.graph.nodes import Model
from genredb.runner.project.config import Config
from genredb.songs.classifiers import remove_classifier, show_classifier, use_classifier
from genredb.songs.evaluate import evaluate
from genredb.songs.explain import explain
from genredb.songs.learning_curve import learning_curve
from genredb.songs.predict import predict
from genredb.songs.train import train
from tests.conftest import Cli, changed, rows
from tests.json_reference import faults
from tests.project_files import compiled, write_project
from tests.verbs import build, list_classifiers


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    files = {
        "models/one.sql": "select 1 as a",
        "models/one.yml": "models: [{name: one, description: A number.}]",
    }
    config = write_project(tmp_path_factory.mktemp("small"), files)
    assert build(config).is_published
    return config


def test_no_tables_are_made_for_songs_and_files(config: Config) -> None:
    found = rows(config.database, "select distinct table_schema from information_schema.tables order by all")
    assert found == [("main",), ("meta",)]


@pytest.mark.parametrize(
    "verb",
    [
        predict,
        train,
        list_classifiers,
        lambda config: evaluate(config, ["majority"], "seed"),
        lambda config: explain(config, "3"),
        lambda config: learning_curve(config, "majority"),
        lambda config: show_classifier(config, "x"),
        lambda config: use_classifier(config, "forest"),
        lambda config: remove_classifier(config, "x"),
    ],
)
def test_what_needs_songs_says_that_there_are_none(config: Config, verb: Callable[[Config], object]) -> None:
    message = r"^The project has no feature views; to train and predict, add the models train, .* of `role: feature`\.$"
    with pytest.raises(UsageError, match=message):
        verb(config)
    test_no_tables_are_made_for_songs_and_files(config)


SCHEMA = """{% macro generate_schema_name(name, node) %}{{ name or target.schema }}{% endmacro %}"""
VIEW = "{{ config(schema='features') }} select 1 as number, 2.5 as size"
STATED = (
    "columns: [{name: number, config: {meta: {role: id}}}, {name: size, config: {meta: {role: feature}}}]"
)


@pytest.mark.parametrize(
    "verb",
    [
        predict,
        train,
        list_classifiers,
        lambda config: evaluate(config, ["majority"], "seed"),
        lambda config: explain(config, "3"),
        lambda config: learning_curve(config, "majority"),
    ],
)
def test_feature_views_without_the_columns_of_songs_are_named(
    tmp_path: Path, verb: Callable[[Config], object]
) -> None:
    views = ("train", "train_common", "predict")
    files = {f"models/{view}.sql": VIEW for view in views}
    models = ", ".join(f"{{name: {view}, {STATED}}}" for view in views)
    config = write_project(
        tmp_path, {**files, "models/p.yml": f"models: [{models}]", "macros/schema.sql": SCHEMA}
    )
    assert build(config).is_published
    message = (
        "^There is no features.train with the columns song_key, source, id, artist_key, genre, genre_group"
    )
    with pytest.raises(UsageError, match=message):
        verb(config)
    found = list(examine(config.settings))
    assert not [one for one in found if one.level == "problem"]
    assert not [one for one in found if one.cure == "genredb predict"], "it would not cure this"


def test_a_column_of_songs_that_is_missing_is_named(predicted: Config, tmp_path: Path) -> None:
    """Evaluations and explanations read main.songs."""
    config = changed(predicted, tmp_path, "alter table songs drop recording_key")
    for verb in (
        lambda: evaluate(config, ["majority"], "seed"),
        lambda: learning_curve(config, "majority"),
        lambda: explain(config, "3"),
    ):
        with pytest.raises(UsageError, match=r"^There is no main\.songs with the column recording_key; "):
            verb()


def test_a_bare_describe_lists_the_relations(config: Config, cli: Cli) -> None:
    """`describe` lists the relations where nothing describes songs, in the shape that the page states."""
    with Catalog(config) as catalog:
        assert describe_songs(catalog, 20) == []
    done = cli("describe", cwd=config.home)
    assert done.code == 0, done.err
    assert done.out.startswith("Relations\n")
    found = json.loads(cli("describe", "--json", cwd=config.home).out)
    assert list(faults(found, RelationsReport)) == []
    assert found["relations"][0] == {
        "relation": "one", "kind": "view", "meaning": "A number.", "columns": ["a"]
    }  # fmt: skip


def test_a_project_that_gains_files_gets_its_quarantine(tmp_path: Path) -> None:
    source = """
sources:
  - name: raw
    tables:
      - name: numbers
        config: {meta: {file: numbers.csv}}
        columns: [{name: a, data_type: integer}]
"""
    config = write_project(tmp_path, {"models/one.sql": "select 1 as a"})
    build(config)
    files = {"models/s.yml": source, "models/two.sql": "from {{ source('raw', 'numbers') }}"}
    config = write_project(tmp_path, {**files, "data/raw/numbers.csv": "a\n1\nx\n"})
    assert build(config).is_published
    assert rows(config.database, "select line, text from raw.quarantine") == [(3, "x")]
    for name in files:
        (tmp_path / name).unlink()
    assert build(config).is_published


def test_a_schema_called_ml_is_the_projects_own(tmp_path: Path) -> None:
    """Its rows may change unseen, as those of any table that genredb does not load."""
    files = {
        "models/copy.sql": "{{ config(materialized='table') }} select * from {{ source('ml', 'x') }}",
        "models/sources.yml": "sources: [{name: ml, tables: [{name: x}]}]",
    }
    config = write_project(tmp_path, files)
    with closing(duckdb.connect(str(config.database))) as connection:
        connection.execute("create schema ml; create table ml.x as select 1 as a")
    assert build(config).is_published
    with closing(duckdb.connect(str(config.database))) as connection:
        connection.execute("insert into ml.x values (2)")
    assert build(config).is_published
    assert rows(config.database, "from copy order by a") == [(1,), (2,)]


def test_a_model_called_predict_brings_no_songs(tmp_path: Path) -> None:
    config = write_project(tmp_path, {"models/predict.sql": "select 1 as a"})
    assert build(config).is_published
    assert rows(config.database, "select count(*) from duckdb_tables() where schema_name = 'ml'") == [(0,)]


def test_a_raw_table_has_the_name_of_its_identifier(tmp_path: Path) -> None:
    source = "{name: numbers, identifier: nums, config: {meta: {file: numbers.csv}}, columns: [{name: a}]}"
    files = {
        "models/copy.sql": "select a from {{ source('raw', 'numbers') }}",
        "models/sources.yml": f"sources: [{{name: raw, tables: [{source}]}}]",
        "data/raw/numbers.csv": "a\n1\n",
    }
    config = write_project(tmp_path, files)
    assert build(config).is_published
    assert rows(config.database, "from copy") == rows(config.database, "from raw.nums") == [("1",)]


def test_lineage_of_a_name_is_that_of_the_model_not_of_the_raw_table(tmp_path: Path) -> None:
    source = "{name: numbers, config: {meta: {file: numbers.csv}}, columns: [{name: a}]}"
    files = {
        "models/numbers.sql": "select a, a || '!' as b from {{ source('raw', 'numbers') }}",
        "models/sources.yml": f"sources: [{{name: raw, tables: [{source}]}}]",
    }
    node, _ = Lineage(compiled(tmp_path, files)).find("numbers")
    assert isinstance(node, Model)


@pytest.mark.parametrize("stated", ["formatter: [oldstyle]", "formatter: {a: b}", "external_location: [1]"])
def test_a_location_that_is_no_text_is_refused(tmp_path: Path, stated: str) -> None:
    source = f"{{name: x, config: {{meta: {{external_location: x.csv, {stated}}}}}}}"
    if stated.startswith("external"):
        source = f"{{name: x, config: {{meta: {{{stated}}}}}}}"
    files = {
        "models/copy.sql": "select * from {{ source('raw', 'x') }}",
        "models/sources.yml": f"sources: [{{name: raw, tables: [{source}]}}]",
    }
    with pytest.raises(ProjectError, match="should be a string, not"):
        compiled(tmp_path, files)


@pytest.mark.parametrize(
    "columns",
    [
        "[{name: a, data_type: bigit}]",
        "[{name: a, data_type: 'decimal(99, 2)'}]",
        "[{name: a}, {name: A, config: {meta: {optional: true}}}]",
        "[]",
    ],
)
def test_a_raw_table_that_cannot_be_made_is_refused_with_its_file(tmp_path: Path, columns: str) -> None:
    source = f"{{name: numbers, config: {{meta: {{file: numbers.csv}}}}, columns: {columns}}}"
    files = {
        "models/copy.sql": "select 1 as a from {{ source('raw', 'numbers') }}",
        "models/sources.yml": f"sources: [{{name: raw, tables: [{source}]}}]",
        "data/raw/numbers.csv": "a\n1\n",
    }
    with pytest.raises(ProjectError, match=r"models/sources.yml.*") as refused:
        build(write_project(tmp_path, files))
    assert "exception_type" not in str(refused.value)
