"""``genredb run-operation`` calls a macro on a copy of the database: what it writes is published whole or not at all."""

import json
from pathlib import Path

import pytest

from genredb.errors import ProjectError, UsageError
from genredb.runner.project.config import Config
from genredb.runner.run_operation import run_operation
from tests.conftest import Cli, rows
from tests.project_files import write_project
from tests.verbs import build

MACROS = """
{% macro make(name, count=2) %}
  {% do run_query("create table " ~ name ~ " as from range(" ~ count ~ ")") %}
  {% do log("made " ~ name, info=true) %}{% do log("made " ~ name, info=true) %}{{ print("in all") }}
{% endmacro %}
{% macro half() %}{% do run_query("create table h as select 1 as x") %}{% do run_query("select nope") %}{% endmacro %}
{% macro look() %}
  {% set found = run_query("select count(*) from " ~ ref('m')).columns[0].values()[0] %}
  {% do log(found ~ ' in ' ~ target.name, info=true) %}
{% endmacro %}
{% macro in_transaction() %}
  {% do run_query("begin; create table t as select 1 as x; commit") %}
  {% call statement() %}create table u as select 1 as x{% endcall %}
  {% do adapter.drop_relation(api.Relation.create(schema='main', identifier='m', type='view')) %}
{% endmacro %}
{% macro within() %}{% do run_query("with w as (insert into t values (3) returning *) from w") %}{% endmacro %}
{% macro forget() %}{% do run_query("drop table meta.state") %}{% endmacro %}
"""
FILES = {"macros/m.sql": MACROS, "models/m.sql": "select 1 as x"}


@pytest.fixture
def config(tmp_path: Path) -> Config:
    config = write_project(tmp_path, FILES)
    assert build(config).exit_code == 0
    return config


def test_what_a_macro_writes_is_published_and_what_it_logs_is_told_in_full(config: Config) -> None:
    done = run_operation(config, "make", {"name": "q", "count": 3})
    assert (done.messages, done.published) == (("made q", "made q", "in all"), True)
    assert rows(config.database, "from q") == [(0,), (1,), (2,)]
    assert rows(config.database, "select command from meta.runs order by run_id desc limit 1") == [
        ("run-operation",)
    ]
    done = run_operation(config, "small.in_transaction", {})
    assert rows(config.database, "from t, u") == [(1, 1)]
    assert build(config).exit_code == 0  # which makes again what the macro dropped
    assert rows(config.database, "from m, q limit 1") == [(1, 0)]


def test_a_table_that_a_macro_changed_is_built_again(tmp_path: Path) -> None:
    """Its mark would not tell: the rows changed, the table did not."""
    table = "{{ config(materialized='table') }} select 1 as x"
    macro = "{% macro empty() %}{% do run_query('delete from ' ~ ref('one')) %}{% endmacro %}"
    files = {"models/one.sql": table, "models/two.sql": table, "macros/m.sql": macro}
    config = write_project(tmp_path, files)
    build(config)
    run_operation(config, "empty", {})
    assert rows(config.database, "select count(*) from one") == [(0,)]
    assert [done.node.name for done in build(config).results] == ["one"]
    assert rows(config.database, "from one") == [(1,)]


def test_a_macro_that_fails_or_only_reads_leaves_the_file_as_it_was(config: Config) -> None:
    before = config.database.read_bytes()
    with pytest.raises(ProjectError, match=r"^macros/m.sql:6: Referenced column \"nope\" was not found"):
        run_operation(config, "half", {})
    with pytest.raises(ProjectError, match="dropped meta.state"):
        run_operation(config, "forget", {})
    assert run_operation(config, "look", {}).messages == ("1 in dev",)
    assert not run_operation(config, "look", {}).published
    assert config.database.read_bytes() == before


def test_a_query_that_writes_within_is_published(config: Config) -> None:
    run_operation(config, "make", {"name": "t"})
    assert run_operation(config, "within", {}).published
    assert rows(config.database, "from t") == [(0,), (1,), (3,)]


def test_without_a_database_one_is_made_only_if_the_macro_writes(tmp_path: Path) -> None:
    config = write_project(tmp_path, {**FILES, "macros/n.sql": "{% macro nothing() %}{% endmacro %}"})
    assert not run_operation(config, "nothing", {}).published
    assert not config.database.exists()
    assert run_operation(config, "make", {"name": "q"}).published
    assert build(config).exit_code == 0
    assert rows(config.database, "select count(*) from m, q") == [(2,)]


def test_macros_of_packages_are_found_by_both_names(tmp_path: Path) -> None:
    package = "local/dbt_project.yml"
    files = {
        "packages.yml": "packages: [{local: local}]",
        package: "name: other\nversion: '1'\n",
        "local/macros/o.sql": "{% macro of_other(x=1) %}{{ log('called ' ~ x, info=true) }}{% endmacro %}",
    }
    config = write_project(tmp_path, {**FILES, **files})
    for name in ("of_other", "other.of_other"):
        assert run_operation(config, name, {"x": 5}).messages == ("called 5",)
    with pytest.raises(UsageError, match="There is no macro 'other.of_othr'. Did you mean 'of_other'?"):
        run_operation(config, "other.of_othr", {})


def test_the_command_prints_messages_and_refuses_what_is_no_argument(config: Config, cli: Cli) -> None:
    def call(*arguments: str) -> tuple[int, str, str]:
        done = cli("run-operation", "--project-dir", str(config.root), *arguments, cwd=config.root)
        return done.code, done.out, done.err

    assert call("look")[:2] == (0, "1 in dev\n")
    found = json.loads(call("look", "--json")[1])
    assert (found["macro"], found["messages"], found["published"]) == ("look", ["1 in dev"], False)
    assert call("mke")[0::2] == (2, "error: There is no macro 'mke'. Did you mean 'make'?\n")
    assert (
        call("make", "--args", "5")[2] == "error: --args should be YAML such as 'schema: staging', not '5'.\n"
    )
    code, _, told = call("make", "--args", "nam: q")
    assert (code, told) == (3, "error: the macro make: macro 'make' takes no keyword argument 'nam'.\n")
