"""Compiling: names, jinja, checks, order, and what is said when something is wrong."""

from pathlib import Path

import pytest

from genredb.compile.compiler import compile_inline
from genredb.compile.fingerprint import identities
from genredb.errors import GenredbError, ProjectError, UsageError
from genredb.project.config import Settings, read_config
from genredb.project.discover import read_project
from tests.conftest import check_golden
from tests.project_files import BASE, compiled, write_project

SOURCES = """
sources:
  - name: raw
    tables: [{name: songs}]
"""


def sql(folder: Path, files: dict[str, str], name: str) -> str:
    return compiled(folder, files).find(name).sql


def test_a_ref_names_database_schema_and_alias(tmp_path: Path) -> None:
    files = {
        "models/a.sql": "{{ config(schema='mart', alias='b', materialized='table') }} select 1 as x",
        "models/c.sql": "select * from {{ ref('a') }} as t, {{ ref('small', 'a') }}",
    }
    result = compiled(tmp_path, files)
    assert result.find("c").sql == 'select * from "small"."main_mart"."b" as t, "small"."main_mart"."b"'
    assert result.find("c").depends_on == ("model.small.a",)
    assert result.find("a").materialized == "table"


def test_generate_schema_name_decides_the_schema(tmp_path: Path) -> None:
    macro = "{% macro generate_schema_name(custom_schema_name, node) %}{{ target.schema }}_{{ node.name }}{% endmacro %}"
    files = {"macros/m.sql": macro, "models/a.sql": "select 1 as x"}
    assert compiled(tmp_path, files).find("a").label == "main_a.a"


