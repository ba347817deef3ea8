"""``--fail-fast`` stops at the first failure; ``--empty`` builds everything from no rows."""

from dataclasses import replace
from pathlib import Path

import pytest

from genredb.errors import UsageError
from genredb.runner.planning.options import Options
from genredb.runner.project.config import Config, read_config
from genredb.runner.results import BuildResult
from genredb.runner.test import test as run_tests
from tests.conftest import rows
from tests.project_files import write_project
from tests.verbs import build, retry

FAST = Options(fail_fast=True)


def statuses(result: BuildResult) -> dict[str, str]:
    return {done.node.name: done.status.value for done in result.results}


CHAIN = {
    "models/a.sql": "select 1 as x",
    "models/b.sql": "{{ config(materialized='table') }} select error('no') as x",
    "models/c.sql": "select 1 as x",
    "models/p.yml": "models: [{name: c, columns: [{name: x, data_tests: [unique]}]}]",
}


def test_what_has_not_run_at_the_first_failure_is_skipped_and_retried(tmp_path: Path) -> None:
    config = write_project(tmp_path, CHAIN)
    assert statuses(build(config)) == {"a": "success", "b": "error", "c": "success", "unique_c_x": "success"}
    result = build(config, options=FAST)
    assert statuses(result) == {"a": "success", "b": "error", "c": "skipped", "unique_c_x": "skipped"}
    assert [done.culprit for done in result.results] == ["", "", "b", "b"]
    assert not config.database.exists()
    (tmp_path / "models" / "b.sql").write_text("select 1 as x")
    assert statuses(retry(config)) == {"b": "success", "c": "success", "unique_c_x": "success"}
    assert rows(config.database, "from a, b, c") == [(1, 1, 1)]


@pytest.mark.parametrize(("severity", "expected"), [("error", "skipped"), ("warn", "success")])
def test_a_check_that_fails_stops_too_and_one_that_warns_does_not(
    tmp_path: Path, severity: str, expected: str
) -> None:
    checks = f"[{{not_null: {{config: {{severity: {severity}}}}}}}, unique]"
    files = {
        "models/a.sql": "{{ config(materialized='table') }} select null as x",
        "models/z.sql": "select 1 as x",
        "models/p.yml": f"models: [{{name: a, columns: [{{name: x, data_tests: {checks}}}]}}]",
    }
    config = write_project(tmp_path, files)
    found = statuses(build(config, options=FAST))
    assert (found["unique_a_x"], found["z"]) == (expected, expected)
    if severity == "warn":
        assert run_tests(config, options=FAST).exit_code == 0
        found = statuses(run_tests(config, options=Options(fail_fast=True, warn_error=True)))
        assert found == {"not_null_a_x": "fail", "unique_a_x": "skipped"}


def emptied(config: Config) -> Config:
    return read_config(replace(config.settings, is_empty=True))


ROWS = {
    "seeds/s.csv": "id,x\n1,a\n2,\n",
    "models/t.sql": "{{ config(materialized='table') }} select * from {{ ref('s') }} as s",
    "models/e.sql": "{{ config(materialized='ephemeral') }} select id from {{ ref('t') }}",
    "models/i.sql": "{{ config(materialized='incremental', unique_key='id') }} select id from {{ ref('e') }}",
    "models/n.sql": (
        "{% set n = run_query('select count(*) from ' ~ ref('s')).columns[0].values()[0] if execute else 0 %}"
        "{% set c = adapter.get_columns_in_relation(ref('s')) | length %}"
        "select {{ n }} as n, {{ c }} as c, (select count(*) from {{ ref('s').render() }}) as k,"
        " '{{ flags.EMPTY }}' as f"
    ),
    "models/p.yml": "seeds: [{name: s, columns: [{name: x, data_tests: [not_null]}]}]\n"
    "unit_tests: [{name: u, model: t, given: [{input: ref('s'), rows: [{id: 1}]}], expect: {rows: [{id: 1}]}}]",
}


def test_with_empty_nothing_is_read_and_a_build_without_it_makes_all_anew(tmp_path: Path) -> None:
    config = write_project(tmp_path, ROWS)
    empty = emptied(config)
    result = build(empty)
    assert set(statuses(result).values()) == {"success"}  # the check, too, sees no row
    assert rows(config.database, "from t") == rows(config.database, "from i") == []
    assert rows(config.database, "from n") == [(0, 2, 2, "True")]
    assert rows(config.database, "select count(*) from s") == [(2,)]
    failed = statuses(build(config))
    assert (failed["t"], failed["not_null_s_x"]) == ("skipped", "fail")
    (tmp_path / "models" / "p.yml").unlink()
    assert build(config).exit_code == 0
    assert rows(config.database, "select count(*) from t, i") == [(4,)]
    assert rows(config.database, "from n") == [(2, 2, 2, "False")]
    (tmp_path / "models" / "n.sql").unlink()  # it asks the database each time
    assert build(config).is_published
    assert not build(config).is_published
    assert build(empty).is_published  # as it was current with rows alone
    assert rows(config.database, "select count(*) from t, i") == [(0,)]
    assert not build(empty).is_published


FAILS = "{{ config(materialized='table') }} select error('no') from (select max(x) from {{ ref('t') }})"


def test_a_retry_goes_on_with_no_rows(tmp_path: Path) -> None:
    config = write_project(tmp_path, {**ROWS, "models/u.sql": FAILS})
    assert not build(emptied(config)).is_published
    (tmp_path / "models" / "u.sql").write_text("select x from {{ ref('t') }}")
    assert retry(config).exit_code == 0
    assert rows(config.database, "select count(*) from t") == [(0,)]
    with pytest.raises(UsageError, match="There is no failed build"):
        retry(config)


def test_a_python_model_reads_all_rows_as_in_dbt(tmp_path: Path) -> None:
    files = {"seeds/s.csv": "id\n1\n", "models/p.py": "def model(dbt, session):\n    return dbt.ref('s')\n"}
    config = write_project(tmp_path, files)
    assert build(emptied(config)).exit_code == 0
    assert rows(config.database, "from p") == [(1,)]
