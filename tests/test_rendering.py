"""Rendering a template gives the same for the same input, whatever was rendered before it."""

from pathlib import Path

import pytest

from genredb.errors import GenredbError, ProjectError, ProjectErrors
from genredb.runner.graph.compiler import compile_files, compile_inline
from genredb.runner.project.discover import read_project
from genredb.runner.templates.given import Given
from genredb.runner.templates.relation import Relation
from tests.conftest import rows
from tests.project_files import BASE, compiled, write_project
from tests.verbs import build

MODEL = {"models/m.sql": "select 1 as x", "macros/all.sql": "{% macro half(x) %}{{ x }} / 2{% endmacro %}"}
ASKS = "{{ run_query('select 1').rows[0][0] }}"


class Answers:
    """A database that answers each query with one row of 1."""

    rows = columns = ((1,),)

    def query(self, sql: str) -> "Answers":
        return self

    def relation_type(self, relation: Relation) -> str | None:
        return None


def test_rendering_leaves_nothing_behind(tmp_path: Path) -> None:
    """Text, references, configuration, messages, environment: none is of an earlier rendering."""
    renderer = compiled(tmp_path, MODEL).deferred.renderer
    texts = [
        "{{ config(tags=['a'], nonsense=1) }}select {{ half(1) }} from {{ ref('m') }}",
        "{{ print('said') }}{{ env_var('HOME') }}{{ modules.datetime.date(2020, 1, 1) }}",
        "{% call statement('s', fetch_result=true) %}select 1{% endcall %}{{ load_result('s') is none }}",
        "{{ load_result('s') }}{{ config.get('tags') }}{% if is_incremental() %}{% endif %}",
    ]
    given = Given("inline", config={"tags": ["b"]}, database=Answers())  # type: ignore[arg-type]
    alone = [compiled(tmp_path, MODEL).deferred.renderer.render(text, given) for text in texts]
    for order in (texts, texts[::-1], texts):
        together = {text: renderer.render(text, given) for text in order}
        assert [together[text].references for text in texts] == [found.references for found in alone]
        assert [together[text] for text in texts if "date(" not in text] == [
            found for text, found in zip(texts, alone, strict=True) if "date(" not in text
        ]
    assert given.config == {"tags": ["b"]}
    assert alone[0].config["tags"] == ["b", "a"]
    assert alone[0].references == ("model.small.m",)
    assert alone[1].messages == ("said",)
    assert alone[1].environment == {"HOME"}
    assert [found.uses_clock for found in alone] == [False, True, False, False]
    assert alone[3].value == "None['b']"
    assert alone[3].asks_incremental


def test_what_a_template_asks_and_what_it_is_without_an_answer(tmp_path: Path) -> None:
    """Its references before the question count; its configuration counts once."""
    renderer = compiled(tmp_path, MODEL).deferred.renderer
    text = "{{ config(tags=['a']) }}{% if execute %}{{ ref('m') }}{% endif %}{% do run_query('x') %}select 1"
    found = renderer.render(text, Given("inline"))
    assert (found.asks, found.sql, found.config, found.references) == (
        "run_query",
        "select 1",
        {"tags": ["a"]},
        ("model.small.m",),
    )


def test_a_hook_of_a_model_that_asks_the_database_runs_once(tmp_path: Path) -> None:
    model = (
        "{{ config(materialized='table', post_hook='insert into {{ this }} values (2)') }}"
        "{% do run_query('select 1') %}select 1 as x"
    )
    config = write_project(tmp_path, {"models/m.sql": model})
    build(config)
    assert rows(config.database, "from m order by x") == [(1,), (2,)]