def test_sources_vars_environment_macros_and_this(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SONG_LIMIT", "7")
    files = {
        "dbt_project.yml": BASE["dbt_project.yml"] + "vars: {low: 1, small: {low: 2}}\n",
        "models/sources.yml": SOURCES,
        "macros/inner.sql": "{% macro inner(x) %}{{ x }}{{ var('low') }}{% endmacro %}",
        "macros/outer.sql": "{% macro outer() %}{{ inner('>') }} from {{ source('raw', 'songs') }}, {{ this }}{% endmacro %}",
        "models/a.sql": "{{ outer() }} {{ env_var('SONG_LIMIT') }} {{ var('missing', 'd') }}{% for c in 'ab' %} {{ c }}{% endfor %}",
    }
    result = compiled(tmp_path, files)
    assert result.find("a").sql == '>2 from "small"."raw"."songs", "small"."main"."a" 7 d a b'
    assert result.find("a").depends_on == ("source.small.raw.songs",)
    assert result.environment == ("SONG_LIMIT",)


def test_folder_configurations_nest_and_properties_and_model_win(tmp_path: Path) -> None:
    files = {
        "dbt_project.yml": BASE["dbt_project.yml"]
        + "models: {small: {+materialized: table, deep: {+schema: d, materialized: view}}}\n",
        "models/a.sql": "select 1",
        "models/deep/b.sql": "select 1",
        "models/deep/c.sql": "{{ config(materialized='table') }} select 1",
        "models/deep/d.sql": "select 1",
        "models/p.yml": "models: [{name: d, config: {schema: e}}]",
    }
    result = compiled(tmp_path, files)
    found = {name: (result.find(name).materialized, result.find(name).label) for name in "abcd"}
    assert found == {
        "a": ("table", "a"),
        "b": ("view", "main_d.b"),
        "c": ("table", "main_d.c"),
        "d": ("view", "main_e.d"),
    }


def test_checks_are_named_as_dbt_names_them_and_compile_to_queries(tmp_path: Path) -> None:
    properties = """
models:
  - name: a
    columns:
      - name: x
        data_tests:
          - unique
          - not_null: {config: {where: "x > 1"}}
          - accepted_values: {arguments: {values: [a, "it's"]}}
          - relationships: {to: ref('b'), field: y, severity: warn}
"""
    files = {
        "models/a.sql": "select 1 as x",
        "models/b.sql": "select 1 as y",
        "models/p.yml": properties,
        "tests/nothing_odd.sql": "{{ config(severity='warn') }} select * from {{ ref('a') }} where x = 9;",
    }
    result = compiled(tmp_path, files)
    checks = {node.name: node for node in result.nodes.values() if node.materialized == "check"}
    shown = "\n\n".join(f"-- {name} ({node.severity})\n{node.sql}" for name, node in sorted(checks.items()))
    check_golden("checks.sql", shown + "\n")


def test_nodes_follow_what_they_depend_on_and_checks_follow_at_once(tmp_path: Path) -> None:
    files = {
        "models/z.sql": "select 1 as x",
        "models/a.sql": "select * from {{ ref('m') }}",
        "models/m.sql": "select * from {{ ref('z') }}",
        "models/p.yml": "models: [{name: z, columns: [{name: x, tests: [unique]}]}]",
    }
    assert [node.name for node in compiled(tmp_path, files).nodes.values()] == ["z", "unique_z_x", "m", "a"]


def test_inline_templates_see_the_project(tmp_path: Path) -> None:
    project = read_project(write_project(tmp_path, {"models/a.sql": "select 1"}))
    assert compile_inline(project, "from {{ ref('a') }}") == 'from "small"."main"."a"'


def test_a_fingerprint_changes_with_what_a_node_is_made_of_and_with_nothing_else(tmp_path: Path) -> None:
    files = {
        "models/a.sql": "select 1 as x",
        "models/b.sql": "select * from {{ ref('a') }}",
        "models/c.sql": "select 2",
    }

    def prints(**changed: str) -> dict[str, str]:
        updated = files | {f"models/{name}.sql": text for name, text in changed.items()}
        compilation = compiled(tmp_path, updated)
        own = identities(compilation, {}, {}, lambda _sql: None)
        found: dict[str, str] = {}
        for node in compilation.nodes.values():
            found[node.unique_id] = own[node.unique_id].fingerprint(found[i] for i in node.depends_on)
        return found

    before = prints()
    assert prints() == before
    for changed, expected in (
        ({"a": "select 2 as x"}, {"a", "b"}),
        ({"a": "{{ config(materialized='table') }}select 1 as x"}, {"a", "b"}),
        ({"b": "select x from {{ ref('a') }}"}, {"b"}),
    ):
        after = prints(**changed)
        assert {name[-1] for name in after if after[name] != before[name]} == expected


BROKEN: dict[str, dict[str, str]] = {
    "unknown ref": {"models/a.sql": "select 1", "models/b.sql": "select *\nfrom {{ ref('aa') }}"},
    "unknown source": {"models/s.yml": SOURCES, "models/a.sql": "select * from {{ source('raw', 'song') }}"},
    "unknown variable": {
        "dbt_project.yml": BASE["dbt_project.yml"] + "vars: {minimum: 1}\n",
        "models/a.sql": "\n\nselect {{ var('minimun') }}",
    },
    "undefined name": {"models/a.sql": "select 1,\n  {{ adio }} from t"},
    "undefined name in a macro": {
        "macros/m.sql": "{% macro m() %}\n{{ nothing }}\n{% endmacro %}",
        "models/a.sql": "select {{ m() }}",
    },
    "missing environment variable": {"models/a.sql": "select {{ env_var('GENREDB_NO_SUCH') }}"},
    "jinja syntax": {"models/a.sql": "select 1\nfrom {{ ref('b' }}"},
    "unsafe jinja": {"models/a.sql": "select {{ ''.__class__.__mro__ }}"},
    "circle": {
        "models/a.sql": "select * from {{ ref('b') }}",
        "models/b.sql": "select * from {{ ref('c') }}",
        "models/c.sql": "select * from {{ ref('a') }}",
    },
    "materialization": {"models/a.sql": "{{ config(materialized='tabel') }} select 1"},
    "two models of a name": {"models/a.sql": "select 1", "models/deep/a.sql": "select 1"},
    "seed and model of a name": {"models/a.sql": "select 1", "seeds/a.csv": "x\n1\n"},
    "properties twice": {"models/a.sql": "select 1", "models/p.yml": "models: [{name: a}, {name: a}]"},
    "unknown check": {
        "models/a.sql": "select 1 as x",
        "models/p.yml": "models: [{name: a, columns: [{name: x, tests: [uniqe]}]}]",
    },
    "check without argument": {
        "models/a.sql": "select 1 as x",
        "models/p.yml": "models: [{name: a, columns: [{name: x, tests: [accepted_values]}]}]",
    },
    "check twice": {
        "models/a.sql": "select 1 as x",
        "models/p.yml": "models: [{name: a, columns: [{name: x, tests: [unique, unique]}]}]",
    },
    "severity": {"models/a.sql": "select 1", "tests/t.sql": "{{ config(severity='eror') }} select 1"},
    "two relations of a name": {
        "models/a.sql": "select 1",
        "models/b.sql": "{{ config(alias='A') }} select 1",
    },
    "relation of a source's name": {
        "models/s.yml": "sources: [{name: raw, tables: [{name: songs, meta: {file: x.csv}}]}]",
        "models/a.sql": "{{ config(alias='songs', schema='x') }} select 1",
        "macros/m.sql": "{% macro generate_schema_name(custom_schema_name, node) %}raw{% endmacro %}",
    },
    "genredb's own schema": {
        "models/a.sql": "select 1",
        "macros/m.sql": "{% macro generate_schema_name(custom_schema_name, node) %}meta{% endmacro %}",
    },
    "source twice": {"models/s.yml": SOURCES, "models/t.yml": SOURCES},
    "macro twice": {
        "macros/a.sql": "{% macro m() %}{% endmacro %}",
        "macros/b.sql": "{% macro m() %}{% endmacro %}",
    },
    "ref to a disabled model": {
        "models/a.sql": "{{ config(enabled=false) }} select 1",
        "models/b.sql": "select * from {{ ref('a') }}",
    },
    "unquoted configuration": {"models/a.sql": "{{ config(materialized=table) }} select 1"},
    "division by zero": {"models/a.sql": "select {{ 1 / 0 }}"},
    "endless macro": {"macros/m.sql": "{% macro m() %}{{ m() }}{% endmacro %}", "models/a.sql": "{{ m() }}"},
    "include": {"models/a.sql": "{% include 'b.sql' %}"},
    "ref without a name": {"models/a.sql": "select * from {{ ref() }}"},
    "check without SQL": {"tests/t.sql": "-- nothing\n/* here */ ;"},
    "configuration that is no mapping": {
        "models/a.sql": "",
        "models/p.yml": "models: [{name: a, config: x}]",
    },
    "checks that are no list": {
        "models/a.sql": "",
        "models/p.yml": "models: [{name: a, data_tests: unique}]",
    },
    "check that is no mapping": {
        "models/a.sql": "",
        "models/p.yml": "models: [{name: a, columns: [{name: x, tests: [{unique: x}]}]}]",
    },
    "values that are no list": {
        "models/a.sql": "",
        "models/p.yml": "models: [{name: a, columns: [{name: x, tests: [{accepted_values: {values: 3}}]}]}]",
    },
    "argument that does not exist": {
        "models/a.sql": "",
        "models/p.yml": "models: [{name: a, columns: [{name: x, tests: [{relationships: {too: b, field: x}}]}]}]",
    },
    "minimum that is no number": {
        "models/s.yml": "sources: [{name: raw, tables: [{name: t, columns: [{name: x, meta: {min: low}}]}]}]"
    },
    "folder that is no list": {"dbt_project.yml": "name: small\nmodel-paths: models\n"},
    "folder that does not exist": {"dbt_project.yml": "name: small\nmodel-paths: [sql]\n"},
    "variables that are no mapping": {"dbt_project.yml": "name: small\nvars: [1]\n"},
    "name with a dot": {"dbt_project.yml": "name: a.b\n"},
    "profile that is no mapping": {"profiles.yml": "small: x\n"},
    "jinja in the profile": {"profiles.yml": "small: {{ nothing }}\n"},
    "control character": {"models/p.yml": "models: [{name: 'a\x01'}]"},
    "yml syntax": {"models/a.sql": "select 1", "models/p.yml": "models:\n  - name: a\n   columns: ["},
    "yml that is no mapping": {"models/p.yml": "- models"},
    "models that are no list": {"models/p.yml": "models: {name: a}"},
    "project without a name": {"dbt_project.yml": "version: '1'\n"},
    "profile that does not exist": {"dbt_project.yml": "name: small\nprofile: smal\n"},
    "profile of another database": {"profiles.yml": "small: {outputs: {dev: {type: postgres}}}\n"},
    "target that does not exist": {"profiles.yml": "small: {target: prod, outputs: {dev: {type: duckdb}}}\n"},
}


def test_broken_projects_say_what_and_where(tmp_path: Path) -> None:
    lines = []
    for number, (name, files) in enumerate(BROKEN.items()):
        folder = tmp_path / str(number)
        with pytest.raises(ProjectError) as error:
            compiled(folder, files)
            pytest.fail(f"{name}: no error")
        lines.append(f"{name}:\n  {str(error.value).replace(f'{folder}/', '')}")
    check_golden("broken_projects.txt", "\n".join(lines) + "\n")


def test_a_name_that_does_not_exist_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="There is no model, seed or check 'song'. Did you mean 'songs'?"):
        compiled(tmp_path, {"models/songs.sql": "select 1"}).find("song")


