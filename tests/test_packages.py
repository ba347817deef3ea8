"""Packages: where they are found, which of two macros, models or variables of a name is meant."""

import json
import shutil
from pathlib import Path

import duckdb
import pytest

from genredb.errors import ProjectError
from genredb.runner.graph.compiler import compile_project
from genredb.runner.graph.nodes import Model
from genredb.runner.graph.select import select
from genredb.runner.project.config import Settings, read_config
from genredb.runner.project.discover import read_project
from tests.project_files import BASE, compiled, model_of, write_project
from tests.verbs import build

TOOLS = {
    "dbt_packages/tools/dbt_project.yml": "name: tools\nvars: {color: red, tools: {size: 1}}\n",
    "dbt_packages/tools/macros/m.sql": "{% macro one() %}1{% endmacro %}{% macro paint() %}{{ var('color') }}{% endmacro %}",
}


def sql_of(folder: Path, files: dict[str, str], name: str = "m") -> str:
    return model_of(compiled(folder, files), name).sql


def test_an_installed_package_gives_its_macros_by_its_name(tmp_path: Path) -> None:
    assert sql_of(tmp_path, {**TOOLS, "models/m.sql": "select {{ tools.one() }} as x"}) == "select 1 as x"


def test_a_package_that_is_listed_but_not_installed_is_named_where_it_is_called(tmp_path: Path) -> None:
    files = {
        "packages.yml": "packages: [{package: dbt-labs/dbt_utils, version: 1.0.0}]",
        "models/m.sql": "select {{ dbt_utils.star(ref('m')) }}",
        "models/p.yml": "models: [{name: m, data_tests: [dbt_utils.equal_rowcount: {arguments: {compare_model: m}}]}]",
    }
    with pytest.raises(ProjectError) as raised:
        compiled(tmp_path, files)
    message = str(raised.value)
    assert "models/m.sql:1:11: the package dbt_utils is not installed; run `genredb deps`." in message
    (tmp_path / "models" / "m.sql").write_text("select 1 as x")
    what = (
        r"^models/p.yml:1: the check 'dbt_utils.equal_rowcount' is of a package that is not installed; run `g"
    )
    with pytest.raises(ProjectError, match=what):
        compiled(tmp_path, {name: text for name, text in files.items() if name != "models/m.sql"})


def test_a_project_that_does_not_use_a_missing_package_is_built(tmp_path: Path) -> None:
    files = {"packages.yml": "packages: [{package: a/b, version: 1.0.0}]", "models/m.sql": "select 1 as x"}
    config = write_project(tmp_path, files)
    assert [str(notice) for notice in config.notices] == [
        "packages.yml: the package a/b is not installed; run `genredb deps`."
    ]
    assert build(config).exit_code == 0


def test_a_repository_may_be_called_otherwise_than_its_package(tmp_path: Path) -> None:
    files = {**TOOLS, "packages.yml": "packages: [{git: 'https://example.org/x/our-macros.git'}]"}
    assert write_project(tmp_path, files).notices == ()


def test_a_local_package_is_read_where_it_stands_with_those_that_it_lists(tmp_path: Path) -> None:
    files = {
        "packages.yml": "packages: [{local: ../one}]",
        "../one/dbt_project.yml": "name: one",
        "../one/packages.yml": "packages: [{local: ../two}]",
        "../one/models/made.sql": "select {{ two.half() }} as x",
        "../two/dbt_project.yml": "name: two",
        "../two/macros/m.sql": "{% macro half() %}0.5{% endmacro %}",
        "models/m.sql": "select * from {{ ref('made') }}",
    }
    compilation = compiled(tmp_path / "project", files)
    assert compilation.nodes["model.one.made"].depends_on == ()
    assert compilation.nodes["model.small.m"].depends_on == ("model.one.made",)


def test_a_local_package_that_is_none_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(
        ProjectError, match=r"^packages.yml: the local package tools has no dbt_project.yml\.$"
    ):
        compiled(tmp_path, {"packages.yml": "packages: [{local: tools}]"})


