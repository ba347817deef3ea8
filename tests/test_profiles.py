"""Every key of profiles.yml that the documentation names takes effect, and the places of the file have an order."""

from pathlib import Path

import pytest

from genredb.errors import UsageError
from genredb.runner.project.config import Config, Settings, read_config
from tests.conftest import rows
from tests.project_files import write_project
from tests.verbs import build

MODEL = (
    "select '{{ target.name }}' as target, '{{ target.schema }}' as schema, {{ target.threads }} as threads"
)
PLAIN = "{% macro generate_schema_name(name, node) %}{{ name or 'main' }}{% endmacro %}"
PROFILE = """
small:
  target: "{{ env_var('STAGE', 'dev') }}"
  outputs:
    dev:
      type: duckdb
      path: built/dev.duckdb
      schema: drafts
      threads: 2
      settings: {default_null_order: nulls_first}
    prod:
      type: duckdb
      path: "{{ env_var('PLACE') }}/prod.duckdb"
      threads: 3
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "built").mkdir()
    write_project(tmp_path, {"models/m.sql": MODEL, "profiles.yml": PROFILE})
    return tmp_path


def settled(project: Path, **settings: object) -> Config:
    return read_config(Settings(project_dir=project, **settings))  # type: ignore[arg-type]


def test_path_schema_threads_and_settings(project: Path) -> None:
    """The path is relative to the project; the schema is that of models which state none."""
    text = "{{ config(materialized='table') }} select current_setting('default_null_order') as setting"
    (project / "models/setting.sql").write_text(text)
    assert build(settled(project)).exit_code == 0
    database = project / "built/dev.duckdb"
    assert rows(database, "from drafts.m") == [("dev", "drafts", 2)]
    assert rows(database, "from drafts.setting") == [("NULLS_FIRST",)]


def test_target_by_the_command_line_and_by_the_file(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLACE", "built")
    assert build(settled(project, target="prod")).exit_code == 0
    assert rows(project / "built/prod.duckdb", "from m") == [("prod", "main", 3)]
    monkeypatch.setenv("STAGE", "prod")
    assert settled(project).database == project / "built/prod.duckdb"
    assert settled(project, target="dev").database == project / "built/dev.duckdb"


@pytest.mark.parametrize(
    ("kind", "files"),
    [
        ("model", {"models/m.sql": "{{ config(schema='Small') }} select 1 as one"}),
        ("seed", {"seeds/s.csv": "a\n1\n", "seeds/s.yml": "seeds: [{name: s, config: {schema: Small}}]"}),
        ("source", {"models/s.yml": "sources: [{name: small, tables: [{name: t}]}]"}),
        ("check", {"tests/t.sql": "{{ config(schema='Small') }} select 1 where false"}),
    ],
)
def test_a_schema_and_the_database_have_different_names(
    tmp_path: Path, kind: str, files: dict[str, str]
) -> None:
    """DuckDB calls their common name ambiguous; the command says so before anything runs."""
    config = write_project(tmp_path, {"macros/plain.sql": PLAIN, **files})
    with pytest.raises(UsageError, match="database small.duckdb has the name of the schema '[Ss]mall'"):
        build(config)
    assert not config.database.exists(), kind


def test_an_environment_variable_of_another_target_need_not_be_set(project: Path) -> None:
    assert settled(project).database == project / "built/dev.duckdb"


def test_the_folder_named_comes_before_the_project_and_that_before_home(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, named = project / "home", project / "named"
    monkeypatch.setenv("HOME", str(home))
    for folder, place in ((home / ".dbt", "at_home"), (named, "named")):
        folder.mkdir(parents=True)
        text = f"small: {{outputs: {{dev: {{type: duckdb, path: {place}.duckdb}}}}}}\n"
        (folder / "profiles.yml").write_text(text)
    assert settled(project, profiles_dir=named).database.name == "named.duckdb"
    assert settled(project).database.name == "dev.duckdb"
    (project / "profiles.yml").unlink()
    assert settled(project).database == project / "at_home.duckdb"


def test_the_working_directory_and_dbts_variable_come_before_the_project(
    project: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = tmp_path_factory.mktemp("here"), tmp_path_factory.mktemp("there")
    monkeypatch.chdir(here)
    (here / "profiles.yml").write_text("other: {outputs: {dev: {type: duckdb, path: other.duckdb}}}\n")
    assert settled(project).database.name == "dev.duckdb"  # that file has no such profile
    (here / "profiles.yml").write_text("small: {outputs: {dev: {type: duckdb, path: here.duckdb}}}\n")
    assert settled(project).database == project / "here.duckdb"
    (there / "profiles.yml").write_text("small: {outputs: {dev: {type: duckdb, path: there.duckdb}}}\n")
    monkeypatch.setenv("DBT_PROFILES_DIR", str(there))
    assert settled(project).database == project / "there.duckdb"
    assert settled(project, profiles_dir=here).database == project / "here.duckdb"


def test_without_a_profile_the_database_is_named_after_the_project_which_is_said(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(project))
    (project / "profiles.yml").unlink()
    config = settled(project)
    assert config.database == project / "small.duckdb"
    assert [str(one) for one in config.notices] == [
        "No profile states a `path:`, so the database is small.duckdb."
    ]
    assert not settled(project, database=project / "x.duckdb").notices


def test_without_a_target_the_output_default_is_taken_as_in_dbt(tmp_path: Path) -> None:
    outputs = "a: {type: duckdb, path: a.duckdb}, default: {type: duckdb, path: b.duckdb}"
    config = write_project(tmp_path, {"profiles.yml": f"small: {{outputs: {{{outputs}}}}}"})
    assert (config.target["name"], config.database.name) == ("default", "b.duckdb")
