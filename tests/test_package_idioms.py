"""What the macros of packages count on: names of branches not taken, arguments left out, tables as mappings."""

from pathlib import Path

import duckdb
import pytest

from genredb.errors import ProjectError
from genredb.runner.graph.nodes import Check
from tests.conftest import rows
from tests.project_files import compiled, model_of, write_project
from tests.verbs import build


def sql_of(folder: Path, macros: str, model: str) -> str:
    return model_of(compiled(folder, {"macros/m.sql": macros, "models/m.sql": model}), "m").sql


@pytest.mark.parametrize(
    ("macro", "call", "expected"),
    [
        ("{% macro f(on) %}{% if on %}{% set x = '1' %}{% endif %}{{ x }}2{% endmacro %}", "f(true)", "12"),
        ("{% macro f(on) %}{% if on %}{% set x = '1' %}{% endif %}{{ x }}2{% endmacro %}", "f(false)", "2"),
        (
            "{% macro f(on) %}{% if not on %}0{% elif on > 1 %}{% set x %}1{% endset %}{% endif %}{{ x }}2{% endmacro %}",
            "f(1)",
            "2",
        ),
        (
            "{% macro f() %}{% for i in [1, 2] %}{% if i > 1 %}{% set x = i %}{% endif %}{{ x }}{% endfor %}{% endmacro %}",
            "f()",
            "2",
        ),
        (
            "{% macro f(on) %}{% if on %}{% set x, y = 1, 2 %}{% endif %}{{ x }}{{ y }}3{% endmacro %}",
            "f(false)",
            "3",
        ),
        (
            "{% macro f() %}{% set z %}{% if false %}{% set x = 1 %}{% endif %}{{ x }}2{% endset %}{{ z }}{% endmacro %}",
            "f()",
            "2",
        ),
        # What has a value already keeps it.
        ("{% macro f(x) %}{% if not x %}{% set x = '3' %}{% endif %}{{ x }}{% endmacro %}", "f(4)", "4"),
        ("{% macro f(x) %}{% if not x %}{% set x = '3' %}{% endif %}{{ x }}{% endmacro %}", "f()", "3"),
        (
            "{% macro f() %}{% if false %}{% set target = 1 %}{% endif %}{{ target.name }}{% endmacro %}",
            "f()",
            "dev",
        ),
        # An argument that was left out is empty, and not defined.
        ("{% macro f(x) %}{{ x }}{{ x is defined }}{% endmacro %}", "f()", "False"),
    ],
)
def test_names_without_a_value_are_empty(tmp_path: Path, macro: str, call: str, expected: str) -> None:
    assert sql_of(tmp_path, macro, f"select '{{{{ {call} }}}}' as x") == f"select '{expected}' as x"


@pytest.mark.parametrize(
    "macro",
    [
        "{% macro f() %}{% if true %}{% set x = 1 %}{% endif %}{{ y }}{% endmacro %}",
        "{% macro g() %}{% if true %}{% set y = 1 %}{% endif %}{% endmacro %}{% macro f() %}{{ y }}{% endmacro %}",
        "{% macro f() %}{% for i in [1] %}{% if i %}{% set y = 1 %}{% endif %}{% endfor %}{{ y }}{% endmacro %}",
    ],
)
def test_a_name_that_nothing_sets_there_stays_an_error(tmp_path: Path, macro: str) -> None:
    with pytest.raises(ProjectError, match="'y' is undefined"):
        sql_of(tmp_path, macro, "select {{ f() }} as x")


def test_macros_that_begin_with_an_underscore_can_be_called_by_their_package(tmp_path: Path) -> None:
    macros = "{% macro _own() %}1{% endmacro %}"
    assert sql_of(tmp_path, macros, "select {{ small._own() }} as x") == "select 1 as x"
    with pytest.raises(ProjectError, match="unsafe"):
        sql_of(tmp_path, macros, "select {{ small.__class__ }} as x")


def test_a_relation_is_known_by_its_metadata(tmp_path: Path) -> None:
    macros = (
        "{% macro kind(it) %}{% if it is mapping and it.get('metadata', {}).get('type', '').endswith('Relation') %}"
        "relation{% else %}other{% endif %}{% endmacro %}"
    )
    model = "select '{{ kind(this) }}' as a, '{{ kind('this') }}' as b, '{{ this.name }}' as c"
    assert sql_of(tmp_path, macros, model) == "select 'relation' as a, 'other' as b, 'm' as c"