def test_an_entry_without_a_source_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match=r"^packages.yml: each entry of `packages:` needs one of `local:`"):
        compiled(tmp_path, {"packages.yml": "packages: [{version: 1.0.0}]"})


def test_two_packages_of_one_name_are_an_error(tmp_path: Path) -> None:
    files = {**TOOLS, "dbt_packages/more/dbt_project.yml": "name: tools"}
    with pytest.raises(ProjectError, match=r"several packages are called 'tools'"):
        compiled(tmp_path, files)


def test_a_folder_of_dbt_packages_without_a_project_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(
        ProjectError, match=r"dbt_packages/half has no dbt_project.yml; run `genredb deps`\.$"
    ):
        compiled(tmp_path, {"dbt_packages/half/README.md": "nothing"})


def test_packages_may_be_installed_elsewhere(tmp_path: Path) -> None:
    files = {
        "dbt_project.yml": f"{BASE['dbt_project.yml']}packages-install-path: vendor\n",
        "vendor/tools/dbt_project.yml": "name: tools",
        "vendor/tools/macros/m.sql": "{% macro two() %}2{% endmacro %}",
        "models/m.sql": "select {{ tools.two() }} as x",
    }
    assert sql_of(tmp_path, files) == "select 2 as x"


def test_a_template_sees_the_macros_of_its_own_package_and_of_the_project_alone(tmp_path: Path) -> None:
    files = {
        **TOOLS,
        "dbt_packages/tools/models/own.sql": "select {{ one() }} as x, {{ mine() }} as y",
        "macros/m.sql": "{% macro mine() %}'mine'{% endmacro %}",
        "models/m.sql": "select {{ one() }} as x",
    }
    with pytest.raises(ProjectError, match=r"^models/m.sql:1:11: 'one' is undefined\.") as raised:
        compiled(tmp_path, files)
    assert "own.sql" not in str(raised.value)
    (tmp_path / "models" / "m.sql").unlink()
    files.pop("models/m.sql")
    assert sql_of(tmp_path, files, "own") == "select 1 as x, 'mine' as y"


def test_variables_of_a_package_are_its_own_then_those_of_the_project(tmp_path: Path) -> None:
    own = "select '{{ var('color') }}' as color, {{ var('size') }} as size"
    files = {**TOOLS, "dbt_packages/tools/models/own.sql": own}
    assert sql_of(tmp_path, files, "own") == "select 'red' as color, 1 as size"
    project = f"{BASE['dbt_project.yml']}vars: {{color: blue, tools: {{size: 2}}}}\n"
    files["dbt_project.yml"] = project
    assert sql_of(tmp_path, files, "own") == "select 'blue' as color, 2 as size"


def test_a_macro_renders_with_the_variables_of_the_template_that_calls_it(tmp_path: Path) -> None:
    files = {**TOOLS, "models/m.sql": "select '{{ tools.paint() }}' as x"}
    with pytest.raises(ProjectError, match="The variable 'color' is not set"):
        compiled(tmp_path, files)


def test_the_project_configures_the_nodes_of_a_package_last(tmp_path: Path) -> None:
    config = "models: {tools: {+materialized: table, +schema: painted, +tags: [theirs]}}\n"
    files = {
        **TOOLS,
        "dbt_project.yml": f"{BASE['dbt_project.yml']}{config}",
        "dbt_packages/tools/models/own.sql": "{{ config(materialized='view', tags='own') }} select 1 as x",
    }
    own = model_of(compiled(tmp_path, files), "own")
    assert (own.materialized, own.relation.schema, own.tags) == ("table", "main_painted", ("own", "theirs"))


def test_a_model_of_a_package_may_be_disabled_by_the_project(tmp_path: Path) -> None:
    files = {
        **TOOLS,
        "dbt_project.yml": f"{BASE['dbt_project.yml']}models: {{tools: {{+enabled: false}}}}\n",
        "dbt_packages/tools/models/own.sql": "select 1 as x",
        "models/m.sql": "select * from {{ ref('own') }}",
    }
    with pytest.raises(ProjectError, match=r"ref\('own'\) refers to a disabled node"):
        compiled(tmp_path, files)


