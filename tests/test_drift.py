"""Drift: songs to predict that are unlike the labelled ones are named, by column and by how much."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import ks_2samp, kstwobign

from genredb.runner.project.config import Config
from genredb.songs.learn.drift import FALSE_ALARM, Drift, _odds_outside, describe_drift, find_drift
from genredb.songs.predict import predict
from genredb.warehouse.connection import Connection
from genredb.warehouse.database import open_memory
from tests.conftest import Cli
from tests.songs_from_elsewhere import write_playlist
from tests.verbs import build

COLUMNS = ("same", "shifted", "wide")


@pytest.fixture
def labelled() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 100, size=(400, 3)).astype(float)


@pytest.fixture
def connection() -> Iterator[Connection]:
    with open_memory() as connection:
        connection.execute("create schema features")
        columns = ", ".join(f"{name} double" for name in COLUMNS)
        for view in ("train", "predict"):
            connection.execute(f"create table features.{view} (source varchar, {columns})")
        yield connection


def fill(connection: Connection, view: str, source: str, values: np.ndarray) -> None:
    columns = (pa.array(column, from_pandas=True) for column in values.T)  # a NaN is no value
    with connection.given("songs", pa.table(dict(zip(COLUMNS, columns, strict=True)))):
        connection.execute(f"insert into features.{view} select ?, * from songs", [source])


def test_distances_are_those_of_kolmogorov_and_smirnov(connection: Connection, labelled: np.ndarray) -> None:
    generator = np.random.default_rng(1)
    asked = generator.integers(0, 100, size=(80, 3)).astype(float)
    asked[:, 1] = np.minimum(asked[:, 1] / 2 + 50, 99)
    asked[:8, 2] = [200, -3, 150, 151, 152, 153, np.nan, np.nan]
    fill(connection, "train", "train", labelled)
    fill(connection, "predict", "test", asked)
    found = {drift.column: drift for drift in find_drift(connection, COLUMNS)}
    assert set(found) == {"shifted", "wide"}
    expected = ks_2samp(labelled[:, 1], asked[:, 1])
    shifted = found["shifted"]
    assert shifted.distance == pytest.approx(expected.statistic)
    assert (shifted.outside, shifted.songs) == (0, 80)
    assert shifted.median == np.sort(asked[:, 1])[39]
    wide = found["wide"]
    assert (wide.outside, wide.songs, wide.low, wide.high) == (6, 78, 0, 99)
    assert wide.distance < wide.chance
    assert describe_drift([wide]) == ["Drift in the songs to predict of test: wide (6 of 78 outside 0 to 99)"]
    # The bound is the asymptotic one, shared out over the columns.
    quantile = kstwobign.isf(FALSE_ALARM / 6) * np.sqrt((400 + 80) / (400 * 80))
    assert shifted.chance == pytest.approx(quantile, rel=1e-3)


def test_each_file_is_compared_by_itself(connection: Connection, labelled: np.ndarray) -> None:
    fill(connection, "train", "train", labelled)
    fill(connection, "predict", "test", labelled[:100])
    fill(connection, "predict", "playlist_far", labelled[:100] + 1000)
    assert [(d.source, d.column, d.outside) for d in find_drift(connection, COLUMNS)] == [
        ("playlist_far", "same", 100),
        ("playlist_far", "shifted", 100),
        ("playlist_far", "wide", 100),
    ]


def test_nothing_to_compare_is_no_drift(connection: Connection, labelled: np.ndarray) -> None:
    assert find_drift(connection, COLUMNS) == ()
    fill(connection, "predict", "test", labelled)
    assert find_drift(connection, COLUMNS) == ()
    fill(connection, "train", "train", np.full((3, 3), np.nan))
    assert find_drift(connection, COLUMNS) == ()


def test_false_alarms_are_as_rare_as_is_said(connection: Connection) -> None:
    generator = np.random.default_rng(2)
    alarms = 0
    for _ in range(100):
        for view, count in (("train", 300), ("predict", 60)):
            connection.execute(f"delete from features.{view}")
            fill(connection, view, view, generator.normal(50, 9, size=(count, 3)))
        alarms += bool(find_drift(connection, COLUMNS))
    assert alarms <= 5


def test_the_odds_of_lying_outside_are_those_of_samples() -> None:
    generator = np.random.default_rng(3)
    draws = generator.normal(size=(4000, 50))
    labelled, asked = draws[:, :40], draws[:, 40:]
    low, high = labelled.min(axis=1, keepdims=True), labelled.max(axis=1, keepdims=True)
    outside = ((asked < low) | (asked > high)).sum(axis=1)
    for most in (1, 2, 3):
        assert _odds_outside(most, 10, 40) == pytest.approx((outside >= most).mean(), abs=0.03)
    assert _odds_outside(0, 10, 40) == 1


def test_predict_warns_and_names_file_and_column(config: Config, raw_dir: Path, cli: Cli) -> None:
    write_playlist(raw_dir / "playlist_new.csv", 40)
    build(config)
    found = predict(config).drift
    assert {"playlist_new"} <= {drift.source for drift in found}
    assert isinstance(found[0], Drift)
    # What is current already is warned of as well.
    assert predict(config).drift == found
    options = ("--raw-dir", raw_dir, "--database", config.database)
    ran = cli("predict", *options, cwd=raw_dir)
    assert "warning: Drift in the songs to predict of playlist_new: " in ran.err
    examined = cli("doctor", *options, cwd=raw_dir)
    assert "note    drift: Drift in the songs to predict of playlist_new" in examined.out
