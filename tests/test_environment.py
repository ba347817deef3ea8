"""The environment variables that stand for options: each has the effect of its option."""

from pathlib import Path

from tests.conftest import Cli
from tests.project_files import write_project

FILES = {
    "models/m.sql": "select '{{ target.name }}' as target, {{ var('round', 1) }} as round",
    "models/m.yml": "models: [{name: m, columns: [{name: round, data_tests: [not_null]}]}]",
}
PROFILE = (
    "small:\n  target: dev\n  outputs:\n    dev: {type: duckdb, path: a.duckdb}\n"
    "    prod: {type: duckdb, path: b.duckdb}\n"
)


def test_project_profiles_target_and_variables(tmp_path: Path, cli: Cli) -> None:
    project, profiles, elsewhere = (tmp_path / name for name in ("project", "profiles", "elsewhere"))
    for folder in (profiles, elsewhere):
        folder.mkdir()
    write_project(project, FILES)
    (project / "profiles.yml").rename(profiles / "profiles.yml")
    (profiles / "profiles.yml").write_text(PROFILE, encoding="utf-8")
    env = {
        "GENREDB_PROJECT_DIR": str(project),
        "GENREDB_PROFILES_DIR": str(profiles),
        "GENREDB_TARGET": "prod",
        "GENREDB_VARS": "round: 2",
    }
    assert (
        cli("compile", "m", cwd=elsewhere, env=env)
        .out.strip()
        .endswith("select 'prod' as target, 2 as round")
    )


def test_verbose_prints_checks_that_pass(tmp_path: Path, cli: Cli) -> None:
    write_project(tmp_path, FILES)
    assert "not_null" not in cli("build", cwd=tmp_path).err
    verbose = cli("build", "--full-refresh", cwd=tmp_path, env={"GENREDB_VERBOSE": "1"})
    assert "not_null" in verbose.err
