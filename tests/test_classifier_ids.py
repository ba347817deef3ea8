"""What a classifier's id covers: all that decides its answers, however it is stated."""

from dataclasses import replace
from pathlib import Path

import pytest

from genredb.ask.export import export
from genredb.errors import InputError
from genredb.runner.project.config import Config
from genredb.songs.classifiers import show_classifier
from genredb.songs.classifiers_yml import read_classifiers
from genredb.songs.predict import predict
from genredb.songs.staleness import Chosen
from genredb.songs.train import train
from genredb.songs.versions import versions
from tests.conftest import changed, rows
from tests.verbs import list_classifiers

VOTE = """
classifiers:
  - name: voted
    estimator: sklearn.ensemble.VotingClassifier
    parameters:
      voting: soft
      weights: [1, 9]
      estimators:
        {first}: {{estimator: {first_path}}}
        {second}: {{estimator: {second_path}}}
"""
BAYES, TREE = "sklearn.naive_bayes.GaussianNB", "sklearn.tree.DecisionTreeClassifier"


def test_a_setting_of_the_project_gives_way_to_a_parameter_that_is_set(
    predicted: Config, tmp_path: Path
) -> None:
    config = changed(predicted, tmp_path, "select 1")
    usual = train(config, name="artist_forest")
    own = train(config, name="artist_forest", parameters={"min_genre_songs": 4})
    assert own.classifier_id != usual.classifier_id
    kept = show_classifier(config, own.classifier_id)
    assert (kept.parameters["min_genre_songs"], kept.settings) == (4, {})


def test_lists_that_are_set_tell_classifiers_apart(predicted: Config, tmp_path: Path) -> None:
    config = changed(predicted, tmp_path, "select 1")
    few, many = (
        train(config, name="artist_vote", parameters={"weights": weights, "n_estimators": 9}).classifier_id
        for weights in ([9, 1], [1, 9])
    )
    assert few != many
    sql = "select genre, probability from ml.predictions where basis = 'audio' order by song_key"
    answers = []
    for one in (few, many, few):
        predict(config, classifier=one)
        answers.append(rows(config.database, sql))
    assert answers[0] == answers[2] != answers[1]
    assert [one.classifier_id for one in list_classifiers(config) if one.is_used] == [few]


def test_the_order_of_a_vote_is_a_part_of_its_entry(predicted: Config, tmp_path: Path) -> None:
    config = replace(changed(predicted, tmp_path, "select 1"), home=tmp_path)
    path, digests = tmp_path / "classifiers.yml", []
    stated = [("bayes", BAYES), ("tree", TREE)]
    for (first, first_path), (second, second_path) in (stated, stated[::-1]):
        path.write_text(
            VOTE.format(first=first, first_path=first_path, second=second, second_path=second_path)
        )
        digests.append(
            (read_classifiers(tmp_path)["voted"].digest, train(config, name="voted").classifier_id)
        )
    assert digests[0][0] != digests[1][0]
    assert digests[0][1] != digests[1][1]


def test_predictions_of_another_version_are_not_current(
    predicted: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = changed(predicted, tmp_path, "select 1")
    export(config, "submission", tmp_path / "s.csv")
    now = versions()
    for module in ("songs.staleness", "songs.learn.store", "songs.classifiers"):
        monkeypatch.setattr(f"genredb.{module}.versions", lambda: now | {"scikit-learn": "99.1"})
    with pytest.raises(
        InputError, match="No valid submission yet: .* or by an older one; run `genredb predict`"
    ):
        export(config, "submission", tmp_path / "s.csv")
    assert predict(config, classifier="majority").is_published
    export(config, "submission", tmp_path / "s.csv", is_forced=True)


def test_the_order_in_which_parameters_are_set_does_not_count(tmp_path: Path) -> None:
    one, other = {"n_estimators": 9, "max_depth": 3}, {"max_depth": 3, "n_estimators": 9}
    assert Chosen("forest", one).digest(tmp_path) == Chosen("forest", other).digest(tmp_path)
    assert Chosen("forest", one).digest(tmp_path) != Chosen("forest").digest(tmp_path)