def test_the_columns_of_a_query_are_a_mapping(tmp_path: Path) -> None:
    model = (
        "{% set found = run_query('select 1 as a, 2 as b') %}"
        "{% if execute %}{% for name, column in found.columns.items() %}"
        "select '{{ name }}' as name, {{ column.values()[0] }} as value union all {% endfor %}"
        "{% for name, value in found.rows[0].items() %}"
        "select '{{ name }} {{ found.columns.get('c', 'no') }}', {{ value }} union all {% endfor %}"
        "{% endif %}select null, null"
    )
    config = write_project(tmp_path, {"models/m.sql": "{{ config(materialized='table') }} " + model})
    assert build(config).exit_code == 0
    with duckdb.connect(str(config.database), read_only=True) as connection:
        found = connection.execute("from m order by all nulls last").fetchall()
    assert found == [("a", 1), ("a no", 1), ("b", 2), ("b no", 2), (None, None)]


def test_the_configuration_of_a_check_is_rendered(tmp_path: Path) -> None:
    checks = (
        "models: [{name: m, columns: [{name: x, data_tests: ["
        "{unique: {config: {severity: \"{{ 'warn' if target.type == 'duckdb' else 'error' }}\"}}},"
        "{not_null: {config: {enabled: \"{{ target.type == 'spark' }}\"}}}]}]}]"
    )
    found = compiled(tmp_path, {"models/m.sql": "select 1 as x", "models/p.yml": checks}).of_type(Check)
    assert [(check.name, check.severity) for check in found] == [("unique_m_x", "warn")]


def test_checks_whose_names_differ_in_signs_alone_are_two(tmp_path: Path) -> None:
    macro = "{% test like(model, column_name, pattern) %}select * from {{ model }} where {{ column_name }} not like '{{ pattern }}'{% endtest %}"
    checks = "models: [{name: m, columns: [{name: x, data_tests: [{like: {pattern: 'a%'}}, {like: {pattern: '%a'}}]}]}]"
    files = {"macros/m.sql": macro, "models/m.sql": "select 'abba' as x", "models/p.yml": checks}
    found = compiled(tmp_path, files).of_type(Check)
    assert len({check.unique_id for check in found}) == len({check.relation for check in found}) == 2
    (tmp_path / "models" / "p.yml").write_text(checks.replace("'%a'", "'a%'"))
    with pytest.raises(ProjectError, match="the test 'like_m_x__a_' is defined twice"):
        compiled(tmp_path, {})


def test_checks_and_hooks_ask_and_tell_the_adapter_what_dbts_can(tmp_path: Path) -> None:
    check = (
        "{% test asked(model) %}{% set found = adapter.get_columns_in_relation(model) + "
        "adapter.get_column_schema_from_query('select 1 as x, 2 as y') %}"
        "select 1 where '{{ found | map(attribute='name') | join }} {{ (load_relation(model) or model).type }} "
        "{{ adapter.check_schema_exists(model.database, 'main') }} "
        "{{ adapter.check_schema_exists(model.database, 'x') }}' <> 'xxy table True False'{% endtest %}"
    )
    hooks = [
        "create schema gone",
        "{% do adapter.drop_schema(api.Relation.create(schema='gone', identifier='x')) %}",
        "{% do adapter.rename_relation(this, this.incorporate(identifier='kept')) %}",
        "{% do adapter.truncate_relation(this.incorporate(identifier='kept')) %}",
        "create table {{ this }} as select 2 as x",
    ]
    files = {
        "macros/c.sql": check,
        "models/m.sql": f"{{{{ config(materialized='table', post_hook={hooks}) }}}} select 1 as x",
        "models/p.yml": "models: [{name: m, data_tests: [asked]}]",
    }
    config = write_project(tmp_path, files)
    assert build(config).exit_code == 0
    with duckdb.connect(str(config.database), read_only=True) as connection:
        assert connection.execute("from m").fetchall() == [(2,)]
        assert connection.execute("from kept").fetchall() == []
        assert connection.execute("from duckdb_schemas() where schema_name = 'gone'").fetchall() == []


