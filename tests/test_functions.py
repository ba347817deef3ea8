"""The classifier as functions of SQL: they say what the predictions say."""

from pathlib import Path
from typing import Any

import pytest

from genredb.ask.query import Question, asked
from genredb.runner.project.config import Config
from genredb.songs.predict import predict
from tests.conftest import Cli, changed, write_raw


def fetched(config: Config, sql: str) -> list[tuple[Any, ...]]:
    with asked(config, Question(sql)) as relation:
        return list(relation.fetchall())


def test_functions_and_table_agree_on_every_song(real_predicted: Config) -> None:
    sql = """
        select predictions.song_key, predictions.genre, predictions.probability, predictions.runner_ups,
            predict_genre(songs) as by_row,
            genre_probabilities(songs) as shares,
            predict_genre(songs.artist, songs.year, songs.bpm, songs.nrgy, songs.dnce, songs.db, songs.live,
                songs.val, songs.dur, songs.acous, songs.spch, songs.pop) as by_columns
        from predictions inner join songs on predictions.song_key = songs.song_key
        """
    found = fetched(real_predicted, sql)
    assert len(found) == 128
    for _, genre, probability, runner_ups, by_row, shares, by_columns in found:
        assert by_row == by_columns == genre
        assert shares[genre] == pytest.approx(probability)
        assert [one["genre"] for one in runner_ups] == list(shares)[1:4]
        assert [one["probability"] for one in runner_ups] == pytest.approx(list(shares.values())[1:4])
        assert sum(shares.values()) == pytest.approx(1)


def test_functions_answer_for_invented_songs_and_missing_values(real_predicted: Config) -> None:
    by_name = """
        select predict_genre(artist := ' QUEEN', year := 1980, bpm := null, nrgy := null, dnce := null,
            db := null, live := null, val := null, dur := null, acous := null, spch := null, pop := null) as genre,
            genre_probabilities(null, 1980, 100, 50, 50, -8, 10, 50, 200, 10, 5, 60) as shares
        """
    [(genre, shares)] = fetched(real_predicted, by_name)
    assert genre == "glam rock"
    assert len(shares) == 86
    # What was learned is known: on labelled songs the answer is in-sample.
    differing = "select count(*) from songs where predict_genre(songs) <> genre"
    assert fetched(real_predicted, differing) == [(0,)]


def test_functions_want_a_current_classifier_and_a_whole_song(cli: Cli, built: Path, tmp_path: Path) -> None:
    sql = "select count(*) as n from songs where predict_genre(songs) = 'pop'"
    assert cli("query", sql, "--format", "csv", cwd=built).out == "n\n9\n"
    (tmp_path / "data" / "raw").mkdir(parents=True)
    write_raw(tmp_path / "data" / "raw")
    assert cli("build", cwd=tmp_path).code == 0
    done = cli("query", sql, cwd=tmp_path)
    assert done.code == 2
    assert "run `genredb predict`, or `genredb train`" in done.err
    for call in ("predict_genre()", "predict_genre('Queen', 1980)", "predict_genre(genres)"):
        done = cli("query", f"select {call} from genres", cwd=built)
        assert (done.code, "Traceback" in done.err) == (2, False), done.err


def test_a_feature_with_the_name_of_a_column_of_songs_is_the_feature(
    predicted: Config, tmp_path: Path
) -> None:
    views = "create or replace view features.{} as select * replace (300 - bpm as bpm) from features.song_features where genre is {} null"
    config = changed(predicted, tmp_path, f"{views.format('train', 'not')};{views.format('predict', '')}")
    predict(config, classifier="naive_bayes")
    sql = """
        select count(*), count_if(genre_probabilities(songs)[predictions.genre] = predictions.probability)
        from predictions
        inner join songs using (song_key)
        """
    assert fetched(config, sql) == [(4, 4)]
