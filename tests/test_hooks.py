"""Hooks: SQL around nodes and runs, and what outlives SQL that goes too far."""

from pathlib import Path

import pytest

from genredb.errors import ProjectError
from genredb.runner.project.config import read_config
from genredb.runner.results import Status
from tests.conftest import Cli, rows
from tests.project_files import BASE, write_project
from tests.verbs import build


@pytest.mark.parametrize(
    ("hook", "outcome"),
    [
        ("commit", "cannot commit - no transaction is active"),
        ("rollback", "cannot commit - no transaction is active"),
        ("drop table meta.state", "A hook dropped meta.state, or left another database"),
        ("drop schema meta cascade", "A hook dropped meta.state, or left another database"),
        ("attach ':memory:' as other; use other", "A hook dropped meta.state, or left another database"),
        ("drop table meta.runs", ""),
        ("drop view {{ this }}", ""),
        ("drop view {{ this }}; create table {{ this }} as select 2 as x", ""),
    ],
)
def test_a_hook_that_goes_too_far_is_refused_or_outlived(tmp_path: Path, hook: str, outcome: str) -> None:
    """Whatever SQL a hook runs, there is a sentence or a database that the next build can go on from."""
    model = f'{{{{ config(post_hook="{hook}") }}}} select 1 as x'
    config = write_project(tmp_path, {"models/m.sql": model})
    try:
        said = build(config).results[0].message
    except ProjectError as error:
        said = str(error)
    assert outcome in said
    assert bool(said) is bool(outcome)
    write_project(tmp_path, {"models/m.sql": "select 1 as x"})
    assert build(config).is_published
    assert rows(config.database, "from m") == [(1,)]


def test_a_hook_of_the_project_takes_effect_when_it_is_written(tmp_path: Path, cli: Cli) -> None:
    """Although no node is to run; `plan` says so."""
    hook = 'on-run-end: "create or replace table marked as select {} as x"\n'
    config = write_project(tmp_path, {"models/m.sql": "select 1 as x"})
    build(config)
    for value in (1, 2):
        write_project(tmp_path, {"dbt_project.yml": BASE["dbt_project.yml"] + hook.format(value)})
        said = cli("plan", cwd=tmp_path)
        assert "No node would run; a build would record the settings, after the project's hooks." in said.err
        assert build(read_config(config.settings)).is_published
        assert rows(config.database, "from marked") == [(value,)]
        assert not build(read_config(config.settings)).is_published
    assert "Nothing to do" in cli("plan", cwd=tmp_path).err


def test_hooks_run_around_nodes_and_runs(tmp_path: Path) -> None:
    files = {
        "dbt_project.yml": BASE["dbt_project.yml"]
        + "on-run-start: create table if not exists log (what varchar)\n"
        + "on-run-end: [\"insert into log values ('end of {{ results | length }}')\"]\n"
        + "models: {small: {+pre-hook: \"insert into log values ('before {{ this.name }}')\"}}\n",
        "models/m.sql": "{{ config(post_hook=\"insert into log values ('after')\") }} select 1 as x",
    }
    config = write_project(tmp_path, files)
    build(config)
    assert rows(config.database, "from log") == [("before m",), ("after",), ("end of 1",)]
    broken = write_project(
        tmp_path, {"dbt_project.yml": BASE["dbt_project.yml"] + "on-run-start: select nope\n"}
    )
    result = build(broken)
    assert [found.status for found in result.results] == [Status.ERROR, Status.SKIPPED]
    assert result.results[0].message.startswith("dbt_project.yml (on-run-start): Referenced column")


def test_a_hook_is_rendered_once_and_after_those_before_it_ran(tmp_path: Path) -> None:
    """What its template writes is written once, and what it asks sees what the hook before it did."""
    files = {
        "dbt_project.yml": BASE["dbt_project.yml"]
        + 'on-run-start: "create table if not exists seen (x int)"\n',
        "macros/m.sql": "{% macro note() %}{% do run_query('insert into seen select count(*) from ' ~ this) %}{% endmacro %}",
        "models/m.sql": "{{ config(materialized='table', post_hook=['insert into {{ this }} values (2)', '{{ note() }}']) }}"
        "select 1 as x",
    }
    config = write_project(tmp_path, files)
    assert build(config).exit_code == 0
    assert rows(config.database, "from seen") == [(2,)]


def test_functions_state_whether_a_hook_is_in_the_transaction(tmp_path: Path) -> None:
    model = (
        "{{ config(materialized='table', pre_hook=before_begin('create table if not exists log (x int)'),"
        " post_hook=[in_transaction('insert into log values (1)'), after_commit('insert into log values (2)')]) }}"
        " select error('no') as x where {{ var('fails', false) }}"
    )
    config = write_project(tmp_path, {"models/m.sql": model})
    assert build(config).is_published
    assert rows(config.database, "from log order by x") == [(1,), (2,)]