def test_columns_tell_what_they_are(tmp_path: Path) -> None:
    model = (
        "{{ config(materialized='table') }}{% for c in adapter.get_columns_in_relation(ref('n')) %}"
        "select '{{ c.name }}' as name, {{ c.is_string() }} as is_string, {{ c.is_number() }} as is_number, "
        "{{ c.is_integer() }} as is_integer, {{ c.string_size() }} > {{ c.string_size() }} as is_larger "
        "{{ 'union all ' if not loop.last }}{% else %}select 'none' as name{% endfor %}"
    )
    files = {
        "models/n.sql": "select 1::ubigint as i, 1.5 as d, 2.5::double as f, 'x' as t",
        "models/m.sql": model,
    }
    config = write_project(tmp_path, files)
    assert build(config).exit_code == 0
    with duckdb.connect(str(config.database), read_only=True) as connection:
        found = connection.execute("from m order by name").fetchall()
    assert found == [
        ("d", False, True, False, False),
        ("f", False, True, False, False),
        ("i", False, True, True, False),
        ("t", True, False, False, False),
    ]


PLACES = (
    "{% macro found(sql) %}{% set answer = {} %}{% set rows = run_query(sql) %}"
    "{% if execute %}{% do answer.update(city=rows.columns[0].values()) %}{% endif %}"
    "{{ return(answer) }}{% endmacro %}"
)


def test_what_a_query_answers_is_empty_while_there_is_no_database(tmp_path: Path) -> None:
    model = (
        "{{ config(materialized='table') }}{% set places = found(\"select * from \" ~ ref('n')) %}"
        "select {% for city in places['city'] | unique %}'{{ city }}' as {{ city }}, {% endfor %}1 as x"
    )
    files = {"macros/m.sql": PLACES, "models/n.sql": "select 'rome' as city", "models/m.sql": model}
    config = write_project(tmp_path, files)
    assert build(config).exit_code == 0
    with duckdb.connect(str(config.database), read_only=True) as connection:
        assert connection.execute("from m").fetchall() == [("rome", 1)]


def test_an_item_of_an_answer_is_empty_while_there_is_no_database(tmp_path: Path) -> None:
    model = (
        "{% set columns = adapter.get_columns_in_relation(ref('n')) %}"
        "select {{ columns[0].name }} from {{ ref('n') }}"
    )
    config = write_project(tmp_path, {"models/n.sql": "select 7 as x", "models/m.sql": model})
    assert build(config).exit_code == 0
    assert rows(config.database, "from m") == [(7,)]


def test_a_key_that_a_mapping_lacks_is_an_error_once_there_is_an_answer(tmp_path: Path) -> None:
    model = "{% set places = found('select 1 as x') %}select '{{ places.town }}' as x"
    config = write_project(tmp_path, {"macros/m.sql": PLACES, "models/m.sql": model})
    (result,) = build(config).results
    assert result.error is not None
    assert "'dict object' has no attribute 'town'" in str(result.error)
    with pytest.raises(ProjectError, match="'dict object' has no attribute 'shema'"):
        sql_of(tmp_path / "other", "", "select '{{ target.shema }}' as x")


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("d.b", "no"),
        ("d['b'] or d.a", "yes"),
        ("d.b == 1", "no"),
        ("d.b is none", "no"),
        ("none.b", "no"),
        ("model.version", "no"),
    ],
)
def test_a_key_that_a_mapping_lacks_is_false_in_conditions(
    tmp_path: Path, condition: str, expected: str
) -> None:
    model = f"{{% set d = {{'a': 1}} %}}select '{{{{ 'yes' if {condition} else 'no' }}}}' as x"
    assert sql_of(tmp_path, "", model) == f"select '{expected}' as x"


@pytest.mark.parametrize("written", ["d.b", "d.b ~ 'x'", "d.b | join(',')", "d.b.c"])
def test_a_key_that_a_mapping_lacks_cannot_be_written(tmp_path: Path, written: str) -> None:
    with pytest.raises(ProjectError, match="'dict object' has no attribute 'b'"):
        sql_of(tmp_path, "", f"{{% set d = {{'a': 1}} %}}select '{{{{ {written} }}}}' as x")


def test_a_model_is_a_view_if_nothing_is_stated(tmp_path: Path) -> None:
    model = "select '{{ config.get('materialized') }}' as x"
    assert sql_of(tmp_path, "", model) == "select 'view' as x"
