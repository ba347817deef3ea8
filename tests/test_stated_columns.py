"""A description of a column that does not exist is named; a check of one stops the build."""

from pathlib import Path

import pytest

from genredb.catalog import Catalog
from genredb.errors import Notice, ProjectErrors
from genredb.runner.plan import plan as make_plan
from genredb.runner.planning.options import Options
from genredb.runner.project.config import Config
from genredb.runner.results import SilentObserver
from tests.project_files import write_project
from tests.verbs import build

MODELS = {
    "models/songs.sql": "select 1 as id, 'x' as title",
    "models/all.sql": "select * from {{ ref('songs') }}",
}


def described(column: str, more: str = "") -> str:
    return f"models:\n  - name: songs\n    columns:\n      - name: id\n      - name: {column}\n{more}"


class Notes(SilentObserver):
    """Collects what a build tells."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def note(self, notice: Notice) -> None:
        self.said.append(str(notice))


def said(config: Config, *, is_full_refresh: bool = False) -> list[str]:
    """What a build tells; it is published."""
    notes = Notes()
    assert build(config, notes, Options(is_full_refresh=is_full_refresh)).is_published
    return notes.said


def test_a_described_column_that_does_not_exist_is_named(tmp_path: Path) -> None:
    """dbt says nothing of it, so that descriptions grow old in many projects; the build goes on."""
    config = write_project(tmp_path, MODELS | {"models/p.yml": described("titel")})
    told = "models/p.yml:5: songs has no column 'titel', which is described here. Did you mean 'title'?"
    notes = Notes()
    with Catalog(config) as catalog:
        make_plan(catalog, observer=notes)
    assert notes.said == [told]
    assert said(config) == [told]
    with pytest.raises(ProjectErrors, match="songs has no column 'titel'"):
        build(config, options=Options(warn_error=True))
    write_project(tmp_path, {"models/p.yml": described("TITLE")})
    assert said(config, is_full_refresh=True) == []


def test_what_stands_is_held_against_a_new_description(tmp_path: Path) -> None:
    config = write_project(tmp_path, MODELS)
    assert said(config) == []
    write_project(tmp_path, {"models/p.yml": described("genre"), "models/n.sql": "select 1 as x"})
    told = "models/p.yml:5: songs has no column 'genre', which is described here. Available: id, title."
    assert said(config) == [told]


def test_seeds_and_fields_of_columns_are_held_as_well(tmp_path: Path) -> None:
    columns = "seeds: [{name: s, columns: [{name: a}, {name: c}]}]"
    files = {"seeds/s.csv": "a,b\n1,2\n", "seeds/s.yml": columns, "models/m.sql": "select {'x': 1} as f"}
    files["models/m.yml"] = "models: [{name: m, columns: [{name: f}, {name: f.x}]}]"
    told = "seeds/s.yml:1: s has no column 'c', which is described here. Available: a, b."
    assert said(write_project(tmp_path, files)) == [told]


def test_the_columns_that_only_the_run_can_tell_are_held_as_well(tmp_path: Path) -> None:
    files = {
        "models/m.sql": "{{ config(materialized='table') }} pivot (select 1 as a, 'x' as b) on b using sum(a)",
        "models/m.yml": "models: [{name: m, columns: [{name: y}]}]",
    }
    config = write_project(tmp_path, files)
    assert said(config) == ["models/m.yml:1: m has no column 'y', which is described here. Available: x."]
    result = build(config, options=Options(warn_error=True, is_full_refresh=True))
    assert "m has no column 'y'" in result.results[0].message


def test_a_check_of_a_column_that_does_not_exist_names_the_columns(tmp_path: Path) -> None:
    check = "    data_tests:\n      - unique: {column_name: titel}\n"
    with pytest.raises(ProjectErrors) as refused:
        build(write_project(tmp_path, MODELS | {"models/p.yml": described("title", check)}))
    message = str(refused.value)
    assert message.startswith("models/p.yml:7: ")
    assert "titel" in message
    assert "title" in message.replace("titel", "")
