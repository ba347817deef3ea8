"""In a project that knows no songs, nothing speaks of them and nothing is made for them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from genredb.build.run import build
from genredb.errors import UsageError
from genredb.learn.evaluate import evaluate
from genredb.learn.explain import explain
from genredb.learn.kept import list_classifiers, show_classifier
from genredb.learn.learning_curve import learning_curve
from genredb.learn.predict import predict
from genredb.learn.train import train
from genredb.project.config import Config
from genredb.query.describe import describe_songs
from tests.conftest import Cli, rows
from tests.project_files import write_project


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
    ],
)
def test_what_needs_songs_says_that_there_are_none(config: Config, verb: Callable[[Config], object]) -> None:
    message = r"^There is no features\.train in the database; the project has no such model, and classifiers"
    with pytest.raises(UsageError, match=message):
        verb(config)


def test_a_bare_describe_lists_the_relations(config: Config) -> None:
    (section,) = describe_songs(config, 20)
    assert section.rows[0] == ("one", "view", 1, "A number.")


def test_a_bare_describe_prints_the_relations(config: Config, cli: Cli) -> None:
    done = cli("describe", cwd=config.home)
    assert done.code == 0, done.err
    assert done.out.startswith("Relations\n")


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
