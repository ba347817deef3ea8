"""``genredb freshness`` tells how old the rows of sources are, as ``dbt source freshness`` does."""

import json
import shutil
from pathlib import Path

import duckdb
import pytest

from genredb.errors import GenredbError, ProjectError, UsageError
from genredb.runner.freshness import freshness
from genredb.runner.graph.nodes import Source
from genredb.runner.planning.options import Options
from genredb.runner.project.config import Config
from tests.conftest import Cli
from tests.project_files import compiled, write_project
from tests.verbs import build

YML = """
sources:
  - name: s
    schema: main
    loaded_at_field: loaded
    freshness: {warn_after: {count: 1, period: hour}, error_after: {count: 1, period: day}}
    tables:
      - name: fresh
      - name: old
        freshness: {filter: "k = 1"}
      - name: naive
      - name: days
      - name: nothing
      - name: texts
      - name: missing
      - name: without
        identifier: fresh
        freshness: null
      - name: asked
        identifier: old
        config: {loaded_at_query: "select max(loaded) from {{ this }} where k = {{ var('k', 1) }}"}
      - name: merged
        identifier: old
        config: {freshness: {error_after: {count: 100, period: day}, filter: "k = 1"}}
      - name: counted
        identifier: old
        freshness: {error_after: {count: 2, period: day}, filter: "k = 1"}
      - name: computed
        identifier: old
        loaded_at_field: "loaded - interval 2 hour"
  - name: n
    schema: main
    tables:
      - name: fresh
        freshness: {warn_after: {count: 1, period: minute}}
      - name: plain
        identifier: fresh
      - name: only_a_filter
        identifier: fresh
        config: {loaded_at_field: loaded, freshness: {filter: "true"}}
"""
TABLES = """
    create table fresh as select now() as loaded;
    create table old as select now() - interval 30 hour as loaded, 1 as k union all select now(), 2;
    create table naive as select now() at time zone 'UTC' - interval 3 hour as loaded;
    create table days as select current_date as loaded;
    create table nothing (loaded timestamp);
    create table texts as select '2020-01-01' as loaded;
"""
STATUSES = {
    "n.fresh": "runtime error",
    "s.asked": "error",
    "s.computed": "warn",
    "s.counted": "warn",
    "s.days": "runtime error",
    "s.fresh": "pass",
    "s.merged": "warn",
    "s.missing": "runtime error",
    "s.naive": "warn",
    "s.nothing": "error",
    "s.old": "error",
    "s.texts": "runtime error",
}


def write_ages(folder: Path) -> Config:
    """Write a project with sources of all ages, and its database."""
    config = write_project(
        folder, {"models/s.yml": YML, "models/m.sql": "select * from {{ source('s', 'old') }}"}
    )
    with duckdb.connect(str(config.database)) as connection:
        connection.execute(TABLES)
    return config


@pytest.fixture
def config(tmp_path: Path) -> Config:
    config = write_ages(tmp_path)
    assert build(config).exit_code == 0
    return config


def test_each_source_has_the_status_that_dbt_gives_it(config: Config) -> None:
    found = freshness(config)
    assert {one.name: one.status.value for one in found} == STATUSES
    told = {one.name: one.message for one in found if one.message}
    assert told["n.fresh"].startswith("models/s.yml: fresh has no `loaded_at_field:`")
    assert "loaded is DATE, not a timestamp; cast it" in told["s.days"]
    assert "missing does not exist" in told["s.missing"]
    ages = {one.name: one.age for one in found if one.age is not None}
    assert 0 <= ages["s.fresh"] < 600
    assert ages["s.old"] == pytest.approx(30 * 3600, abs=600)
    assert ages["s.computed"] == pytest.approx(2 * 3600, abs=600)
    assert ages["s.naive"] == pytest.approx(3 * 3600, abs=600)  # without a zone it is UTC
    written = json.loads((config.target_dir / "sources.json").read_text())
    assert written["metadata"]["dbt_schema_version"].endswith("/sources/v3.json")
    (merged,) = [one for one in written["results"] if one["unique_id"] == "source.small.s.merged"]
    limits = {"warn_after": {"count": 1, "period": "hour"}, "error_after": {"count": 100, "period": "day"}}
    assert merged["criteria"] == {**limits, "filter": "k = 1"}