@pytest.mark.parametrize(
    ("path", "text", "said"),
    [
        (
            "models/m.yml",
            f'models: [{{name: m, columns: [{{name: x, data_tests: [{{accepted_values: {{values: ["{ASKS}"]}}}}]}}]}}]',
            "'None' has no attribute 'rows'",
        ),
        (
            "models/m.yml",
            "models: [{name: m, columns: [{name: x, data_tests: [{accepted_values: {values:"
            " [\"{{ run_query('select 1') }}\"]}}]}]}]",
            "models/m.yml:1: an argument of the check 'accepted_values' calls run_query: only the check's macro may.",
        ),
        (
            "models/m.yml",
            "models: [{name: m, columns: [{name: x, data_tests: [{not_null: {config: {where:"
            " \"x > {{ run_query('select 1') }}\"}}}]}]}]",
            "models/m.yml:1: an argument of the check 'not_null' calls run_query: only the check's macro may.",
        ),
        (
            "macros/names.sql",
            "{% macro generate_schema_name(name, node) %}{{ run_query('select 1') }}{% endmacro %}",
            "models/m.sql: generate_schema_name calls run_query, but names are determined without a database.",
        ),
        (
            "macros/names.sql",
            f"{{% macro generate_schema_name(name, node) %}}\n{ASKS}{{% endmacro %}}",
            "macros/names.sql:2: 'None' has no attribute 'rows'.",
        ),
    ],
)
def test_what_asks_a_database_too_early_is_told(tmp_path: Path, path: str, text: str, said: str) -> None:
    with pytest.raises(GenredbError) as raised:
        compiled(tmp_path, {"models/m.sql": "select 1 as x", path: text})
    assert said in str(raised.value)


def test_an_inline_template_that_asks_where_there_is_no_database_is_told(tmp_path: Path) -> None:
    project = read_project(write_project(tmp_path, MODEL))
    with pytest.raises(GenredbError, match="calls run_query, which needs a database, but there is none yet"):
        compile_inline(project, "{{ run_query('select 1') }}", None)


def test_jinja_of_ignored_sections_is_not_rendered(tmp_path: Path) -> None:
    """That of the semantic layer has functions of its own, such as Dimension()."""
    yml = """
metrics: [{name: m, label: M, type: simple, filter: "{{ Dimension('a__b') }} > 1"}]
models: [{name: m, columns: [{name: x, data_tests: [not_null]}]}]
"""
    comment = "query-comment: {comment: \"by {{ node.name if node else 'x' }}\"}\n"
    files = {"models/m.sql": "select 1 as x", "models/p.yml": yml}
    compilation = compiled(tmp_path, files | {"dbt_project.yml": BASE["dbt_project.yml"] + comment})
    assert [str(notice) for notice in compilation.notices] == [
        "dbt_project.yml: genredb ignores `query-comment:`.",
        "models/p.yml: genredb ignores `metrics:`.",
    ]
    assert "test.small.not_null_m_x" in compilation.nodes


def test_checks_without_a_name_at_the_top_level_are_named(tmp_path: Path) -> None:
    """dbt ignores them without a word."""
    yml = "tests: [unique, {description: no name}]"
    compilation = compiled(tmp_path, {"models/m.sql": "select 1 as x", "models/p.yml": yml})
    assert [str(notice) for notice in compilation.notices] == [
        "models/p.yml: an entry of `tests:` without a name is ignored, as it is below no model."
    ]


def test_faults_of_files_and_of_templates_are_named_at_once(tmp_path: Path) -> None:
    yml = """
models:
  - {name: a, config: {materialized: [1]}, columns: [{name: x, data_tests: [nosuchtest]}]}
  - {name: a}
"""
    files = {
        "models/a.sql": "select 1 as x",
        "models/b.sql": "select * from {{ ref('c') }}",
        "models/p.yml": yml,
    }
    config = write_project(tmp_path, files)
    with pytest.raises(ProjectErrors) as error:
        compile_files(config)
    assert [str(one).partition("\n")[0] for one in error.value.errors] == [
        "'a' is described twice in models/p.yml.",
        "models/b.sql:1:23: ref('c') refers to no model or seed. Available: a, b.",
        "models/p.yml:3: there is no check 'nosuchtest'."
        " Available: accepted_values, not_null, relationships, unique.",
    ]


def test_what_could_not_be_read_is_named_alone(tmp_path: Path) -> None:
    """What refers to it would seem wrong, too."""
    files = {
        "models/a.sql": "select * from {{ source('s', 't') }} {{ nothing() }}",
        "models/p.yml": "sources: [{name: s, tables: [{name: t}]}",
    }
    with pytest.raises(ProjectError, match=r"^models/p.yml:2:1: invalid YAML: did not find"):
        compile_files(write_project(tmp_path, files))
