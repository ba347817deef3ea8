"""What a person needs to doubt a prediction: songs left unnamed, and sets of groups."""

from pathlib import Path

import duckdb
import pytest

from genredb.ask.export import export
from genredb.runner.project.config import Config
from genredb.songs.evaluate import judge
from genredb.songs.predict import predict
from genredb.songs.train import ignore, train
from tests.conftest import Cli, changed, rows


def test_a_song_below_the_asked_probability_is_named_in_a_submission_alone(
    predicted: Config, tmp_path: Path
) -> None:
    config = changed(predicted, tmp_path, "select 1")
    before = rows(config.database, "select song_key, genre from predictions order by song_key")
    result = predict(config, min_probability=0.7)
    assert (result.unnamed, result.is_published) == (2, True)
    found = rows(config.database, "select song_key, probability, genre from predictions order by song_key")
    assert [(key, genre) for key, _, genre in found] == [
        (key, genre if probability >= 0.7 else None)
        for (key, genre), (_, probability, _) in zip(before, found, strict=True)
    ]
    export(config, "submission", tmp_path / "submission.csv")
    named = dict(before)
    assert rows(config.database, 'select "Id", "top genre" from submission') == [
        (number, named[f"test:{number}"]) for number in (14, 15, 16)
    ]
    # What was asked is part of what is current: asking the same again writes nothing, asking for less does.
    assert not predict(config, min_probability=0.7).is_published
    again = predict(config)
    assert (again.is_published, again.unnamed, again.trained) == (True, 0, None)
    assert rows(config.database, "select song_key, genre from predictions order by song_key") == before


def test_a_probability_is_from_0_to_1(cli: Cli, predicted: Config, tmp_path: Path) -> None:
    options = ("--database", str(predicted.database), "--raw-dir", str(predicted.raw_dir))
    refused = cli("predict", "--min-probability", "1.5", *options, cwd=tmp_path)
    assert refused.code == 2
    assert "1.5 is not in the range 0<=x<=1" in refused.err


def test_groups_and_their_probabilities_are_whole(predicted: Config) -> None:
    sql = """
        select
            list_sum(list_transform(group_probabilities, lambda one : one.probability)),
            group_probabilities[1].genre_group = genre_group,
            group_probabilities[1].probability = group_probability
        from predictions
        """
    for total, *is_same in rows(predicted.database, sql):
        assert total == pytest.approx(1)
        assert is_same == [True, True]


def test_a_set_holds_the_groups_from_its_threshold_on_and_never_none(
    predicted: Config, tmp_path: Path
) -> None:
    config = changed(predicted, tmp_path, "select 1")
    assert rows(config.database, "from prediction_sets") == []
    with duckdb.connect(str(config.database)) as connection:
        connection.execute(
            """
            insert into ml.group_sets
            select name, protocol, classifier_id, basis, coverage, threshold, 9, .85, .1, 2
            from
                ml.classifiers,
                (values ('cv', 'audio', .8, .25), ('cv', 'artist', .8, 2), ('unseen', 'audio', .9, 0))
                    as stated (protocol, basis, coverage, threshold)
            """
        )
    expected = """
        select song_key, [one.genre_group for one in group_probabilities if one.probability >= .25]
        from predictions
        where basis = 'audio'
        union all
        select song_key, [genre_group] from predictions where basis = 'artist'
        order by song_key
        """
    assert rows(config.database, expected) == rows(
        config.database,
        "select song_key, genre_groups from prediction_sets where coverage = .8 order by song_key",
    )
    assert rows(config.database, "select distinct coverage, held from prediction_sets") == [(0.8, 0.85)]

    # Another number of trees gives other probabilities, for which these thresholds say nothing.
    predict(config, classifier=train(config, parameters={"n_estimators": 9}).classifier_id)
    assert rows(config.database, "from prediction_sets") == []


def test_sets_are_those_of_the_classifier_that_was_judged(predicted: Config, tmp_path: Path) -> None:
    """A classifier that reads no artist tells all songs by audio: its thresholds are those of all songs."""
    config = changed(predicted, tmp_path, "select 1")
    judge(config, ["naive_bayes"], "cv", ignore)
    sql = "select classifier, basis, max(songs) from ml.group_sets group by all"
    assert rows(config.database, sql) == [("naive_bayes", "audio", 12)]
    predict(config, classifier="naive_bayes")
    assert rows(config.database, "select count(distinct song_key) from prediction_sets") == [(4,)]
    predict(config, classifier="artist_vote")
    assert rows(config.database, "from prediction_sets") == []
