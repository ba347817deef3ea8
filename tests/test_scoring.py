"""Predicting many songs: batches, threads, and going on after a kill."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genredb.errors import InputError
from genredb.runner.project.config import Config
from genredb.songs import predict as predict_module
from genredb.songs.learn.dataset import Songs, artist_code_sql, artist_codes
from genredb.songs.learn.fitted import Fitted, Predicted, Ranked
from genredb.songs.learn.scored_parts import ScoredParts
from genredb.songs.learn.scoring import scored
from genredb.songs.predict import predict
from genredb.songs.sample.write import write_sample
from genredb.songs.train import train
from genredb.warehouse.database import open_memory
from tests.conftest import changed, config_for, rows
from tests.verbs import build

SQL = "select * exclude (classifier_id) from ml.predictions order by song_key"


class Shares:
    """An estimator that gives three genres the shares 1/2, 1/2 and 0, or refuses."""

    classes_ = np.array(["pop", "rock", "soul"], dtype=object)

    def predict_proba(self, asked: np.ndarray) -> np.ndarray:
        if np.isnan(asked).any():
            raise ValueError("a value is missing")
        return np.tile([0.5, 0.5, 0.0], (len(asked), 1))


def batches(sizes: list[int], odd: int | None = None) -> Iterator[Songs]:
    for number, size in enumerate(sizes):
        keys = np.array([f"{number}:{row}" for row in range(size)], dtype=object)
        numbers = np.full((size, 2), np.nan if number == odd else 1.0)
        yield Songs(keys, numbers, keys[:0], ("bpm",))


FITTED = Fitted("shares", Shares(), ("bpm",), {"pop": "pop", "rock": "rock", "soul": "pop"})


@settings(deadline=None)
@given(st.lists(st.text(max_size=5), min_size=1))
def test_sql_gives_artists_the_same_codes(keys: list[str]) -> None:
    texts = np.array([key.replace("\0", "") for key in keys], dtype=object)
    with open_memory() as connection, connection.given("artists", pa.table({"key": pa.array(texts)})):
        found = connection.rows(f"select {artist_code_sql('key')} from artists")
    codes = np.array([np.nan if code is None else code for (code,) in found])
    np.testing.assert_array_equal(codes, artist_codes(texts))


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_batches_come_out_in_their_order(threads: int) -> None:
    found = list(scored(batches([3, 1, 2, 2, 4, 1]), FITTED, threads))
    assert [batch.num_rows for batch in found] == [3, 1, 2, 2, 4, 1]
    assert pa.Table.from_batches(found)["song_key"].to_pylist() == [
        key for songs in batches([3, 1, 2, 2, 4, 1]) for key in songs.keys
    ]
    assert found[0].to_pylist()[0] == {
        "song_key": "0:0",
        "genre": "pop",
        "probability": 0.5,
        "basis": "audio",
        "genre_group": "pop",
        "group_probability": 0.5,
        "group_probabilities": [
            {"genre_group": "pop", "probability": 0.5},
            {"genre_group": "rock", "probability": 0.5},
        ],
        "runner_ups": [{"genre": "rock", "probability": 0.5}],
    }


def test_few_batches_are_in_memory_at_once() -> None:
    read = 0

    def counted() -> Iterator[Songs]:
        nonlocal read
        for songs in batches([1] * 20):
            read += 1
            yield songs

    for done, _ in enumerate(scored(counted(), FITTED, 2), start=1):
        assert read <= done + 2


def test_a_batch_that_cannot_be_predicted_ends_the_others() -> None:
    found = scored(batches([1] * 6, odd=3), FITTED, 2)
    with pytest.raises(InputError, match="shares cannot answer: a value is missing"):
        list(found)


def test_names_without_a_share_are_not_listed() -> None:
    ranked = Ranked(Shares.classes_, np.array([[2, 0], [1, 0]]), np.array([[1.0, 0.0], [0.6, 0.4]]))
    assert ranked.of(0) == [("soul", 1.0)]
    assert ranked.of(1) == [("rock", 0.6), ("pop", 0.4)]


def test_parts_are_whole_and_of_one_prediction(tmp_path: Path) -> None:
    first, second, third = (list(scored(batches([size]), FITTED, 1)) for size in (3, 2, 4))
    parts = ScoredParts(tmp_path / "scored", "one")
    for part in (first, second, third):
        parts.add(part)
    again = ScoredParts(tmp_path / "scored", "one")
    assert again.songs == 9
    assert pa.Table.from_batches(again.batches()) == pa.Table.from_batches([*first, *second, *third])
    # A part that is damaged, and those after it, are predicted again.
    path = tmp_path / "scored" / "one" / "00001.parquet"
    content = bytearray(path.read_bytes())
    content[len(content) // 4] ^= 0xFF
    path.write_bytes(content)
    damaged = ScoredParts(tmp_path / "scored", "one")
    assert damaged.songs == 3
    damaged.add(second)
    assert ScoredParts(tmp_path / "scored", "one").songs == 9
    assert ScoredParts(tmp_path / "scored", "other").songs == 0
    assert not path.exists()


@pytest.fixture
def few_songs_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(predict_module, "BATCH_ROWS", 1)
    monkeypatch.setattr(predict_module, "PART_BATCHES", 1)


@pytest.mark.usefixtures("few_songs_are_many")
def test_an_interrupted_prediction_goes_on(built_config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(what: str, done: int, _total: int) -> None:
        if what == "predict" and done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        predict(built_config, interrupt)
    assert rows(built_config.database, "select count(*) from ml.predictions") == [(0,)]
    asked: list[str] = []
    own = Fitted.predict

    def noted(fitted: Fitted, songs: Songs) -> Predicted:
        asked.extend(songs.keys)
        return own(fitted, songs)

    monkeypatch.setattr(Fitted, "predict", noted)
    result = predict(built_config)
    total = rows(built_config.database, "select count(*) from features.predict")[0][0]
    assert result.trained is None  # the classifier was kept
    assert result.resumed == 2
    assert len(asked) == result.songs - 2 == total - 2
    assert not (built_config.target_dir / "scored").exists()
    resumed = rows(built_config.database, SQL)
    predict(built_config, classifier="forest")
    predict(built_config, classifier="artist_vote")
    assert rows(built_config.database, SQL) == resumed


@pytest.mark.usefixtures("few_songs_are_many")
def test_parts_of_another_classifier_are_not_used(built_config: Config) -> None:
    def interrupt(what: str, done: int, _total: int) -> None:
        if what == "predict" and done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        predict(built_config, interrupt)
    assert predict(built_config, classifier="majority").resumed == 0


@pytest.mark.parametrize("dropped", ["classifiers", "predictions"])
def test_tables_that_were_dropped_are_made_anew(predicted: Config, tmp_path: Path, dropped: str) -> None:
    config = changed(predicted, tmp_path, f"drop table ml.{dropped}")
    result = predict(config)
    assert result.is_published
    assert (result.trained is not None) == (dropped == "classifiers")
    assert rows(config.database, SQL) == rows(predicted.database, SQL)


@pytest.mark.slow
def test_predict_killed_at_random_and_resumed_gives_the_same_bytes(tmp_path: Path) -> None:
    write_sample(tmp_path / "raw", 5_000, seed=1)
    database = tmp_path / "genre.duckdb"
    config = config_for(tmp_path / "raw", database)
    build(config)
    train(config)  # which takes longer than to predict so few songs
    content = database.read_bytes()
    command = [sys.executable, "-c", PREDICT, str(tmp_path / "raw"), str(database), str(tmp_path / "target")]

    def exported() -> bytes:
        file = tmp_path / "predictions.csv"
        rows(database, f"copy ({SQL}) to '{file}'")
        return file.read_bytes()

    started = time.monotonic()
    subprocess.run(command, check=True)
    duration = time.monotonic() - started
    expected, chosen = exported(), Random(0)
    killed = resumed = 0
    for _ in range(3):
        database.write_bytes(content)
        while True:
            process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
            try:
                out, _ = process.communicate(timeout=chosen.uniform(0.4, 1.0) * duration)
                resumed += int(out)
                break
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                process.communicate()
                killed += 1
        assert exported() == expected
    assert killed >= 2
    assert resumed > 0
    assert not [path for path in tmp_path.iterdir() if ".genredb-" in path.name]


PREDICT = """
import sys
from dataclasses import replace
from pathlib import Path
from genredb.songs import predict
from tests.conftest import config_for
predict.BATCH_ROWS, predict.PART_BATCHES = 3, 5
raw, database, target = map(Path, sys.argv[1:])
print(predict.predict(replace(config_for(raw, database), target_dir=target)).resumed)
"""
