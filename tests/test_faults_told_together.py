"""A run names all faults of a project that stand by themselves, and none that follows from another."""

from pathlib import Path

import pytest

from genredb.errors import ProjectError
from genredb.runner.graph.compiler import compile_files
from tests.project_files import write_project


def faults(folder: Path, files: dict[str, str]) -> list[str]:
    """The first lines of the errors of a project."""
    with pytest.raises(ProjectError) as error:
        compile_files(write_project(folder, files))
    return [str(one).partition("\n")[0].replace(f"{folder}/", "") for one in error.value.each()]


def test_faults_of_yml_files_macros_and_models_are_told_in_one_run(tmp_path: Path) -> None:
    files = {
        "models/x.yml": "models: [\n",
        "models/y.yml": "models:\n- name: a\n  colums: []\n",
        "macros/my.sql": "{% macro my() %}{{ 1 + }}{% endmacro %}",
        "models/a.sql": "select {{ 2 + }}",
        "models/b.sql": "select {{ my() }} from {{ source('of x', 'yml') }}",
        "models/c.sql": "{{ config(materialised='table') }} select 1",
        "models/p.py": "def model(",
    }
    assert faults(tmp_path, files) == [
        "models/x.yml:2:1: invalid YAML: did not find expected node content.",
        "models/y.yml:3: unknown key `colums:` of a model. Did you mean 'columns'?",
        "models/p.py:1:10: invalid Python: '(' was never closed.",
        "macros/my.sql:1: unexpected 'end of print statement'.",
        "models/c.sql:1:11: unknown key `materialised:` of the configuration of a model. Did you mean 'materialized'?",
        "models/a.sql:1: unexpected 'end of print statement'.",
    ]


def test_a_misspelt_key_hides_no_undefined_name(tmp_path: Path) -> None:
    files = {
        "models/y.yml": "models:\n- name: a\n  colums: []\n",
        "models/a.sql": "select {{ nope }}",
        "models/b.sql": "select 1 from {{ ref('nowhere') }}",
    }
    assert [line.partition(": ")[0] for line in faults(tmp_path, files)] == [
        "models/y.yml:3",
        "models/a.sql:1:11",
        "models/b.sql:1:23",
    ]


def test_a_cycle_is_told_with_the_other_faults(tmp_path: Path) -> None:
    files = {
        "models/a.sql": "select * from {{ ref('b') }}",
        "models/b.sql": "select * from {{ ref('a') }}",
        "models/c.sql": "select {{ nope }}",
    }
    assert faults(tmp_path, files) == [
        "models/c.sql:1:11: 'nope' is undefined.",
        "The models form a cycle: a → b → a.",
    ]


def test_a_missing_file_of_macros_does_not_hide_what_is_wrong_with_the_command(tmp_path: Path) -> None:
    """A variable of --vars may be in the file that cannot be read."""
    assert faults(tmp_path, {"models/x.yml": "models: [\n"}) == [
        "models/x.yml:2:1: invalid YAML: did not find expected node content."
    ]
