"""No key of a yml file or of config() is passed over in silence when one letter of it is wrong."""

from pathlib import Path

import pytest

from genredb.errors import ProjectError, UsageError
from genredb.runner.graph.compiler import compile_project
from genredb.runner.project.config import Settings, read_config
from genredb.runner.project.discover import read_project
from genredb.runner.project.keys import Keys
from tests.conftest import ROOT
from tests.project_files import BASE, compiled
from tests.yml_places import FILES, MODEL, PLACES


def misspelt(key: str, known: Keys) -> str:
    """The key with one letter wrong, which is no other key."""
    for i in range(len(key) // 2, len(key)):
        for letter in "qxj":
            wrong = key[:i] + letter + key[i + 1 :]
            if wrong not in known.known and key[i] not in "-_":
                return wrong
    raise AssertionError(key)


@pytest.mark.parametrize("place", PLACES)
def test_a_key_with_one_letter_wrong_is_named(tmp_path: Path, place: str) -> None:
    keys, files = PLACES[place]
    for key in sorted(keys.known):
        wrong = misspelt(key, keys)
        try:
            said = "\n".join(map(str, compiled(tmp_path, FILES | files({wrong: "x"})).notices))
        except ProjectError as error:
            said = str(error)
        shown = wrong.replace("-", "_") if "config()" in place else wrong
        assert f"`{shown}:`" in said or f"'{shown}'" in said, (key, wrong, said)


def test_more_than_sixty_keys_are_tried() -> None:
    assert sum(len(keys.known) for keys, _ in PLACES.values()) > 60


def test_the_error_names_the_line_and_what_was_meant(tmp_path: Path) -> None:
    files = {
        "models/m.sql": "select 1 as x",
        "models/p.yml": "models:\n  - name: m\n    colums:\n      - name: x\n    data_test: []\n",
    }
    with pytest.raises(ProjectError) as error:
        compiled(tmp_path, files)
    assert str(error.value).splitlines() == [
        "models/p.yml:3: unknown key `colums:` of a model. Did you mean 'columns'?",
        "models/p.yml:5: unknown key `data_test:` of a model. Did you mean 'data_tests'?",
    ]


def test_a_misspelt_path_of_models_is_an_error_before_anything_is_dropped(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="dbt_project.yml:4: unknown key `model_paths:`.*'model-paths'"):
        compiled(tmp_path, {"dbt_project.yml": BASE["dbt_project.yml"] + "model_paths: [models]\n"})


def test_keys_of_dbt_and_keys_of_peoples_own_are_named_and_no_errors(tmp_path: Path) -> None:
    files = {
        "models/m.sql": "{{ config(cluster_by=['x'], owner='me') }} select 1 as x",
        "models/p.yml": "models: [{name: m, time_spine: {}, meta: {team: data}, config: {grants: {select: [a]}}}]",
    }
    notices = compiled(tmp_path, files).notices
    assert [notice.what.split("`")[1] for notice in notices] == [
        "time_spine:",
        "grants:",
        "cluster_by:",
        "owner:",
    ]


@pytest.mark.parametrize("key", ["data_tests", "tests"])
def test_checks_of_no_model_are_named_and_ignored_as_in_dbt(tmp_path: Path, key: str) -> None:
    files = {
        "models/m.sql": "select 1 as a",
        "models/p.yml": f"{key}:\n- unique\n- not_null: {{column_name: a}}\n",
    }
    compilation = compiled(tmp_path, files)
    assert [str(notice) for notice in compilation.notices] == [
        f"models/p.yml: an entry of `{key}:` without a name is ignored, as it is below no model."
    ]
    with pytest.raises(ProjectError, match=r"p.yml:3: unknown key `descriptoin:` of a check"):
        compiled(tmp_path, {"models/p.yml": f"{key}:\n- unique\n- {{name: x, descriptoin: y}}\n"})


def test_jinja_of_what_is_ignored_is_not_rendered(tmp_path: Path) -> None:
    ignored = ("semantic_models", "metrics", "saved_queries")
    stated = "".join(
        f"{key}: [{{name: x, filter: \"{{{{ Dimension('a__b') }}}} = 1\"}}]\n" for key in ignored
    )
    compilation = compiled(tmp_path, {"models/m.sql": "select 1 as a", "models/p.yml": stated})
    assert [notice.what for notice in compilation.notices] == [f"genredb ignores `{key}:`" for key in ignored]


def test_a_variable_that_no_template_asks_for_is_named(tmp_path: Path) -> None:
    files = {
        "dbt_project.yml": BASE["dbt_project.yml"] + "vars: {lowst: 3, highest: 4}\n",
        "models/m.sql": "select {{ var('lowest', 1) }} as x, {{ var('highest') }} as y",
    }
    assert tuple(map(str, compiled(tmp_path, files).notices)) == (
        "dbt_project.yml: no template uses the variable 'lowst'. Did you mean 'lowest'?",
    )
    for known in ("lowest", "highest"):
        read_project(read_config(Settings(project_dir=tmp_path, vars={known: 1})))
    with pytest.raises(
        UsageError, match="--vars: the project has no variable 'lowes'. Did you mean 'lowest'?"
    ):
        read_project(read_config(Settings(project_dir=tmp_path, vars={"lowes": 1})))
    compiled(tmp_path, files | {"macros/a.sql": "{% macro a(n) %}{{ var(n) }}{% endmacro %}"})
    read_project(read_config(Settings(project_dir=tmp_path, vars={"lowes": 1})))  # a macro may ask for it


@pytest.mark.parametrize("value", [-3, 0, "x", True, 2.5])
def test_a_variable_of_the_songs_is_a_whole_number_from_1(value: object) -> None:
    config = read_config(Settings(project_dir=ROOT, vars={"min_genre_songs": value}))
    with pytest.raises(ProjectError, match=f"should be a whole number from 1, not {value}"):
        compile_project(read_project(config))


def test_a_folder_of_configuration_without_nodes_is_named(tmp_path: Path) -> None:
    tree = "models: {small: {stagign: {+schema: a}, staging: {+tags: b}}, other: {+enabled: false}}\n"
    files = {"dbt_project.yml": BASE["dbt_project.yml"] + tree, "models/staging/m.sql": MODEL}
    assert tuple(map(str, compiled(tmp_path, files).notices)) == (
        "dbt_project.yml: `models.small.stagign:` matches no nodes. Did you mean 'staging'?",
        "dbt_project.yml: `models.other:` matches no nodes. Available: small.",
    )
