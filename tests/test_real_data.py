"""What the competition's CSVs must give: the figures that were measured on them beforehand."""

import random
from pathlib import Path
from typing import Any

import duckdb
import pytest

from genredb.ask.export import export
from genredb.runner.project.config import Config
from genredb.songs.predict import predict
from tests.conftest import REAL_FILES, config_for
from tests.verbs import build


def value(connection: duckdb.DuckDBPyConnection, sql: str) -> Any:
    row = connection.execute(sql).fetchone()
    assert row is not None
    return row[0] if len(row) == 1 else row


def test_every_song_is_there_and_none_is_quarantined(real: duckdb.DuckDBPyConnection) -> None:
    assert value(real, "select count(*), count(genre), count(distinct genre) from songs") == (566, 438, 86)
    assert value(real, "select count(*) from raw.quarantine") == 0
    assert value(real, "select sum(records), sum(loaded), sum(quarantined) from meta.loads") == (566, 566, 0)


def test_feature_views(real: duckdb.DuckDBPyConnection) -> None:
    assert value(real, "select count(*) from features.train") == 438
    assert value(real, "select count(*), count(distinct genre) from features.train_common") == (358, 26)
    assert value(real, "select count(*) from features.predict") == 128
    assert value(real, "select count(*) from features.predict where source = 'test'") == 113


def test_all_genres_are_in_ten_groups(real: duckdb.DuckDBPyConnection) -> None:
    assert value(real, "select count(*), count(distinct genre_group) from genres") == (86, 10)
    assert value(real, "select count(*) from genres where genre_group_basis <> 'mapping'") == 0
    assert value(real, "select count(*) from songs where genre is not null and genre_group is null") == 0


def test_the_commonest_genres(real: duckdb.DuckDBPyConnection) -> None:
    top = real.execute("select genre, song_count from genres order by 2 desc, 1 limit 5").fetchall()
    assert top == [
        ("adult standards", 68),
        ("album rock", 66),
        ("dance pop", 61),
        ("brill building pop", 16),
        ("glam rock", 16),
    ]
    assert value(real, "select count(*) from genres where song_count = 1") == 40


MEANS = {
    "year": (1990.881279, 16.697047),
    "bpm": (118.326484, 25.175735),
    "nrgy": (60.504566, 22.089660),
    "dnce": (59.780822, 15.404757),
    "db": (-8.787671, 3.591005),
    "live": (17.605023, 13.807492),
    "val": (59.625571, 24.480160),
    "dur": (228.267123, 63.426812),
}
CORRELATIONS = {
    ("nrgy", "db"): 0.687504,
    ("nrgy", "acous"): -0.658299,
    ("dnce", "val"): 0.467307,
    ("nrgy", "val"): 0.411215,
    ("db", "acous"): -0.460821,
    ("year", "db"): 0.317036,
}


@pytest.mark.parametrize("column", MEANS)
def test_means_and_deviations(real: duckdb.DuckDBPyConnection, column: str) -> None:
    sql = f"select mean, standard_deviation from numeric_summary where column_name = '{column}'"
    assert value(real, sql) == pytest.approx(MEANS[column], abs=6e-7)


@pytest.mark.parametrize("pair", CORRELATIONS)
def test_correlations(real: duckdb.DuckDBPyConnection, pair: tuple[str, str]) -> None:
    for first, second in (pair, pair[::-1]):
        sql = f"select correlation from correlations where (column_name, other_column_name) = ('{first}', '{second}')"
        assert value(real, sql) == pytest.approx(CORRELATIONS[pair], abs=6e-7)


def test_quartiles_and_text(real: duckdb.DuckDBPyConnection) -> None:
    sql = "select minimum, lower_quartile, median, upper_quartile, maximum from numeric_summary where column_name = 'val'"
    assert value(real, sql) == (6, 42.25, 61, 80, 99)
    sql = "select value_count, distinct_count, most_frequent_value, most_frequent_count from text_summary where column_name = 'genre'"
    assert value(real, sql) == (438, 86, "adult standards", 68)


def test_profiles_describe_each_genre(real: duckdb.DuckDBPyConnection) -> None:
    assert value(real, "select count(*) from genre_profiles") == 86 * 11
    sql = "select value_count, mean from genre_profiles where genre = 'adult standards' and column_name = 'acous'"
    assert value(real, sql) == value(
        real, "select count(*), avg(acous) from songs where genre = 'adult standards'"
    )


def test_mojibake_is_repaired_in_all_seven_rows(real: duckdb.DuckDBPyConnection) -> None:
    found = real.execute("select id, title, artist from songs where is_repaired order by id").fetchall()
    assert [row[0] for row in found] == [18, 42, 45, 118, 433, 474, 549]
    texts = {row[0]: row for row in found}
    assert texts[18][2] == texts[42][2] == texts[549][2] == "Céline Dion"
    assert (texts[45][2], texts[118][2]) == ("Ultra Naté", "Beyoncé")
    assert texts[433][1] == "Désenchantée - Radio Edit"
    assert texts[474][1] == "You're The One That I Want - From “Grease”"
    kept = real.execute("select artist, title from songs where id in (136, 328, 339) order by id").fetchall()
    assert kept[0][1] == "Walkin’ My Baby Back Home"
    assert {row[0] for row in kept[1:]} == {"Françoise Hardy"}


def test_exactly_three_repeats(real: duckdb.DuckDBPyConnection) -> None:
    sql = "select song_key, duplicate_of from songs where duplicate_of is not null order by id"
    assert real.execute(sql).fetchall() == [
        ("train:47", "train:43"),
        ("test:476", "train:404"),
        ("test:515", "train:300"),
    ]
    sql = """
        select list(id order by id) from songs
        group by recording_key having count(*) > 1 order by min(id)
        """
    pairs = [row[0] for row in real.execute(sql).fetchall()]
    assert pairs == [[43, 47], [135, 553], [175, 450], [300, 515], [404, 476]]


def test_known_artists_of_the_test_file(real: duckdb.DuckDBPyConnection) -> None:
    sql = "select count(*) from songs inner join artists using (artist_key) where source = 'test' and artists.genre is not null"
    assert value(real, sql) == 47
    assert value(real, "select count(*), max(genre_count) from artists where labelled_song_count > 0") == (
        331,
        1,
    )


def submission(raw_dir: Path, folder: Path) -> bytes:
    config: Config = config_for(raw_dir, folder / "genre.duckdb")
    build(config)
    assert predict(config).is_published
    assert not predict(config).is_published
    export(config, "submission", folder / "submission.csv")
    return (folder / "submission.csv").read_bytes()


@pytest.mark.slow
def test_the_submission_is_the_same_again_and_for_shuffled_rows(
    real_predicted: Config, real_data: Path, tmp_path: Path
) -> None:
    shuffled = tmp_path / "shuffled"
    shuffled.mkdir()
    for number, name in enumerate(REAL_FILES):
        header, *lines = (real_data / name).read_text(encoding="utf-8").splitlines()
        random.Random(number).shuffle(lines)
        (shuffled / name).write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    export(real_predicted, "submission", tmp_path / "submission.csv")
    contents = [(tmp_path / "submission.csv").read_bytes()]
    for number, raw_dir in enumerate((real_data, shuffled)):
        folder = tmp_path / str(number)
        folder.mkdir()
        contents.append(submission(raw_dir, folder))
    assert contents[0] == contents[1] == contents[2]
    header, *lines = contents[0].decode().splitlines()
    assert header == "Id,top genre"
    expected = sorted(set(range(454, 568)) - {520})
    assert [int(line.split(",")[0]) for line in lines] == expected
    assert len(lines) == 113