def test_a_reference_to_a_package_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    files = {**TOOLS, "models/m.sql": "select * from {{ ref('tolls', 'own') }}"}
    with pytest.raises(
        ProjectError, match=r"ref\('tolls', 'own'\) refers to no package.* Did you mean 'tools'"
    ):
        compiled(tmp_path, files)


def test_dispatch_looks_where_the_project_says(tmp_path: Path) -> None:
    calls = "{% macro size() %}{{ return(adapter.dispatch('size', 'tools')()) }}{% endmacro %}"
    files = {
        **TOOLS,
        "dbt_packages/tools/macros/s.sql": calls + "{% macro duckdb__size() %}1{% endmacro %}",
        "dbt_packages/more/dbt_project.yml": "name: more",
        "dbt_packages/more/macros/s.sql": "{% macro default__size() %}2{% endmacro %}",
        "models/m.sql": "select {{ tools.size() }} as x",
    }
    assert sql_of(tmp_path, files) == "select 1 as x"
    order = "dispatch: [{macro_namespace: tools, search_order: [more, tools]}]\n"
    files["dbt_project.yml"] = f"{BASE['dbt_project.yml']}{order}"
    assert sql_of(tmp_path, files) == "select 2 as x"
    files["macros/s.sql"] = "{% macro default__size() %}3{% endmacro %}"
    files["dbt_project.yml"] = BASE["dbt_project.yml"]
    assert sql_of(tmp_path, files) == "select 3 as x"


def test_a_change_of_a_package_is_built(tmp_path: Path) -> None:
    files = {**TOOLS, "models/m.sql": "select {{ tools.one() }} as x", "models/n.sql": "select 2 as x"}
    config = write_project(tmp_path, files)
    build(config)
    assert build(config).results == ()
    macro = tmp_path / "dbt_packages" / "tools" / "macros" / "m.sql"
    macro.write_text(macro.read_text().replace("1", "3"))
    assert {result.node.name for result in build(write_project(tmp_path, {})).results} == {"m"}


def test_dbts_own_macros_may_be_replaced_by_dispatch(tmp_path: Path) -> None:
    files = {
        **TOOLS,
        "dbt_packages/tools/macros/d.sql": (
            "{% macro duckdb__dateadd(part, n, at) %}added{% endmacro %}"
            "{% macro days() %}{{ dateadd('day', 1, 'x') }}{% endmacro %}"
        ),
        "macros/d.sql": "{% macro default__type_string() %}text(9){% endmacro %}",
        "models/m.sql": "select '{{ type_string() }} {{ dbt.type_string() }} {{ tools.days() }}' as x",
    }
    own = "(x + (cast(1 as bigint)) * interval 1 day)"
    assert sql_of(tmp_path, files) == f"select 'text(9) text(9) {own}' as x"
    order = "dispatch: [{macro_namespace: dbt, search_order: [small, tools, dbt]}]\n"
    files["dbt_project.yml"] = f"{BASE['dbt_project.yml']}{order}"
    assert sql_of(tmp_path, files) == "select 'text(9) text(9) added' as x"


def test_a_unit_test_may_replace_a_macro_of_a_package(tmp_path: Path) -> None:
    tests = (
        "unit_tests: [{name: t, model: m, given: [], overrides: {macros: {tools.one: '2'}},"
        " expect: {rows: [{x: 2}]}}]"
    )
    model = "select {{ tools.one() }} as x"
    config = write_project(tmp_path, {**TOOLS, "models/m.sql": model, "models/u.yml": tests})
    assert build(config).exit_code == 0
    assert sql_of(tmp_path, {}) == "select 1 as x"


