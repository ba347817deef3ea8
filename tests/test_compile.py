"""Compiling: names, jinja, checks, order, and what is said when something is wrong."""

from pathlib import Path

import pytest

from genredb.errors import GenredbError, ProjectError, UsageError
from genredb.runner.graph.compiler import compile_inline
from genredb.runner.graph.fingerprint import identities
from genredb.runner.graph.nodes import Check
from genredb.runner.project.config import Settings, read_config
from genredb.runner.project.discover import read_project
from tests.cases import case_names, read_case
from tests.conftest import check_golden
from tests.project_files import BASE, compiled, model_of, write_project

SOURCES = """
sources:
  - name: raw
    tables: [{name: songs}]
"""


def sql(folder: Path, files: dict[str, str], name: str) -> str:
    return model_of(compiled(folder, files), name).sql


def test_a_ref_names_database_schema_and_alias(tmp_path: Path) -> None:
    files = {
        "models/a.sql": "{{ config(schema='mart', alias='b', materialized='table') }} select 1 as x",
        "models/c.sql": "select * from {{ ref('a') }} as t, {{ ref('small', 'a') }}",
    }
    result = compiled(tmp_path, files)
    assert model_of(result, "c").sql == 'select * from "small"."main_mart"."b" as t, "small"."main_mart"."b"'
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
    assert model_of(result, "a").sql == '>2 from "small"."raw"."songs", "small"."main"."a" 7 d a b'
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
    checks = {node.name: node for node in result.of_type(Check)}
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


def test_broken_projects_say_what_and_where(tmp_path: Path) -> None:
    lines = []
    for name in case_names("broken_projects"):
        folder = tmp_path / name
        with pytest.raises(ProjectError) as error:
            compiled(folder, read_case("broken_projects", name))
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


@pytest.mark.parametrize("form", case_names("compile/plain"))
def test_plain_templates_give_what_jinja_gives(
    form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {
        "models/a.sql": "select 1 as x",
        "models/s.yml": "sources: [{name: s, tables: [{name: t}]}]",
        **read_case("compile/plain", form),
    }
    plain = model_of(compiled(tmp_path, files), "b")
    monkeypatch.setattr("genredb.runner.templates.render.plain_parts", lambda _text: None)
    by_jinja = model_of(compiled(tmp_path, files), "b")
    assert (plain.sql, plain.depends_on, plain.config) == (by_jinja.sql, by_jinja.depends_on, by_jinja.config)


def test_docs_blocks_are_in_the_folders_of_docs_paths(tmp_path: Path) -> None:
    """They are all folders of the project if none is stated, as in dbt."""
    files = {
        "models/m.sql": "select 1 as x",
        "models/p.yml": "models: [{name: m, description: \"{{ doc('a') }}\"}]",
        "docs/a.md": "{% docs a %}The first.{% enddocs %}",
    }
    with pytest.raises(ProjectError, match="there is no docs block 'a'"):
        compiled(tmp_path, files)
    stated = {"dbt_project.yml": BASE["dbt_project.yml"] + "docs-paths: [docs]\n"}
    assert model_of(compiled(tmp_path, files | stated), "m").description == "The first."
