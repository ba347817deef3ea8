"""The runner: incremental models, unit tests, check options, selection, artifacts."""

import json
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from genredb.errors import ProjectError, UsageError
from genredb.runner.planning.options import Options
from genredb.runner.project.config import Config, Settings, read_config
from genredb.runner.results import BuildResult, Status
from genredb.runner.test import test as run_checks
from tests.conftest import rows
from tests.project_files import BASE, compiled, write_project
from tests.verbs import build, plan

CHAIN = {
    "models/a.sql": "{{ config(materialized='table', tags=['first']) }} select range as x from range(3)",
    "models/deep/b.sql": "select x + 1 as y from {{ ref('a') }}",
    "models/deep/c.sql": "{{ config(materialized='table') }} select y * 2 as z from {{ ref('b') }}",
    "models/other.sql": "select 1 as one",
    "models/p.yml": "models: [{name: b, columns: [{name: y, data_tests: [unique, not_null]}]}]",
}


def with_vars(folder: Path, **variables: object) -> Config:
    return read_config(Settings(project_dir=folder, vars=variables))


def reasons(result: BuildResult) -> dict[str, str]:
    return {found.node.name: str(found.reason) for found in result.results}


@pytest.mark.parametrize(
    "stated", ["incremental_strategy='microbatch'", "incremental_strategy='merg'", "on_schema_change='ignor'"]
)
def test_the_first_build_refuses_an_unknown_strategy_too(tmp_path: Path, stated: str) -> None:
    model = f"{{{{ config(materialized='incremental', {stated}) }}}} select 1 as x"
    with pytest.raises(ProjectError, match=stated.split("'")[1]):
        build(write_project(tmp_path, {"models/m.sql": model}))


@pytest.mark.parametrize("stated", ["false", "'false'", '"{{ false }}"'])
def test_a_flag_in_text_counts_as_what_it_says(tmp_path: Path, stated: str) -> None:
    """A model must not lose its earlier rows because `full_refresh` was computed."""
    model = "{{ config(materialized='incremental') }} select {{ var('v') }} as v"
    config = f"models: [{{name: m, config: {{full_refresh: {stated}}}}}]"
    write_project(tmp_path, {"models/m.sql": model, "models/p.yml": config})
    for number in (1, 2):
        built = with_vars(tmp_path, v=number)
        build(built)
    assert rows(built.database, "from m order by v") == [(1,), (2,)]


def test_an_incremental_model_is_added_to_and_a_full_refresh_makes_it_anew(tmp_path: Path) -> None:
    model = """{{ config(materialized='incremental', unique_key='k') }}
    select k, {{ var('v', 1) }} as v from (values (1), ({{ var('v', 1) }} + 1)) as t (k)
    {% if is_incremental() %} where k > 1 {% endif %}"""
    write_project(tmp_path, {"models/m.sql": model})
    build(with_vars(tmp_path, v=1))
    build(with_vars(tmp_path, v=2))
    database = tmp_path / "small.duckdb"
    assert rows(database, "from m order by all") == [(1, 1), (2, 1), (3, 2)]
    build(with_vars(tmp_path, v=1))
    assert rows(database, "from m order by all") == [(1, 1), (2, 1), (3, 2)]
    build(with_vars(tmp_path, v=1), options=Options(is_full_refresh=True))
    assert rows(database, "from m order by all") == [(1, 1), (2, 1)]


def test_an_incremental_model_that_fails_half_way_keeps_its_rows(tmp_path: Path) -> None:
    model = """{{ config(materialized='incremental', unique_key='k', post_hook="{{ var('hook', 'select 1') }}") }}
    select {{ var('k', 1) }} as k"""
    write_project(tmp_path, {"models/m.sql": model})
    build(with_vars(tmp_path))
    result = build(with_vars(tmp_path, k=2, hook="select nothing"))
    assert result.exit_code == 3
    kept = tmp_path / "target" / "failed.duckdb"
    assert rows(kept, "from m") == [(1,)]