def test_what_is_of_a_disabled_model_is_left_out(tmp_path: Path) -> None:
    stated = (
        "models: [{name: on, columns: [{name: x, data_tests: [unique,"
        " {relationships: {arguments: {to: ref('off'), field: x}}}]}]}]\n"
        "unit_tests: [{name: t, model: 'off', given: [], expect: {rows: [{x: 2}]}}]"
    )
    files = {
        **TOOLS,
        "dbt_project.yml": f"{BASE['dbt_project.yml']}models: {{tools: {{'off': {{+enabled: false}}}}}}\n",
        "dbt_packages/tools/models/on.sql": "select 1 as x",
        "dbt_packages/tools/models/off.sql": "select 2 as x",
        "dbt_packages/tools/models/p.yml": stated.replace("name: on,", "name: 'on',"),
        "dbt_packages/tools/tests/none.sql": "select * from {{ ref('off') }}",
    }
    found = compiled(tmp_path, files).nodes
    assert sorted(found) == ["model.tools.on", "test.tools.unique_on_x"]


def test_the_project_may_restrict_the_rows_that_checks_of_a_package_look_at(tmp_path: Path) -> None:
    checks = (
        "models: [{name: own, columns: [{name: x, data_tests: [unique,"
        " {relationships: {arguments: {to: ref('other'), field: x}}}]}]}]"
    )
    files = {
        **TOOLS,
        "dbt_project.yml": f"{BASE['dbt_project.yml']}data_tests: {{tools: {{+where: x < 2}}}}\n",
        "dbt_packages/tools/models/own.sql": "select unnest([1, 2, 2]) as x",
        "dbt_packages/tools/models/other.sql": "select 1 as x",
        "dbt_packages/tools/models/p.yml": checks,
    }
    assert build(write_project(tmp_path, files)).exit_code == 0


def test_folders_of_a_package_may_be_missing(tmp_path: Path) -> None:
    files = {**TOOLS, "models/m.sql": "select {{ tools.one() }} as x"}
    files["dbt_packages/tools/dbt_project.yml"] += (
        "model-paths: [models, marts]\nmacro-paths: [macros, more]\n"
    )
    assert sql_of(tmp_path, files) == "select 1 as x"
    files["dbt_packages/tools/dbt_project.yml"] = "name: tools\nseed-paths: seeds\n"
    with pytest.raises(ProjectError, match=r"^dbt_packages/tools/dbt_project.yml: `seed-paths:` should be a"):
        compiled(tmp_path, files)


def test_the_list_of_packages_may_not_be_made_by_a_template(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match=r"^packages.yml: `packages:` should be a list\.$"):
        compiled(tmp_path, {"packages.yml": "packages: \"{{ var('none', []) }}\""})


def test_artifacts_name_files_by_their_places_in_their_packages(tmp_path: Path) -> None:
    files = {
        "packages.yml": "packages: [{local: ../one}]",
        "../one/dbt_project.yml": "name: one",
        "../one/models/deep/made.sql": "select 1 as x",
        "dbt_packages/two/dbt_project.yml": "name: two",
        "dbt_packages/two/models/also.sql": "select 2 as x",
    }
    config = write_project(tmp_path / "project", files)
    build(config)
    nodes = json.loads((config.target_dir / "manifest.json").read_text())["nodes"]
    stated = {node["unique_id"]: node["original_file_path"] for node in nodes.values()}
    assert stated == {"model.one.made": "models/deep/made.sql", "model.two.also": "models/also.sql"}
    made = config.target_dir / "compiled"
    found = sorted(path.relative_to(made).as_posix() for path in made.rglob("*.sql"))
    assert found == ["one/models/deep/made.sql", "two/models/also.sql"]


def test_the_relations_of_a_package_that_left_are_dropped(tmp_path: Path) -> None:
    own = "select {{ one() }} as x"
    files = {**TOOLS, "dbt_packages/tools/models/own.sql": own, "models/m.sql": "select 1 as x"}
    config = write_project(tmp_path, {**files, "models/n.sql": "select 2 as x"})
    build(config)
    shutil.rmtree(tmp_path / "dbt_packages")
    build(write_project(tmp_path, {}))
    with duckdb.connect(str(config.database), read_only=True) as connection:
        sql = "select table_name from information_schema.tables where table_schema = 'main' order by all"
        assert connection.execute(sql).fetchall() == [("m",), ("n",)]


