"""``genredb doctor``: what it finds, and the cure that it names."""

from pathlib import Path

import pytest

from genredb.doctor import Finding, examine
from genredb.errors import ProjectErrors
from genredb.runner.project.config import Config, Settings
from tests.conftest import changed, config_for
from tests.project_files import write_project
from tests.verbs import build


def findings(config: Config) -> dict[str, list[Finding]]:
    found: dict[str, list[Finding]] = {}
    for one in examine(config.settings):
        found.setdefault(one.about, []).append(one)
    return found


def test_everything_is_examined_and_well(predicted: Config) -> None:
    found = findings(predicted)
    assert list(found) == [
        "versions",
        "project",
        "raw files",
        "disk",
        "settings",
        "database",
        "classifier",
        "predictions",
        "drift",
        "relations",
    ]
    levels = {about: {one.level for one in ones} for about, ones in found.items()}
    assert levels.pop("drift")  # four songs are too few to be like the others
    assert set.union(*levels.values()) == {"ok"}
    assert found["classifier"][0].text == (
        "artist_vote, of 3 genres, loads and predicts as it did when it was stored"
    )
    assert found["relations"][0].text == "all match the project and the raw files"


@pytest.mark.parametrize(
    ("statement", "about", "text"),
    [
        ("delete from ml.classifiers", "classifier", "There is no classifier artist_vote-"),
        ("update ml.classifiers set skops = 'x'::blob", "classifier", "are not those that were stored"),
        ("delete from ml.predictions", "predictions", "have no prediction"),
    ],
)
def test_what_cannot_predict_is_cured_by_predict(
    predicted: Config, tmp_path: Path, statement: str, about: str, text: str
) -> None:
    (found,) = findings(changed(predicted, tmp_path, statement))[about]
    assert (found.level, found.cure) == ("note", "genredb predict")
    assert text in found.text


def test_stale_relations_are_named_with_their_reasons(built_config: Config) -> None:
    path = built_config.raw_dir / "CS98XClassificationTest.csv"
    path.write_text(path.read_text().replace("Asked 14", "Asked again"))
    source, relations = findings(built_config)["relations"]
    assert (source.text, source.cure) == ("raw.songs_test is out of date", "genredb build")
    assert relations.text.startswith(
        "out of date: staging.stg_playlists (CS98XClassificationTest.csv changed), staging."
    )
    assert " more" in relations.text
    assert relations.cure == "genredb build"


def test_a_relation_that_the_project_lost_is_named(config: Config) -> None:
    other = config_for(config.raw_dir, config.database, baselines=True)
    assert build(other).exit_code == 0
    without = config_for(config.raw_dir, config.database, baselines=False)
    texts = [one.text for one in findings(without)["relations"]]
    assert any("neighbor_predictions is no longer part of the project" in text for text in texts), texts


def test_leftovers_and_a_missing_database_are_named(config: Config) -> None:
    assert findings(config)["database"][0].cure == "genredb build"
    assert build(config).exit_code == 0
    leftover = config.database.with_name(f".{config.database.name}.genredb-99999999")
    leftover.mkdir()
    (found,) = findings(config)["leftovers"]
    assert (found.level, found.cure) == ("note", "genredb clean")


def test_a_truncated_database_is_a_problem(predicted: Config, tmp_path: Path) -> None:
    path = tmp_path / "short.duckdb"
    path.write_bytes(predicted.database.read_bytes()[:3_000_000])
    found = [
        one for one in findings(config_for(predicted.raw_dir, path))["database"] if one.level == "problem"
    ]
    assert [one.exit_code for one in found] == [6]
    assert found[0].cure == "move it away and run `genredb build`"


def test_broken_sql_is_named_by_its_line_alone(tmp_path: Path) -> None:
    """Not by what the leak guard can no longer prove of the features made of it."""
    files = {
        "seeds/raw_songs.csv": "song_key,genre,pop\na,rock,1\nb,pop,2\n",
        "models/songs.sql": "select\n    song_key, genre, pop\nfrom {{ ref('raw_songs') }}",
        "models/train.sql": "select song_key, genre, pop from {{ ref('songs') }}",
        "models/train.yml": "models: [{name: train, config: {meta: {row_filter: label}}, columns: ["
        "{name: song_key, config: {meta: {role: id}}}, {name: genre, config: {meta: {role: label}}}, "
        "{name: pop, config: {meta: {role: feature}}}]}]",
    }
    config = write_project(tmp_path, files)
    assert build(config).is_published
    write_project(
        tmp_path, files | {"models/songs.sql": files["models/songs.sql"].replace("\nfrom", "\nform")}
    )
    *_, last = examine(Settings(project_dir=tmp_path))
    assert (last.level, last.exit_code) == ("problem", 3)
    assert last.text.startswith("models/songs.sql:3:1: syntax error at or near")
    assert "label" not in last.text
    with pytest.raises(ProjectErrors, match="^models/songs.sql:3:1: syntax error"):
        build(config)
