"""The read API: a project and one state of its database, read as frozen values, each opened once."""

import shutil
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from genredb.catalog import Catalog
from genredb.errors import UsageError
from genredb.runner.graph import compiler
from genredb.runner.graph.compiler import Compilation, compile_project
from genredb.runner.lineage import trace
from genredb.runner.ls import ls
from genredb.runner.plan import plan
from genredb.runner.planning.options import Options
from genredb.runner.problems import Problems
from genredb.runner.project.config import Config
from genredb.runner.project.discover import Project
from genredb.songs.evaluate import evaluate
from genredb.songs.extension import SONGS
from tests.conftest import ROOT, changed
from tests.project_files import write_project
from tests.verbs import build

NODES = """
import sys
from genredb.catalog import Catalog
from genredb.runner.ls import ls
from genredb.runner.project.config import Settings, read_config
with Catalog(read_config(Settings())) as catalog:
    assert len(ls(catalog)) > 50
print(*{"duckdb", "sqlglot", "sklearn", "numpy"} & sys.modules.keys())
"""


def test_nodes_are_listed_without_a_database_or_any_library_of_one() -> None:
    """What a command does not ask for is not imported."""
    done = subprocess.run([sys.executable, "-c", NODES], cwd=ROOT, check=True, capture_output=True, text=True)
    assert done.stdout.split() == []


def test_a_project_is_compiled_once_for_all_that_is_read(
    predicted: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nodes, lineage and a plan of one catalog are those of one graph."""
    compiled: list[Project] = []

    def counted(project: Project, problems: Problems) -> Compilation:
        compiled.append(project)
        return compile_project(project, problems)

    monkeypatch.setattr(compiler, "compile_project", counted)
    with Catalog(predicted) as catalog:
        assert ls(catalog, ["songs"])[0].name == "songs"
        assert trace(catalog, "songs.genre").edges
        assert plan(catalog, Options(), SONGS).made == []
    assert len(compiled) == 1


def test_what_a_database_holds_is_refused_where_there_is_none(tmp_path: Path) -> None:
    """Nodes are listed all the same."""
    with Catalog(write_project(tmp_path, {"models/one.sql": "select 1 as a"})) as catalog:
        assert [node.name for node in ls(catalog)] == ["one"]
        with pytest.raises(UsageError, match="There is no database"):
            _ = catalog.relations


SOURCE = """
sources:
  - name: raw
    tables:
      - name: numbers
        config: {meta: {file: numbers.csv}}
        columns: [{name: a, data_type: integer}]
models:
  - name: two
    columns:
      - {name: a, data_tests: [unique, {accepted_values: {values: [1, 2], config: {severity: warn}}}]}
"""


def test_runs_loads_and_checks_are_those_of_the_database(tmp_path: Path) -> None:
    """Each check comes with its last result, each file with how many of its rows could not be loaded."""
    files = {
        "models/s.yml": SOURCE,
        "models/two.sql": "{{ config(materialized='table') }} select a from {{ source('raw', 'numbers') }}",
        "data/raw/numbers.csv": "a\n1\nx\n",
    }
    build(write_project(tmp_path, files))
    config = write_project(tmp_path, {**files, "data/raw/numbers.csv": "a\n1\n3\n4\nx\n"})
    assert build(config).is_published
    with Catalog(config) as catalog:
        assert [run.command for run in catalog.runs] == ["build", "build"]
        latest, earlier = catalog.node_runs
        assert (latest.run_id, earlier.run_id) == tuple(run.run_id for run in catalog.runs)
        assert (latest.unique_id, latest.row_count, latest.status) == ("model.small.two", 3, "success")
        last = {check.node.name: check.last for check in catalog.checks}
        assert {name: (one.status, one.failing_rows) for name, one in last.items() if one} == {
            "unique_two_a": ("success", 0),
            "accepted_values_two_a__1__2": ("warn", 2),
        }
        (load,) = catalog.loads
        assert (load.file, load.records, load.loaded) == ("numbers.csv", 4, 3)
        assert catalog.quarantined == {"raw.numbers": 1}


def test_a_database_of_another_version_has_no_history(predicted: Config, tmp_path: Path) -> None:
    """Its tables may have another shape; a check that has not run has no last result."""
    with Catalog(
        changed(predicted, tmp_path, "update meta.state set value = '1' where key = 'layout'")
    ) as old:
        assert (old.runs, old.loads, old.quarantined) == ((), (), {})
        assert {check.last for check in old.checks} == {None}


def test_evaluations_are_those_of_the_leaderboard_and_read_without_scikit_learn(evaluated: Config) -> None:
    """The verdicts on differences are the same; nothing is evaluated again, and no estimator is imported."""
    with Catalog(evaluated) as catalog:
        found = catalog.evaluations(label="genre_group")
        assert catalog.evaluations("unseen") == []
    assert {one.classifier for one in found} == {"artist_vote", "majority"}
    assert found == [one for one in evaluate(evaluated, ["majority"]) if one.label == "genre_group"]
    assert [one.is_noise is None for one in found] == [one.classifier == "artist_vote" for one in found]
    script = "import sys, genredb.songs.learn.leaderboard, genredb.songs.learn.reports; print('sklearn' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, check=True, capture_output=True, text=True
    )
    assert done.stdout == "False\n"


def test_evaluations_of_other_songs_are_not_shown_beside_current_ones(
    evaluated: Config, tmp_path: Path
) -> None:
    database = tmp_path / "genre.duckdb"
    shutil.copyfile(evaluated.database, database)
    with closing(duckdb.connect(str(database))) as connection:
        connection.execute("update ml.evaluations set digest = 'x' || digest where classifier = 'majority'")
    with Catalog(replace(evaluated, database=database)) as catalog:
        assert [one.classifier for one in catalog.evaluations()] == ["artist_vote"]
        with pytest.raises(UsageError, match="There is no protocol 'unsen'. Did you mean 'unseen'?"):
            catalog.evaluations("unsen")
        with pytest.raises(UsageError, match="There is no label 'genres'. Did you mean 'genre'?"):
            catalog.evaluations(label="genres")
