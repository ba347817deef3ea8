"""Roles of columns that are stated once, in one model, and taken from there by the others."""

from pathlib import Path

import pytest

from genredb.errors import ProjectError
from genredb.runner.project.roles import with_roles
from genredb.runner.project.specs import ModelSpec
from genredb.warehouse.declared import Column

KEY = Column("key", "What tells rows apart.", meta={"role": "id"})
LABEL = Column("genre", "The answer.", meta={"role": "label"})
FEATURE = Column("year", "When.", meta={"role": "feature"})
SONGS = ModelSpec(
    "songs", "models/songs.sql", Path("songs.sql"), {}, ("shop", "songs"), columns=(KEY, LABEL, FEATURE)
)


def _taking(name: str, other: str, *columns: Column) -> ModelSpec:
    path, config = f"models/{name}.sql", {"meta": {"roles_from": other}}
    return ModelSpec(name, path, Path(path), config, ("shop", name), columns=columns)


def _roles(model: ModelSpec) -> dict[str, str | None]:
    return {column.name: column.role for column in model.columns}


def test_a_model_has_the_features_of_the_one_that_it_takes_roles_from() -> None:
    predict = _taking("predict", "songs")
    found = with_roles(predict, {"songs": SONGS, "predict": predict})
    assert _roles(found) == {"key": "id", "year": "feature"}  # no label that the view may lack
    assert found.columns[1].description == "When."


def test_columns_of_its_own_come_after_and_what_it_says_itself_counts() -> None:
    weight = Column("weight", meta={"role": "weight"})
    train = _taking("train", "songs", weight, Column("genre", "Never null."))
    found = with_roles(train, {"songs": SONGS, "train": train})
    assert _roles(found) == {"key": "id", "genre": "label", "year": "feature", "weight": "weight"}
    assert found.columns[1].description == "Never null."


@pytest.mark.parametrize(("stated", "hint"), [("sogs", "Did you mean 'songs'"), ("train", "songs")])
def test_roles_from_a_model_that_states_none_are_refused(stated: str, hint: str) -> None:
    train = _taking("train", stated)
    with pytest.raises(ProjectError, match=f"`roles_from:` of train .*{hint}"):
        with_roles(train, {"songs": SONGS, "train": train})