def test_unknown_strategies_are_refused_by_name(tmp_path: Path) -> None:
    model = (
        "{{ config(materialized='incremental', incremental_strategy='%s') }} select {{ var('k', 1) }} as k"
    )
    write_project(tmp_path, {"models/m.sql": model % "microbatch"})
    with pytest.raises(ProjectError, match="genredb has no incremental_strategy 'microbatch'"):
        build(with_vars(tmp_path))


@pytest.mark.parametrize(
    ("selectors", "excluded", "expected"),
    [
        (["a"], [], "a"),
        (["b"], [], "b unique_b_y not_null_b_y"),
        (["+c"], [], "a b c unique_b_y not_null_b_y"),
        (["1+c"], [], "b c unique_b_y not_null_b_y"),
        (["a+"], [], "a b c unique_b_y not_null_b_y"),
        (["a+1"], [], "a b unique_b_y not_null_b_y"),
        (["@b"], [], "a b c unique_b_y not_null_b_y"),
        (["a other"], [], "a other"),
        (["a", "other"], [], "a other"),
        (["a+,c"], [], "c"),
        (["tag:first"], [], "a"),
        (["deep"], [], "b c unique_b_y not_null_b_y"),
        (["small.deep.c"], [], "c"),
        (["path:models/deep"], [], "b c unique_b_y not_null_b_y"),
        (["models/deep/c.sql"], [], "c"),
        (["c.sql"], [], "c"),
        (["o*"], [], "other"),
        (["config.materialized:table"], [], "a c"),
        (["test_name:unique"], [], "unique_b_y"),
        (["test_type:generic"], [], "unique_b_y not_null_b_y"),
        (["resource_type:model"], ["deep"], "a other"),
        ([], ["deep"], "a other"),
        (["b"], ["test_type:data"], "b"),
    ],
)
def test_selectors(tmp_path: Path, selectors: list[str], excluded: list[str], expected: str) -> None:
    from genredb.runner.graph.select import select

    compilation = compiled(tmp_path, CHAIN)
    found = select(compilation, selectors, excluded)
    assert {compilation.nodes[i].name for i in found} == set(expected.split())


@pytest.mark.parametrize(
    ("selector", "message"),
    [
        ("bb", "The selector 'bb' matches nothing. Did you mean 'b'?"),
        ("tag:frist", "The selector 'tag:frist' matches nothing. Did you mean 'first'?"),
        ("taag:first", "There is no selector method 'taag:'. Did you mean 'tag'?"),
        ("state:modified", "`state:` needs an earlier manifest.json; give its folder with --state."),
        ("result:error", "`result:` needs the run_results.json of an earlier run; there is none."),
    ],
)
def test_a_selector_that_matches_nothing_is_an_error(tmp_path: Path, selector: str, message: str) -> None:
    config = write_project(tmp_path, CHAIN)
    with pytest.raises(UsageError) as error:
        build(config, options=Options(selected=[selector]))
    assert str(error.value) == message


def test_a_selected_build_leaves_the_rest_for_the_next(tmp_path: Path) -> None:
    config = write_project(tmp_path, CHAIN)
    build(config)
    write_project(tmp_path, {"models/a.sql": "select range + 10 as x from range(2)"})
    assert reasons(build(config, options=Options(selected=["c"]))) == {}
    assert reasons(build(config, options=Options(selected=["a"]))) == {"a": "sql changed"}
    assert reasons(build(config))["b"] == "upstream was rebuilt before"
    assert rows(config.database, "from c order by z") == [(22,), (24,)]
    assert not build(config).is_published


def test_state_and_result_select_what_changed_and_what_failed(tmp_path: Path) -> None:
    config = write_project(tmp_path, CHAIN)
    build(config)
    (tmp_path / "before").mkdir()
    (tmp_path / "before" / "manifest.json").write_bytes((tmp_path / "target" / "manifest.json").read_bytes())
    write_project(
        tmp_path, {"models/other.sql": "{{ config(materialized='table') }} select error('no') as one"}
    )
    modified = Options(selected=["state:modified"], state_dir=tmp_path / "before")
    assert set(reasons(build(config, options=modified))) == {"other"}
    write_project(tmp_path, {"models/other.sql": "select 5 as one"})
    assert set(reasons(build(config, options=Options(selected=["result:error"])))) == {"other"}


