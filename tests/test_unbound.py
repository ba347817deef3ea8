"""A mistake in SQL is reported before a row is moved, all of them at once, with the place in the template."""

import re
from pathlib import Path

import duckdb
import pytest

from genredb.errors import ProjectError
from genredb.runner.planning.options import Options
from tests.cases import case_names, read_case
from tests.project_files import write_project
from tests.verbs import build, plan

FOLDER = "unbound"
PEOPLE = {
    "seeds/people.csv": "id,name,born,paid\n1,Ada,1815-12-10,2.5\n2,Alan,1912-06-23,\n",
    "models/adults.sql": "select id, name from {{ ref('people') }} where born < '2000-01-01'",
}


@pytest.mark.parametrize("name", case_names(FOLDER))
def test_a_mistake_is_reported_before_anything_runs(tmp_path: Path, name: str) -> None:
    files = read_case(FOLDER, name)
    messages = files.pop("message").splitlines()
    config = write_project(tmp_path, PEOPLE | files)
    with pytest.raises(ProjectError) as planned:
        plan(config)
    with pytest.raises(ProjectError) as built:
        build(config)
    said = str(built.value)
    assert said == str(planned.value)
    for message in messages:
        assert re.search(message, said), said
    assert len(getattr(built.value, "errors", [built.value])) == len(messages), said
    assert not config.database.exists()
    assert not config.failed_build.exists()


def test_the_sql_that_adds_rows_is_bound_once_there_is_a_table(tmp_path: Path) -> None:
    model = (
        "{{ config(materialized='incremental') }} select id, name from {{ ref('people') }}"
        " {% if is_incremental() %} where id > (select max(COLUMN) from {{ this }}) {% endif %}"
    )
    config = write_project(tmp_path, PEOPLE | {"models/m.sql": model.replace("COLUMN", "idd")})
    assert build(config).is_published
    with pytest.raises(ProjectError, match=r'models/m\.sql:1:\d+: Referenced column "idd"'):
        build(write_project(tmp_path, {"models/m.sql": model.replace("COLUMN", "idd") + " and true"}))
    write_project(tmp_path, {"models/m.sql": model.replace("COLUMN", "id")})
    assert build(config).is_published


def test_what_reads_an_incremental_table_finds_the_columns_that_it_will_have(tmp_path: Path) -> None:
    files = {
        "models/m.sql": "{{ config(materialized='incremental') }} select id from {{ ref('people') }}",
        "models/n.sql": "select * from {{ ref('m') }}",
    }
    config = write_project(tmp_path, PEOPLE | files)
    build(config)
    write_project(tmp_path, {"models/m.sql": files["models/m.sql"].replace("id from", "id, name from")})
    write_project(tmp_path, {"models/n.sql": "select name from {{ ref('m') }}"})
    with pytest.raises(ProjectError, match=r'models/n\.sql:1:8: Referenced column "name" not found'):
        build(config)
    appends = files["models/m.sql"].replace(
        "'incremental'", "'incremental', on_schema_change='append_new_columns'"
    )
    write_project(tmp_path, {"models/m.sql": appends.replace("id from", "id, name from")})
    assert build(config).is_published


BY_OTHERS = {
    "a hook of the run": {
        "dbt_project.yml": "name: small\nversion: '1'\nprofile: small\non-run-start:"
        ' ["create or replace macro twice(x) as x * 2", "create or replace table made as select 1 as one"]\n',
        "models/m.sql": "select twice(one) as x from made",
    },
    "a hook of a model": {
        "models/m.sql": "{{ config(materialized='table', post_hook='alter table {{ this }} add column b int') }}"
        " select 1 as a",
        "models/n.sql": "select b from {{ ref('m') }}",
    },
    "a hook of another model": {
        "models/m.sql": "{{ config(materialized='table') }} select 1 as a",
        "models/n.sql": "{{ config(materialized='table', pre_hook='alter table ' ~ ref('m') ~ ' add column if not exists"
        " b int') }} select b from {{ ref('m') }}",
        "models/o.sql": "-- {{ ref('n') }}\nselect b from {{ ref('m') }}",
    },
    "a variable of a hook": {
        "models/m.sql": "{{ config(materialized='table', pre_hook=\"set variable files = ['seeds/people.csv']\") }}"
        " select * from read_csv(getvariable('files'))",
        "models/n.sql": "select born from {{ ref('m') }}",
    },
    "a setting": {
        "models/m.sql": "{{ config(materialized='table', pre_hook='set old_implicit_casting = true') }}"
        " select substring(42, 1, 1) as a",
    },
    "a setting of the run": {
        "dbt_project.yml": "name: small\nversion: '1'\nprofile: small\n"
        "on-run-start: set old_implicit_casting = true\n",
        "models/m.sql": "{{ config(materialized='table') }} select substring(42, 1, 1) as a",
    },
    "a setting of a macro": {
        "dbt_project.yml": "name: small\nversion: '1'\nprofile: small\non-run-start: '{{ settings() }}'\n",
        "macros/s.sql": "{% macro settings() %}\n  set old_implicit_casting = true\n{% endmacro %}",
        "models/m.sql": "{{ config(materialized='table') }} select substring(42, 1, 1) as a",
    },
    "a header": {
        "models/m.sql": "{{ config(materialized='table', sql_header='create or replace macro one() as 1;') }}"
        " select one() as x",
    },
    "a template": {
        "models/m.sql": "{% do run_query('create or replace table made as select 1 as one') %} select * from made",
    },
    "a python model": {
        "models/m.py": "def model(dbt, session):\n    session.sql('create or replace table made as select 2 as two')\n"
        "    return session.sql('select 1 as one')\n",
        "models/n.sql": "-- {{ ref('m') }}\nselect one, two from main.m, made",
        "models/o.sql": "select one from {{ ref('m') }}",
    },
    "the rows": {
        "models/m.sql": "{{ config(materialized='table') }} pivot {{ ref('people') }} on name using sum(id)",
        "models/n.sql": 'select "Ada", "Alan" from {{ ref(\'m\') }}',
        "models/o.sql": "{{ config(materialized='table') }} with wide as (pivot {{ ref('people') }} on name using sum(id))"
        ' select "Ada" from wide',
        "tests/t.sql": 'select "Ada" from (pivot {{ ref(\'people\') }} on name using sum(id)) where "Ada" = 9',
    },
    "a query of the template": {
        "models/m.sql": "select {% for one in dbt_utils_like(ref('people')) %}'{{ one }}' as \"{{ one }}\",{% endfor %}"
        " from {{ ref('people') }}",
        "models/n.sql": "select \"Ada\" from {{ ref('m') }}",
        "macros/m.sql": "{% macro dbt_utils_like(relation) %}"
        "{% set found = run_query('select name from ' ~ relation) %}"
        "{{ return(found.columns[0].values() if execute else []) }}{% endmacro %}",
    },
    "a file that the build writes": {
        "models/m.sql": "{{ config(materialized='table', post_hook=\"copy {{ this }} to 'out.csv'\") }} select 1 as a",
        "models/n.sql": "-- {{ ref('m') }}\nselect a from 'out.csv'",
    },
}


