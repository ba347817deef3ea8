"""The Python API: its examples, what it reads, that it sees what was published last."""

import doctest
import re
import subprocess
import sys
from pathlib import Path

import duckdb
import numpy as np
import pytest

import genredb
import genredb.api
from genredb.errors import InputError, UsageError
from genredb.runner.project.config import Config
from tests.conftest import ROOT, Cli, changed, config_for, rows, write_raw
from tests.verbs import build


def opened(config: Config) -> genredb.api.Database:
    return genredb.open(config.database, project_dir=ROOT, raw_dir=config.raw_dir)


def test_examples_of_the_docstrings_and_docs_hold(
    cli: Cli, sample_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(sample_folder)
    names = {"genredb": genredb, "db": genredb.open("genre.duckdb")}
    attempted = 0
    for module in (genredb, genredb.api):
        done = doctest.testmod(module, extraglobs=names)
        attempted += done.attempted
        assert done.failed == 0
    page = doctest.testfile(str(ROOT / "docs" / "python.md"), module_relative=False)
    assert page.failed == 0
    assert (attempted, page.attempted) >= (12, 10)


def test_rows_come_as_pandas_arrow_polars_and_tuples(predicted: Config) -> None:
    db = opened(predicted)
    query = db.sql("select id, title, null as nothing from songs where id <= $most order by id", most=2)
    assert query.columns == ("id", "title", "nothing")
    assert query.types == ("INTEGER", "VARCHAR", '"NULL"')
    expected = [(1, "Song 1", None), (2, "Song 2", None)]
    assert query.rows() == expected
    assert query.df()[["id", "title"]].values.tolist() == [[1, "Song 1"], [2, "Song 2"]]
    assert [tuple(row.values()) for row in query.arrow().to_pylist()] == expected
    assert query.pl().rows() == expected
    assert len(query) == 2
    assert len(db.songs) == 16
    assert len(db.predictions) == 4
    assert len(db.table("features.train")) == 12


def test_parameters_are_bound_with_their_types(predicted: Config) -> None:
    found = opened(predicted).sql("select $a as a, $b as b, $c as c", a="'; --", b=[1, 2], c=None).rows()
    assert found == [("'; --", [1, 2], None)]

    assert opened(predicted).sql("select $query + $self", query=np.int64(1), self=2).rows() == [(3,)]
    assert len(opened(predicted).table("Features.TRAIN")) == 12


def test_wrong_sql_is_refused_when_it_is_said(predicted: Config) -> None:
    db = opened(predicted)
    with pytest.raises(UsageError, match=r"Did you mean 'title'\?\n    1 \| select titel"):
        db.sql("select titel from songs")
    with pytest.raises(UsageError, match="Only queries can be run, not DROP statements"):
        db.sql("drop table songs")
    with pytest.raises(UsageError, match="There is no table or view 'song'. Did you mean 'songs'?"):
        db.table("song")
    with pytest.raises(UsageError, match="There is no label 'gener'. Did you mean 'genre'?"):
        db.evaluate(label="gener")


def test_the_database_cannot_be_written(predicted: Config, tmp_path: Path) -> None:
    before = predicted.database.read_bytes()
    with pytest.raises(UsageError):
        opened(predicted).sql("copy songs to 'x.csv'")
    assert predicted.database.read_bytes() == before


def test_a_build_between_two_queries_is_seen_by_the_second(built_config: Config) -> None:
    db = opened(built_config)
    query = db.sql("select count(*) from songs where artist = 'New Artist'")
    assert query.rows() == [(0,)]
    path = built_config.raw_dir / "CS98XClassificationTrain.csv"
    path.write_text(path.read_text().replace("Artist 0", "New Artist"))
    assert build(built_config).exit_code == 0
    assert query.rows() == [(4,)]
    assert db.songs.df()["artist"].eq("New Artist").sum() == 4


def test_the_classifier_says_what_the_table_and_the_function_say(predicted: Config) -> None:
    db = opened(predicted)
    songs = db.sql("select songs.* from songs where genre is null order by song_key").df()
    expected = rows(predicted.database, "select genre, probability from ml.predictions order by song_key")
    classifier = db.classifier()
    assert classifier.predict(songs).tolist() == [genre for genre, _ in expected]
    probabilities = classifier.predict_proba(songs)
    assert probabilities.max(axis=1).tolist() == pytest.approx([share for _, share in expected])
    assert probabilities.sum(axis=1).tolist() == pytest.approx([1.0] * 4)
    assert tuple(probabilities.columns) == classifier.genres
    function = db.sql("select predict_genre(songs) from songs where genre is null order by song_key").rows()
    assert [genre for (genre,) in function] == [genre for genre, _ in expected]


def test_columns_of_other_names_order_and_holes(predicted: Config) -> None:
    db = opened(predicted)
    classifier = db.classifier()
    songs = db.sql("select * exclude (artist_key) from songs").df()
    plain = classifier.predict(songs)
    other = songs.rename(columns=str.upper)[[*map(str.upper, reversed(songs.columns))]].set_index("SONG_KEY")
    assert classifier.predict(other).tolist() == plain.tolist()
    assert classifier.predict(other).index.tolist() == songs["song_key"].tolist()
    holes = songs.assign(bpm=None, artist=None)
    assert classifier.predict(holes).isin(classifier.genres).all()
    assert classifier.predict(songs.head(0)).tolist() == []
    with pytest.raises(InputError, match="no column 'bpm'. Did you mean 'bmp'?"):
        classifier.predict(songs.rename(columns={"bpm": "bmp"}))
    with pytest.raises(InputError, match="no column 'artist'"):
        classifier.predict(songs.drop(columns="artist"))
    with pytest.raises(InputError, match="should hold finite numbers"):
        classifier.predict(songs.assign(bpm=float("inf")))
    with pytest.raises(InputError, match="'bpm' should hold numbers, not datetime64"):
        classifier.predict(songs.assign(bpm=np.datetime64("2024-01-01")))
    with pytest.raises(InputError, match="two columns called 'bpm'"):
        classifier.predict(songs.assign(BPM=1))
    with pytest.raises(UsageError, match="polars cannot hold these rows"):
        db.sql("select interval 1 day as day").pl()
    with pytest.raises(InputError, match="'bpm' should hold numbers"):
        classifier.predict(songs.assign(bpm="fast"))


def test_without_a_current_classifier_the_cure_is_named(predicted: Config, tmp_path: Path) -> None:
    config = changed(predicted, tmp_path, "delete from ml.classifiers")
    with pytest.raises(UsageError, match="run `genredb predict`"):
        opened(config).classifier()
    with pytest.raises(UsageError, match="There is no database .* run `genredb build` first"):
        genredb.open(tmp_path / "none.duckdb")


def test_it_shows_itself_in_text_and_html(predicted: Config) -> None:
    db = opened(predicted)
    assert re.search(r"genredb.open\('.*genre.duckdb'\): artist_predictions, artists, .*, songs, ", repr(db))
    assert "One row per artist of any song." in db._repr_html_()
    assert repr(db.songs).endswith("[the first 10 of 16 rows]")
    sql = "select '<script>' as \"<b>\""
    assert "&lt;script&gt;" in db.sql(sql)._repr_html_()
    assert "<script>" not in db.sql(sql)._repr_html_()
    assert "<b>" not in db.sql(sql)._repr_html_()
    assert repr(db.classifier()).startswith("artist_vote: 3 genres from the artist and year, bpm")


def test_evaluations_are_a_frame_and_are_kept(evaluated: Config) -> None:
    db = opened(evaluated)
    board = db.evaluate(["majority"], protocol="cv", label="genre_group")
    assert set(board["classifier"]) == {"artist_vote", "majority"}
    assert set(board["label"]) == {"genre_group"}
    kept = db.sql("select accuracy from ml.evaluations where label = 'genre_group' order by all").rows()
    assert sorted(board["accuracy"]) == pytest.approx([accuracy for (accuracy,) in kept])


def test_importing_genredb_imports_next_to_nothing() -> None:
    script = "import sys, genredb; print(*{'duckdb', 'pandas', 'sklearn', 'numpy'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_missing_polars_is_said(predicted: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"polars is not installed; run `pip install 'genredb\[polars\]'`"):
        opened(predicted).songs.pl()


def test_several_databases_at_once(predicted: Config, tmp_path: Path) -> None:
    folder = tmp_path / "raw"
    folder.mkdir()
    write_raw(folder)
    other = config_for(folder, tmp_path / "other.duckdb")
    build(other)
    one, two = opened(predicted), opened(other)
    assert (len(one.predictions), len(two.predictions), len(one.songs)) == (4, 0, 16)


def test_a_connection_of_the_users_own_is_named(predicted: Config) -> None:
    db = opened(predicted)
    with (
        duckdb.connect(str(predicted.database), read_only=True),
        pytest.raises(
            UsageError, match="is open in this process by another connection to DuckDB; close that one"
        ),
    ):
        db.sql("select 1")
    assert db.sql("select 1").rows() == [(1,)]
