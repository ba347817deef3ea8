"""A description or a check of a column that does not exist stops the build and names the columns."""

from pathlib import Path

import pytest

from genredb.errors import ProjectError, ProjectErrors
from tests.project_files import write_project
from tests.verbs import build

MODELS = {
    "models/songs.sql": "select 1 as id, 'x' as title",
    "models/all.sql": "select * from {{ ref('songs') }}",
}


def described(column: str, more: str = "") -> str:
    return f"models:\n  - name: songs\n    columns:\n      - name: id\n      - name: {column}\n{more}"


def test_a_described_column_that_does_not_exist_stops_the_build(tmp_path: Path) -> None:
    config = write_project(tmp_path, MODELS | {"models/p.yml": described("titel")})
    with pytest.raises(
        ProjectError, match=r"models/p\.yml:5: songs has no column 'titel'. Did you mean 'title'"
    ):
        build(config)
    assert not config.database.exists()
    write_project(tmp_path, {"models/p.yml": described("TITLE")})
    assert build(config).is_published


def test_what_stands_is_held_against_a_new_description(tmp_path: Path) -> None:
    config = write_project(tmp_path, MODELS)
    assert build(config).is_published
    write_project(tmp_path, {"models/p.yml": described("genre")})
    with pytest.raises(
        ProjectError, match="models/p.yml:5: songs has no column 'genre'. Available: id, title."
    ):
        build(config)


def test_seeds_and_fields_of_columns_are_held_as_well(tmp_path: Path) -> None:
    columns = "seeds: [{name: s, columns: [{name: a}, {name: c}]}]"
    files = {"seeds/s.csv": "a,b\n1,2\n", "seeds/s.yml": columns, "models/m.sql": "select {'x': 1} as f"}
    files["models/m.yml"] = "models: [{name: m, columns: [{name: f}, {name: f.x}]}]"
    with pytest.raises(ProjectErrors) as refused:
        build(write_project(tmp_path, files))
    assert str(refused.value) == "seeds/s.yml:1: s has no column 'c'. Available: a, b."


def test_a_check_of_a_column_that_does_not_exist_names_the_columns(tmp_path: Path) -> None:
    check = "    data_tests:\n      - unique: {column_name: titel}\n"
    with pytest.raises(ProjectErrors) as refused:
        build(write_project(tmp_path, MODELS | {"models/p.yml": described("title", check)}))
    message = str(refused.value)
    assert message.startswith("models/p.yml:7: ")
    assert "titel" in message
    assert "title" in message.replace("titel", "")
