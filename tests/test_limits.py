"""Memory, threads and settings that are stated hold on every connection, and cost no rebuild."""

from pathlib import Path

import pytest

from genredb.ask.diff import diff
from genredb.ask.query import Question, fetch_answer, limits_of
from genredb.errors import GenredbError, ProjectError
from genredb.runner.compile import compile_sql
from genredb.runner.project.config import Config, Settings, read_config
from genredb.warehouse.database import open_reader
from genredb.warehouse.publish import publication
from genredb.warehouse.settings import Setting, is_memory_limit, stated_memory
from tests.conftest import Cli, rows
from tests.project_files import write_project
from tests.verbs import build

MODEL = (
    "{{ config(materialized='table') }} select current_setting('memory_limit') as memory,"
    " current_setting('threads') as threads"
)
SQL = "select current_setting('memory_limit'), current_setting('threads')"


def profile(stated: str) -> dict[str, str]:
    return {"profiles.yml": f"small:\n  outputs:\n    dev: {{type: duckdb, path: small.duckdb, {stated}}}\n"}


STATED = profile("threads: 3, settings: {memory_limit: 200MiB}")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Config:
    config = write_project(tmp_path_factory.mktemp("limits"), {"models/m.sql": MODEL} | STATED)
    assert build(config).exit_code == 0
    return config


def ask(config: Config, sql: str, *, is_trusted: bool = False) -> tuple[object, ...]:
    [row] = fetch_answer(config, Question(sql, is_trusted=is_trusted)).rows
    return row


def test_the_profiles_settings_hold_for_whatever_reads_and_writes(built: Config) -> None:
    expected = ("200.0 MiB", 3)
    assert rows(built.database, "from m") == [expected]
    assert ask(built, SQL) == ask(built, SQL, is_trusted=True) == expected
    with open_reader(built.database, built.engine) as connection:
        assert connection.rows(SQL) == [expected]
    with publication(built.database, built.engine) as turn:
        assert turn.current is not None
        assert turn.current.rows(SQL) == turn.begin().rows(SQL) == [expected]
    asked = '{% set found = run_query("' + SQL + "\") %}select '{{ found.rows[0][0] }}'"
    assert compile_sql(built, template=asked) == "select '200.0 MiB'"


def test_the_command_line_comes_before_the_profile(built: Config, cli: Cli) -> None:
    options = ("--project-dir", built.root, "--format", "csv")
    stated = cli("query", SQL, *options, cwd=built.root)
    assert stated.out.splitlines()[1] == "200.0 MiB,3"
    by_option = cli("query", SQL, *options, "--memory-limit", "300MiB", "--threads", "2", cwd=built.root)
    assert by_option.out.splitlines()[1] == "300.0 MiB,2"
    variables = {"GENREDB_MEMORY_LIMIT": "400MiB", "GENREDB_THREADS": "1"}
    by_variable = cli("query", SQL, *options, cwd=built.root, env=variables)
    assert by_variable.out.splitlines()[1] == "400.0 MiB,1"


def test_a_memory_limit_may_be_a_share(built: Config, cli: Cli) -> None:
    """Of the machine's memory; a query's process is held to it as well."""
    asked = cli("query", "select 1 as one", "--memory-limit", "50%", "--format", "csv", cwd=built.root)
    assert (asked.code, asked.out) == (0, "one\n1\n")
    assert (stated_memory([Setting("memory_limit", "50%")]) or 0) > 1 << 28


@pytest.mark.parametrize(
    "stated", ["1", "GB", "0GB", "-1", "much", "1GB; drop table m", "0%", "99999999999TB"]
)
def test_a_memory_limit_that_is_none_is_a_usage_error(built: Config, cli: Cli, stated: str) -> None:
    assert not is_memory_limit(stated)
    refused = cli("build", "--memory-limit", stated, cwd=built.root)
    assert refused.code == 2
    assert "--memory-limit should be a size such as 2GB, or a share such as 50%" in refused.err


def test_threads_are_at_least_one(built: Config, cli: Cli) -> None:
    assert cli("build", "--threads", "0", cwd=built.root).code == 2


def test_other_limits_build_nothing_again(tmp_path: Path) -> None:
    files = {"models/m.sql": "select 1 as x"}
    assert len(build(write_project(tmp_path, files | STATED)).results) == 1
    for stated in (
        "settings: {memory_limit: 1GB}",
        "threads: 1, settings: {max_memory: 2GB, worker_threads: 2}",
    ):
        assert not build(write_project(tmp_path, profile(stated))).results


@pytest.mark.parametrize(
    "name",
    [
        "temp_directory",
        "access_mode",
        "enable_external_access",
        "SEARCH_PATH",
        "lock_configuration",
        "default_order",
        "enable_profiling",
        "log_query_path",
        "max_expression_depth",
        "enable_view_dependencies",
    ],
)
def test_settings_that_promises_rest_on_are_refused_with_their_line(
    built: Config, tmp_path: Path, name: str
) -> None:
    yml = f"small:\n  outputs:\n    dev:\n      type: duckdb\n      settings:\n        {name}: x\n"
    config = write_project(tmp_path, {"models/m.sql": MODEL, "profiles.yml": yml})
    with pytest.raises(ProjectError, match=rf"profiles.yml:6: the setting `{name}` is reserved for genredb"):
        build(config)


def test_readers_refuse_a_wrong_setting_as_builds_do(built: Config, tmp_path: Path) -> None:
    (tmp_path / "profiles.yml").write_text(profile("settings: {memory_limt: 1GB}")["profiles.yml"])
    config = read_config(Settings(project_dir=built.root, profiles_dir=tmp_path, database=built.database))
    with pytest.raises(
        ProjectError, match="DuckDB has no setting `memory_limt`. Did you mean 'memory_limit'?"
    ):
        ask(config, SQL)


def test_a_negative_memory_limit_is_refused(tmp_path: Path) -> None:
    config = write_project(tmp_path, {"models/m.sql": MODEL} | profile("settings: {max_memory: -1GB}"))
    with pytest.raises(ProjectError, match="`max_memory:` should be a size such as 512MB .*, not -1GB"):
        build(config)


def test_what_runs_out_and_how_to_raise_it_is_said(tmp_path: Path) -> None:
    large = "{{ config(materialized='table') }} select array_agg(i) as x from range(9000000) as numbers(i)"
    config = write_project(
        tmp_path, {"models/m.sql": large} | profile("threads: 1, settings: {memory_limit: 40MiB}")
    )
    with pytest.raises(GenredbError, match="reached its memory limit of 40.0 MiB; raise --memory-limit"):
        build(config)
    assert list(tmp_path.glob(".small*")) == [], "what was spilled is gone"


def test_two_databases_are_compared_within_the_limits(built: Config, tmp_path: Path) -> None:
    other = tmp_path / "other.duckdb"
    other.write_bytes(built.database.read_bytes())
    with pytest.raises(ProjectError, match="no setting `threds`"):
        diff(built.database, other, (Setting("threds", 1),))
    assert diff(built.database, other, built.engine).relations == ()


@pytest.mark.parametrize(
    ("text", "size"),
    [("1GB", 10**9), ("1.5GiB", 3 << 29), ("512 mib", 512 << 20), ("100B", 100), ("-1", None)],
)
def test_a_querys_process_may_take_a_gibibyte_beside_duckdb(
    built: Config, text: str, size: int | None
) -> None:
    assert stated_memory([Setting("threads", 1), Setting("max_memory", text)]) == size
    assert limits_of(built, None).memory == (200 << 20) + (1 << 30)
    assert limits_of(built, None, is_trusted=True).memory is None