def test_the_project_is_searched_upward_and_profiles_read_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    profile = "small: {outputs: {dev: {type: duckdb, path: \"{{ env_var('DB', 'default.duckdb') }}\"}}}\n"
    write_project(tmp_path, {"profiles.yml": profile, "models/deep/a.sql": "select 1"})
    monkeypatch.chdir(tmp_path / "models" / "deep")
    assert read_config(Settings()).database == tmp_path / "default.duckdb"
    monkeypatch.setenv("DB", "other.duckdb")
    assert read_config(Settings()).database == tmp_path / "other.duckdb"


@pytest.mark.parametrize(
    "settings",
    [
        Settings(project_dir=Path("/nowhere")),
        Settings(profiles_dir=Path("/nowhere")),
        Settings(raw_dir=Path("/nowhere")),
        Settings(database=Path("/nowhere/x.duckdb")),
    ],
)
def test_folders_that_do_not_exist_are_usage_errors(settings: Settings) -> None:
    with pytest.raises(GenredbError, match="/nowhere") as error:
        read_config(settings)
    assert error.value.exit_code == 2


@pytest.mark.parametrize(
    "text",
    [
        "select * from {{ ref('a') }}\n",
        "{{ config(materialized='table', alias = 'other') }}\n\nselect 1 from {{ref('a')}} join {{ source('s', 't') }}\n\n",
        "select '{' || '}' from {{ ref( 'small' , 'a' ) }} -- {{ ref('a') }}",
        "no jinja at all\n",
        "{{- ref('a') -}} x {{ ref('a') | upper }}",
        "{{ config(materialized='table', tags=['x']) }} select {{ var('v', 1) }} from {{ ref('a') }}",
        "{% if true %}{{ ref('a') }}{% endif %} {# note #}",
        "{% raw %}{{ ref('a') }}{% endraw %}",
        "select 1\r\nfrom {{ ref('a') }}\r\n",
        "{{ ref('a') }} }}",
    ],
)
def test_plain_templates_give_what_jinja_gives(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {
        "models/a.sql": "select 1 as x",
        "models/b.sql": text,
        "models/s.yml": "sources: [{name: s, tables: [{name: t}]}]",
    }
    plain = compiled(tmp_path, files).find("b")
    monkeypatch.setattr("genredb.compile.render.plain_parts", lambda _text: None)
    by_jinja = compiled(tmp_path, files).find("b")
    assert (plain.sql, plain.depends_on, plain.config) == (by_jinja.sql, by_jinja.depends_on, by_jinja.config)