def test_selected_sources_alone_decide_the_exit_code(config: Config, cli: Cli) -> None:
    arguments = ["freshness", "--project-dir", str(config.root)]
    assert cli(*arguments, cwd=config.root).code == 1
    done = cli(*arguments, "--select", "source:s.fresh source:s.merged", cwd=config.root)
    assert (done.code, done.out.split("\n")[0].split()) == (
        0,
        ["pass", "s.fresh", "less", "than", "a", "minute", "old"],
    )
    assert "1 day old" in done.out
    (one,) = json.loads(cli(*arguments, "-s", "source:s.nothing", "--json", cwd=config.root).out)
    assert (one["status"], one["max_loaded_at"][:10]) == ("error", "0001-01-01")
    assert "no row" in cli(*arguments, "-s", "source:s.nothing", cwd=config.root).out
    with pytest.raises(UsageError, match="no source with a limit of its age among the selected"):
        freshness(config, Options(selected=("source:n.plain",)))


def test_a_project_states_limits_of_all_its_sources(tmp_path: Path) -> None:
    limits = "sources: {small: {+loaded_at_field: loaded, +freshness: {warn_after: {count: 1, period: day}}}}"
    files = {
        "dbt_project.yml": f"name: small\nversion: '1'\nprofile: small\n{limits}\n",
        "models/s.yml": "sources: [{name: s, schema: main, tables: [{name: old}, {name: own, freshness: {error_after: {count: 5, period: day}}}]}]",
    }
    sources = {node.name: node.freshness for node in compiled(tmp_path, files).of_type(Source)}
    old, own = sources["old"], sources["own"]
    assert old is not None
    assert own is not None
    assert (old.field, own.field) == ("loaded", "loaded")
    assert (old.warn_after is not None, own.warn_after, own.error_after is not None) == (True, None, True)


@pytest.mark.parametrize(
    ("stated", "message"),
    [
        ("freshness: soon", r"`freshness:` should be such as `\{warn_after: "),
        ("freshness: {warn_after: {count: 1, period: week}}", "`period:` of `warn_after:` cannot be 'week'"),
        (
            "freshness: {warn_after: {count: many, period: day}}",
            "`count:` of `warn_after:` should be a number",
        ),
        ("freshness: {warn_after: {count: 1}}", "`freshness:` should be such as"),
        (
            "freshness: {warn_aftr: {count: 1, period: day}}",
            "unknown key `warn_aftr:` of freshness. Did you mean",
        ),
        (
            "loaded_at_field: a, loaded_at_query: b",
            "`loaded_at_field:` and `loaded_at_query:` of t exclude each other",
        ),
        (
            "loaded_at_field: 5, freshness: {warn_after: {count: 1, period: day}}",
            "`loaded_at_field:` should be a string",
        ),
    ],
)
def test_what_is_no_limit_is_refused(tmp_path: Path, stated: str, message: str) -> None:
    with pytest.raises(ProjectError, match=message):
        compiled(tmp_path, {"models/s.yml": f"sources: [{{name: s, tables: [{{name: t, {stated}}}]}}]"})


def test_fresher_sources_are_selected_by_two_files(config: Config, tmp_path: Path) -> None:
    chosen = Options(selected=("source_status:fresher+",), state_dir=tmp_path / "before")
    shutil.copytree(config.target_dir, tmp_path / "before")
    with pytest.raises(UsageError, match="needs sources.json of `genredb freshness` and an earlier one"):
        build(config, options=chosen)
    freshness(config)
    shutil.copytree(config.target_dir, tmp_path / "before", dirs_exist_ok=True)
    freshness(config)
    with pytest.raises(UsageError, match="matches nothing"):
        build(config, options=chosen)
    with duckdb.connect(str(config.database)) as connection:
        connection.execute("update old set loaded = loaded + interval 1 hour")
    freshness(config)
    assert {done.node.name for done in build(config, options=chosen).results} <= {"m"}
    with pytest.raises(UsageError, match="no selector 'source_status:older'"):
        build(config, options=Options(selected=("source_status:older",)))


def test_without_a_database_or_limits_it_says_so(tmp_path: Path) -> None:
    config = write_project(tmp_path, {"models/m.sql": "select 1 as x"})
    with pytest.raises(GenredbError, match="There is no database"):
        freshness(config)
    build(config)
    with pytest.raises(UsageError, match="There is no source with a limit of its age; state `freshness:`"):
        freshness(config)
