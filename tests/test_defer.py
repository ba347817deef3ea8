"""``build --defer``: what is not selected and does not exist here is read from the relations of a manifest."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from genredb.errors import UsageError
from genredb.runner.planning.options import Options
from genredb.runner.project.config import Config, read_config
from genredb.runner.results import BuildResult
from tests.conftest import Cli, rows
from tests.project_files import write_project
from tests.verbs import build

PROFILE = (
    "small: {target: prod, outputs: {prod: {type: duckdb, path: small.duckdb, schema: prod},"
    " dev: {type: duckdb, path: small.duckdb, schema: dev}}}"
)
FILES = {
    "dbt_project.yml": "name: small\nversion: '1.0'\nprofile: small\n",
    "profiles.yml": PROFILE,
    "seeds/s.csv": "x\n1\n",
    "models/base.sql": "{{ config(materialized='table') }} select x, '{{ target.name }}' as made_for from {{ ref('s') }}",
    "models/between.sql": "{{ config(materialized='ephemeral') }} select * from {{ ref('base') }}",
    "models/child.sql": "select * from {{ ref('between') }}",
    "models/p.yml": "models: [{name: child, columns: [{name: x, data_tests: [{relationships: {arguments: {to: ref('s'), field: x}}}]}]}]",
}


def write_targets(folder: Path) -> Config:
    """Write a project with two targets in one file; return that of the second."""
    config = write_project(folder, FILES)
    return read_config(replace(config.settings, target="dev"))


@pytest.fixture
def dev(tmp_path: Path) -> Config:
    """The target dev, in whose file the target prod is built; its manifest is in `state`."""
    dev = write_targets(tmp_path)
    assert build(read_config(replace(dev.settings, target=None))).exit_code == 0
    shutil.copytree(dev.target_dir, tmp_path / "state")
    return dev


def deferred(dev: Config, *, favor_state: bool = False, selected: str = "child") -> BuildResult:
    options = Options((selected,), state_dir=dev.root / "state", defer=True, favor_state=favor_state)
    return build(dev, options=options)


def test_what_does_not_exist_here_is_read_from_the_state(dev: Config) -> None:
    result = deferred(dev)
    assert {done.node.name: done.status.value for done in result.results} == {
        "child": "success",
        "relationships_child_x__x__ref_s_": "success",
    }
    assert rows(dev.database, "from dev.child") == [(1, "prod")]
    assert rows(dev.database, "select table_name from duckdb_tables() where schema_name = 'dev'") == []
    assert build(dev).exit_code == 0  # makes all here, and the child anew from it
    assert rows(dev.database, "from dev.child") == [(1, "dev")]
    assert rows(dev.database, "from prod.child") == [(1, "prod")]


def test_the_first_build_of_a_file_reads_an_attached_one(tmp_path: Path) -> None:
    attached = "{type: duckdb, path: dev.duckdb, attach: [{path: small.duckdb}]}"
    files = FILES | {"profiles.yml": f"{PROFILE[:-2]}, fresh: {attached}}}}}"}
    prod = write_project(tmp_path, files)
    assert build(prod).exit_code == 0
    shutil.copytree(prod.target_dir, tmp_path / "state")
    fresh = read_config(replace(prod.settings, target="fresh"))
    assert deferred(fresh).exit_code == 0
    assert rows(fresh.database, "select view_name from duckdb_views() where not internal") == [("child",)]


def test_relations_of_another_target_outlive_a_build_of_some_and_then_all(dev: Config) -> None:
    build(dev, options=Options(selected=("s",)))
    assert build(dev).exit_code == 0
    assert rows(dev.database, "select count(*) from prod.s, prod.base, prod.child, dev.child") == [(1,)]


def test_what_exists_here_is_read_unless_the_state_is_favored(dev: Config) -> None:
    build(dev)
    deferred(dev)
    assert rows(dev.database, "from dev.child") == [(1, "dev")]
    deferred(dev, favor_state=True)
    assert rows(dev.database, "from dev.child") == [(1, "prod")]
    deferred(dev, favor_state=True, selected="+child")  # what is selected is never read from elsewhere
    assert rows(dev.database, "from dev.child") == [(1, "dev")]


def test_a_python_model_reads_the_state_too(dev: Config) -> None:
    (dev.root / "models" / "p.py").write_text("def model(dbt, session):\n    return dbt.ref('base')\n")
    assert deferred(dev, selected="p").exit_code == 0
    assert rows(dev.database, "from dev.p") == [(1, "prod")]


def test_what_is_in_neither_is_refused_by_name(dev: Config) -> None:
    before = dev.database.read_bytes()
    manifest = dev.root / "state" / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"database": "small"', '"database": "large"'))
    with pytest.raises(UsageError) as error:
        deferred(dev)
    assert str(error.value) == (
        '--defer: the state has base in "large"."prod"."base", which does not exist in small.duckdb or a database'
        " attached to it; build it here: add it to --select, as in +base."
    )
    assert dev.database.read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--defer"], "--defer needs the manifest.json of an earlier run; give its folder with --state"),
        (["--favor-state", "--state", "state"], "--favor-state is for --defer; add --defer"),
        (["--defer", "--state", "state", "--engine", "spark"], "--defer works on DuckDB only"),
        (["--defer", "--state", "models", "-s", "child"], "models holds no manifest.json that can be read"),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    dev: Config, cli: Cli, arguments: list[str], message: str
) -> None:
    done = cli("build", "--target", "dev", *arguments, cwd=dev.root)
    assert (done.code, done.err) == (2, f"error: {message}.\n")
