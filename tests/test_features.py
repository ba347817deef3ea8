"""A feature of one's own: stated in one place, read by every classifier, refused by the build if it cannot be."""

from pathlib import Path

import pytest

from genredb.ask.query import Question, asked
from genredb.errors import ProjectErrors
from genredb.runner.project.config import Config, Settings, read_config
from genredb.songs.explain import explain
from genredb.songs.predict import predict
from tests.conftest import rows
from tests.test_built_with import edit, lay_out
from tests.verbs import build, plan

VIEW = "sql/models/features/song_features.sql"
ROLES = "sql/models/features/features.yml"
OWN = {
    "title_length": "length(title)",
    "is_live": "contains(lower(title), 'song 1')",
    "loudness": "nrgy / (bpm - bpm)",  # infinite
    "huge": "1e300 * bpm",  # beyond 32 bits
}


def add_feature(project: Path, name: str, expression: str) -> None:
    """Add a feature as docs/features.md says: an expression, and its role."""
    edit(project / VIEW, "    from songs\n", f"        , {expression} as {name}\n    from songs\n")
    edit(
        project / ROLES,
        "      - name: pop\n",
        f"      - name: {name}\n        config: {{meta: {{role: feature}}}}\n      - name: pop\n",
    )


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Config:
    """The songs project with features of one's own, built and predicted."""
    project = lay_out(tmp_path_factory.mktemp("own"))
    for name, expression in OWN.items():
        add_feature(project, name, expression)
    config = read_config(Settings(project_dir=project))
    build(config)
    predict(config)
    return config


def test_a_feature_of_ones_own_is_in_every_view_and_read_by_the_classifier(own: Config) -> None:
    for view in ("train", "train_common", "predict"):
        assert rows(own.database, f"select count(title_length) > 0 from features.{view}") == [(True,)]
    read = "select manifest ->> 'feature_names' from ml.classifiers"
    assert all(name in rows(own.database, read)[0][0] for name in OWN)


def test_explain_takes_features_of_ones_own_from_the_feature_views(own: Config) -> None:
    for song in ("test:16", "train:1"):
        assert [one.song_key for one in explain(own, song)] == [song]


def test_the_functions_of_sql_look_features_of_ones_own_up_by_the_songs_key(own: Config) -> None:
    sql = """
        select predictions.genre, predict_genre(songs)
        from predictions
        inner join songs on predictions.song_key = songs.song_key
        """
    with asked(own, Question(sql)) as relation:
        found = relation.fetchall()
    assert len(found) == 4
    assert all(genre == again for genre, again in found)


def test_a_text_feature_is_refused_by_the_build_at_its_column_once(tmp_path: Path) -> None:
    project = lay_out(tmp_path)
    add_feature(project, "initial", "title[1]")
    line = (project / ROLES).read_text(encoding="utf-8").splitlines().index("      - name: initial") + 1
    with pytest.raises(ProjectErrors) as refused:
        build(read_config(Settings(project_dir=project)))
    assert str(refused.value) == (
        f"{ROLES}:{line}: the feature initial is of the type VARCHAR; classifiers read numbers and booleans."
    )


def test_a_feature_of_one_view_alone_is_refused_by_plan_and_build(tmp_path: Path) -> None:
    project = lay_out(tmp_path)
    config = read_config(Settings(project_dir=project))
    edit(
        project / "sql/models/features/train.sql", "        *,\n", "        *,\n        bpm / 60 as beats,\n"
    )
    edit(
        project / ROLES,
        "      - name: artist_weight\n",
        "      - name: beats\n        config: {meta: {role: feature}}\n      - name: artist_weight\n",
    )
    for verb in (plan, build):
        with pytest.raises(ProjectErrors) as refused:
            verb(config)
        first, _ = str(refused.value).splitlines()
        assert first == (
            f"{ROLES}:72: beats is a feature of features.train, but not of features.predict; "
            "describe it in song_features, from which all take their roles."
        )