@pytest.mark.parametrize("files", BY_OTHERS.values(), ids=BY_OTHERS)
def test_what_only_the_run_can_tell_is_left_to_it(
    tmp_path: Path, files: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    config = write_project(tmp_path, PEOPLE | files)
    plan(config)
    assert build(config).is_published
    assert build(config, options=Options(is_full_refresh=True)).is_published


@pytest.mark.parametrize(
    "files",
    [
        {
            "dbt_project.yml": "name: small\nversion: '1'\nprofile: small\n"
            "on-run-start: 'create or replace table made as select {{ var(\"made\") }}'\nvars: {made: 1 as a}\n",
            "models/m.sql": "{{ config(materialized='table') }} select a from {{ source('by', 'made') }}",
            "models/by.yml": "sources: [{name: by, schema: main, tables: [{name: made}]}]\n",
        },
        {
            "dbt_project.yml": "name: small\nversion: '1'\nprofile: small\nvars: {made: 1 as a}\n",
            "models/m.sql": "{{ config(materialized='table', pre_hook='create or replace table made as select '"
            " ~ var('made')) }} select a from made",
        },
    ],
    ids=["a source", "without ref"],
)
def test_a_table_that_a_hook_makes_anew_may_get_other_columns(tmp_path: Path, files: dict[str, str]) -> None:
    config = write_project(tmp_path, files)
    assert build(config).is_published
    changed = {
        path: text.replace("1 as a", "1 as b").replace("a from", "b from") for path, text in files.items()
    }
    assert build(write_project(tmp_path, changed)).is_published


def test_relations_that_no_node_makes_are_looked_up_in_the_database(tmp_path: Path) -> None:
    config = write_project(tmp_path, PEOPLE)
    build(config)
    with duckdb.connect(str(config.database)) as connection:
        connection.execute("create schema other; create table other.mine as select 42 as precious")
    write_project(tmp_path, {"models/m.sql": "select precious from other.mine"})
    assert build(config).is_published
    write_project(tmp_path, {"models/m.sql": "select precios from other.mine"})
    with pytest.raises(ProjectError, match=r"models/m\.sql:1:8: .*Did you mean 'precious'"):
        build(config)


def test_binding_runs_nothing_and_concerns_only_what_would_run(tmp_path: Path) -> None:
    endless = "{{ config(materialized='table') }} select count(*) as n from range(1000000000000000)"
    files = {
        "models/good.sql": "select 1 as x",
        "models/bad.sql": "select nope",
        "models/endless.sql": endless,
    }
    config = write_project(tmp_path, files)
    assert build(config, options=Options(selected=["good"])).is_published
    with pytest.raises(ProjectError, match=r"^models/bad\.sql"):
        plan(config)
    write_project(tmp_path, {"models/bad.sql": "select 2 as x"})
    assert "model.small.endless" in plan(config).reasons


def test_names_may_differ_in_case_and_views_may_be_of_files_that_are_gone(tmp_path: Path) -> None:
    files = {
        "models/a.sql": "{{ config(schema='Staging') }} select 1 as x",
        "models/b.sql": "{{ config(schema='staging', materialized='table') }} select x from {{ ref('a') }}",
        "models/c.sql": f"from '{tmp_path}/c.csv'",
        "models/d.sql": "{{ config(materialized='table') }} select x from {{ ref('c') }}",
        "models/p.yml": "models: [{name: a, columns: [{name: x}]}, {name: b, columns: [{name: x}]}]",
        "c.csv": "x\n1\n",
    }
    config = write_project(tmp_path, files)
    assert build(config).is_published
    (tmp_path / "c.csv").unlink()
    write_project(tmp_path, {"models/d.sql": files["models/d.sql"] + " where true"})
    assert "model.small.d" in plan(config).reasons