def test_a_package_may_not_have_the_name_of_what_templates_see(tmp_path: Path) -> None:
    files = {"dbt_packages/one/dbt_project.yml": "name: target", "models/m.sql": "select 1 as x"}
    what = r"^dbt_packages/one/dbt_project.yml: a project cannot be called 'target'"
    with pytest.raises(ProjectError, match=what):
        compiled(tmp_path, files)


def test_the_project_states_the_types_of_the_columns_of_a_packages_seeds(tmp_path: Path) -> None:
    config = "seeds: {tools: {+delimiter: ';', +column_types: {code: varchar}}}\n"
    files = {
        **TOOLS,
        "dbt_project.yml": f"{BASE['dbt_project.yml']}{config}",
        "dbt_packages/tools/seeds/codes.csv": "code;n\n007;1\n",
    }
    project = write_project(tmp_path, files)
    assert build(project).exit_code == 0
    with duckdb.connect(str(project.database), read_only=True) as connection:
        assert connection.execute("from codes").fetchall() == [("007", 1)]


@pytest.mark.parametrize(
    "stated",
    [
        "{macro_namespace: tools, search_order: [small]}",
        "[{macro_namespace: tools}]",
        "[{macro_namespace: tools, search_order: small}]",
        "[tools]",
    ],
)
def test_an_order_of_dispatch_that_says_nothing_is_an_error(tmp_path: Path, stated: str) -> None:
    files = {"dbt_project.yml": f"{BASE['dbt_project.yml']}dispatch: {stated}\n"}
    with pytest.raises(ProjectError, match=r"^dbt_project.yml.*dispatch"):
        compiled(tmp_path, files)


def test_package_this_selects_the_project_alone(tmp_path: Path) -> None:
    files = {
        **TOOLS,
        "dbt_packages/tools/models/own.sql": "select 1 as x",
        "models/m.sql": "select * from {{ ref('own') }}",
    }
    found = select(compiled(tmp_path, files), ["package:this"])
    assert set(found) == {"model.small.m"}


def test_a_fault_of_a_packages_hook_is_placed_in_the_package(tmp_path: Path) -> None:
    files = {**TOOLS, "models/m.sql": "select 1 as x"}
    files["dbt_packages/tools/dbt_project.yml"] += "on-run-start: create tabl x (y int)\n"
    result = build(write_project(tmp_path, files)).results[0]
    assert str(result.error).startswith("dbt_packages/tools/dbt_project.yml (on-run-start): syntax error")


def test_a_dbt_project_yml_and_packages_yml_see_the_variables_of_the_command_line_alone(
    tmp_path: Path,
) -> None:
    stated = "models: {+schema: \"{{ var('place', 'default') }}\"}\nvars: {place: own}\n"
    files = {
        "dbt_project.yml": BASE["dbt_project.yml"] + stated,
        "packages.yml": "packages: [{local: \"{{ var('where', 'one') }}\"}]",
        "one/dbt_project.yml": "name: one",
        "two/dbt_project.yml": "name: two",
        "models/m.sql": "select '{{ var('place') }}' as x",
    }
    write_project(tmp_path, files)
    found = []
    stated_vars: list[dict[str, str]] = [{}, {"place": "given", "where": "two"}]
    for given in stated_vars:
        config = read_config(Settings(project_dir=tmp_path, vars=given))
        model = compile_project(read_project(config)).nodes["model.small.m"]
        assert isinstance(model, Model)
        found.append((model.relation.schema, model.sql, config.installed[0].name))
    assert found == [
        ("main_default", "select 'own' as x", "one"),
        ("main_given", "select 'given' as x", "two"),
    ]


def test_dispatch_for_a_package_that_is_not_there_looks_in_what_the_template_sees(tmp_path: Path) -> None:
    files = {
        **TOOLS,
        "dbt_packages/tools/macros/s.sql": (
            "{% macro size() %}{{ return(adapter.dispatch('size', 'absent')()) }}{% endmacro %}"
            "{% macro default__size() %}1{% endmacro %}"
        ),
        "dbt_packages/tools/models/own.sql": "select {{ size() }} as x",
    }
    assert sql_of(tmp_path, files, "own") == "select 1 as x"