def test_a_plan_says_what_would_run_and_writes_nothing(tmp_path: Path) -> None:
    config = write_project(tmp_path, CHAIN)
    assert set(map(str, plan(config).reasons.values())) == {"new"}
    assert not config.database.exists()
    build(config)
    assert plan(config).is_empty
    write_project(tmp_path, {"models/deep/b.sql": "select x + 2 as y from {{ ref('a') }}"})
    found = plan(config)
    assert {found.compilation.nodes[i].name: str(why) for i, why in found.reasons.items()} == {
        "b": "sql changed",
        "unique_b_y": "upstream b",
        "not_null_b_y": "upstream b",
        "c": "upstream b",
    }


def test_layout_and_comments_do_not_count_but_meaning_does(tmp_path: Path) -> None:
    config = write_project(tmp_path, CHAIN)
    build(config)
    write_project(
        tmp_path, {"models/deep/b.sql": "-- a remark\nSELECT\n  x+1 AS y\nFROM {{ ref('a') }} /* so */"}
    )
    assert reasons(build(config)) == {}
    write_project(tmp_path, {"models/deep/b.sql": "select x + 1.0 as y from {{ ref('a') }}"})
    assert reasons(build(config))["b"] == "sql changed"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("select random() as r", "uses random()"),
        ("select current_date as d", "uses current_date"),
        ("select x from (select now() as x) as t", "uses now()"),
        ("select * from read_csv('seeds/s.csv')", "reads by read_csv()"),
        ("select * from 'seeds/s.csv'", "reads the file seeds/s.csv"),
        ("select * from other_table", "reads other_table without ref() or source()"),
        (
            "with q as (select 1 as x) select * from q, other_table",
            "reads other_table without ref() or source()",
        ),
        ("select * from duckdb_settings()", "reads by duckdb_settings()"),
        ("select count(*) as n from information_schema.tables", "reads information_schema.tables"),
        (
            "{% set r = run_query('select 1') %}select {{ r.rows[0][0] if execute else 0 }} as x",
            "calls run_query",
        ),
        ("select * from {{ source('elsewhere', 'things') }}", "genredb does not load elsewhere.things"),
    ],
)
def test_what_may_change_by_itself_always_runs_and_says_why(tmp_path: Path, sql: str, reason: str) -> None:
    files = {
        "models/m.sql": sql,
        "models/after.sql": "select * from {{ ref('m') }}",
        "tests/t.sql": f"select * from ({sql}) where false",
        "models/s.yml": "sources: [{name: elsewhere, tables: [{name: things}]}]",
        "seeds/s.csv": "x\n1\n",
    }
    config = write_project(tmp_path, files)
    import os

    with duckdb.connect(str(config.database)) as connection:
        connection.execute("create table other_table as select 1 as x; create schema elsewhere")
        connection.execute("create table elsewhere.things as select 1 as x")
    here = Path.cwd()
    os.chdir(tmp_path)
    try:
        assert build(config).exit_code == 0
        assert reasons(build(config)) == {"m": reason, "after": "upstream m", "t": reason}
    finally:
        os.chdir(here)


@pytest.mark.parametrize(
    "sql",
    [
        "select 'random()' as r -- now()",
        "with recursive t as (select 1 as x union all select x + 1 from t where x < 3) select * from t",
        "select now from (select 1 as now)",
        "select * from range(3)",
        "select unnest([1, 2]) as x",
        "with main as (select 1 as x), q as (select * from main) select a.x from q as a, main as b",
    ],
)
def test_what_only_looks_volatile_is_left_alone(tmp_path: Path, sql: str) -> None:
    config = write_project(tmp_path, {"models/m.sql": sql})
    assert build(config).exit_code == 0
    assert reasons(build(config)) == {}


def test_the_list_of_volatile_functions_is_duckdbs() -> None:
    from genredb.warehouse.sql_text import _READERS, VOLATILE

    # A function of dates alone has another form that heeds the time zone of the session.
    sql = (
        "select function_name from duckdb_functions() where function_type in ('scalar', 'aggregate', 'macro')"
        " group by function_name having bool_and(stability <> 'CONSISTENT')"
    )
    # In a process of its own: what another test made DuckDB load brings functions of its own.
    code = f"import duckdb, json; print(json.dumps(duckdb.connect().execute({sql!r}).fetchall()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    # What fails, or says where a query runs, gives no other rows.
    harmless = {"error", "current_database", "current_schema", "vector_type"}
    assert {name for (name,) in found} - VOLATILE - harmless == set()
    assert _READERS.fullmatch("read_parquet")


def test_what_another_program_rebuilt_is_built_again(tmp_path: Path) -> None:
    config = write_project(tmp_path, CHAIN)
    build(config)
    with duckdb.connect(str(config.database)) as connection:
        connection.execute("create or replace table c as select 99 as z; drop view other")
    assert reasons(build(config)) == {"c": "rebuilt by another program", "other": "missing"}
    assert rows(config.database, "from c order by z") == [(2,), (4,), (6,)]


CHECKED = {
    "models/m.sql": "select range as x from range(20)",
    "tests/t.sql": "select * from {{ ref('m') }} where x >= {{ var('from', 5) }}",
}


@pytest.mark.parametrize(
    ("config", "status", "shown"),
    [
        ("severity='warn'", Status.WARN, 15),
        ("error_if='>20'", Status.WARN, 15),
        ("error_if='>20', warn_if='>15'", Status.SUCCESS, None),
        ("fail_calc='max(x)', error_if='>19', warn_if='>18'", Status.WARN, 15),
        ("fail_calc='max(x)', error_if='>18'", Status.FAIL, 15),
        ("limit=3", Status.FAIL, 3),
    ],
)
def test_check_configurations(tmp_path: Path, config: str, status: Status, shown: int | None) -> None:
    text = f"{{{{ config({config}) }}}}" + CHECKED["tests/t.sql"]
    result = build(write_project(tmp_path, CHECKED | {"tests/t.sql": text}))
    found = result.results[-1]
    assert (found.status, found.failing.total if found.failing else None) == (status, shown)


def test_all_failing_rows_are_stored_where_that_is_asked_for(tmp_path: Path) -> None:
    config = write_project(tmp_path, CHECKED)
    assert build(config, options=Options(store_failures=True)).exit_code == 1
    stored = "select count(*) from main_dbt_test__audit.t"
    assert rows(tmp_path / "target" / "failed.duckdb", stored) == [(15,)]
    warned = {"tests/t.sql": "{{ config(severity='warn') }}" + CHECKED["tests/t.sql"]}
    build(write_project(tmp_path, warned))
    run_checks(config, options=Options(store_failures=True))
    assert rows(config.database, stored) == [(15,)]


def test_warnings_may_count_as_errors(tmp_path: Path) -> None:
    warned = {"tests/t.sql": "{{ config(severity='warn') }}" + CHECKED["tests/t.sql"]}
    config = write_project(tmp_path, CHECKED | warned)
    assert build(config, options=Options(warn_error=True)).exit_code == 1
    write_project(tmp_path, {"models/p.yml": "metrics: []"})
    with pytest.raises(ProjectError, match="ignores `metrics:`"):
        build(config, options=Options(warn_error=True))


def test_a_unit_test_shows_the_rows_that_differ_and_keeps_its_model_from_running(tmp_path: Path) -> None:
    unit_test = """
unit_tests:
  - name: adds
    model: m
    given: [{input: ref('s'), rows: [{x: 1}, {x: 2}]}]
    expect: {rows: [{y: 2}, {y: 4}]}
"""
    files = {
        "seeds/s.csv": "x,z\n5,a\n",
        "models/m.sql": "select x + 1 as y from {{ ref('s') }}",
        "models/u.yml": unit_test,
    }
    result = build(write_project(tmp_path, files))
    statuses = {found.node.name: found.status for found in result.results}
    assert statuses == {"s": Status.SUCCESS, "adds": Status.FAIL, "m": Status.SKIPPED}
    failing = result.results[1].failing
    assert failing is not None
    assert failing.rows == (("actual", 3), ("expected", 4))


def test_artifacts_are_written(tmp_path: Path) -> None:
    config = write_project(tmp_path, CHAIN)
    build(config)
    target = tmp_path / "target"
    manifest = json.loads((target / "manifest.json").read_text())
    assert manifest["nodes"]["model.small.b"]["depends_on"]["nodes"] == ["model.small.a"]
    assert manifest["parent_map"]["model.small.c"] == ["model.small.b"]
    compiled_sql = (target / "compiled" / "small" / "models" / "deep" / "b.sql").read_text()
    assert compiled_sql == 'select x + 1 as y from "small"."main"."a"'
    results = json.loads((target / "run_results.json").read_text())
    assert {found["status"] for found in results["results"]} == {"success", "pass"}
    build(config)
    assert json.loads((target / "run_results.json").read_text())["results"] == []


def test_what_has_no_effect_is_named(tmp_path: Path) -> None:
    files = {
        "dbt_project.yml": BASE["dbt_project.yml"] + "query-comment: x\n",
        "packages.yml": "packages: [{package: dbt-labs/dbt_utils, version: 1.0.0}]",
        "models/m.sql": "{{ config(grants={'select': ['me']}, owner='me') }} select 1 as x",
        "models/p.yml": "models: [{name: n, description: nothing}]\nmetrics: []\n",
    }
    assert tuple(map(str, compiled(tmp_path, files).notices)) == (
        "dbt_project.yml: genredb ignores `query-comment:`.",
        "packages.yml: the package dbt-labs/dbt_utils is not installed; run `genredb deps`.",
        "models/p.yml: genredb ignores `metrics:`.",
        "models/p.yml: the model 'n' is described here, but has no file. Available: m.",
        "models/m.sql: genredb ignores `grants:` of the configuration of a model.",
        "models/m.sql: genredb ignores `owner:` of the configuration of a model, which dbt does not know either.",
    )


def test_a_macro_of_a_package_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(
        ProjectError,
        match="'dbt_utils' is undefined; if it is a package, list it in packages.yml and run `genredb deps`",
    ):
        compiled(tmp_path, {"models/m.sql": "select {{ dbt_utils.star(ref('m')) }}"})


def test_all_errors_of_a_project_are_told_at_once(tmp_path: Path) -> None:
    files = {
        "models/a.sql": "select {{ nothing }}",
        "models/b.sql": "select * from {{ ref('aa') }}",
        "models/c.sql": "select * from {{ ref('a') }}",
        "models/p.yml": "models: [{name: c, columns: [{name: x, data_tests: [uniqe]}]}]",
    }
    with pytest.raises(ProjectError) as error:
        compiled(tmp_path, files)
    assert [line.split(": ")[0] for line in str(error.value).splitlines() if line.startswith("models")] == [
        "models/a.sql:1:11",
        "models/b.sql:1:23",
        "models/p.yml:1",
    ]


def test_a_relation_whose_schema_has_a_dot_is_dropped_with_its_model(tmp_path: Path) -> None:
    files = {"models/m.sql": "{{ config(schema='x.y') }} select 1 as a", "models/n.sql": "select 1 as a"}
    assert build(write_project(tmp_path, files)).is_published
    (tmp_path / "models/m.sql").unlink()
    config = write_project(tmp_path, {})
    assert build(config, options=Options(allow_drops=True)).is_published
    assert rows(config.database, "select view_name from duckdb_views() where not internal") == [("n",)]
