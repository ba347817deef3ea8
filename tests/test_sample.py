"""The synthetic sample: shaped like the competition's files, reproducible, in flat memory."""

import csv
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

from genredb.errors import UsageError
from genredb.runner.project.config import Config
from genredb.songs.sample.names import artist_name, mojibake
from genredb.songs.sample.write import write_sample
from tests.conftest import REAL_FILES, ROOT, Shared, config_for
from tests.test_real_data import CORRELATIONS, MEANS
from tests.verbs import build

# Figures of the competition's data: correlations of the eleven columns, year … pop, below the diagonal.
ALL_CORRELATIONS = """
-0.032804
0.162237 0.219684
0.255916 -0.009999 0.345836
0.317036 0.103035 0.687504 0.255577
-0.012204 0.022333 0.099285 -0.091241 0.080707
-0.009710 0.151454 0.411215 0.467307 0.147616 0.062184
-0.006768 0.012545 0.156341 0.108891 0.094271 -0.092681 -0.159837
-0.174468 -0.217720 -0.658299 -0.389641 -0.460821 -0.040973 -0.241475 -0.260960
0.200995 0.038356 0.204097 0.231468 0.232366 0.084009 0.075536 0.095829 -0.2046
0.018926 0.042695 0.274006 0.256099 0.312952 -0.025493 -0.040035 0.321028 -0.4437
"""
COLUMNS = "year bpm nrgy dnce db live val dur acous spch pop".split()


@pytest.fixture(scope="module")
def large(shared: Shared) -> Config:
    def fill(folder: Path) -> None:
        write_sample(folder / "raw", 10_000, seed=3)
        assert build(config_for(folder / "raw", folder / "large.duckdb")).exit_code == 0

    folder = shared("large", fill)
    return config_for(folder / "raw", folder / "large.duckdb")


def values(config: Config, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(config.database), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def test_means_and_deviations_lie_near_the_competitions(large: Config) -> None:
    found = values(large, "select column_name, mean, standard_deviation from numeric_summary")
    for column, mean, deviation in found:
        if column in MEANS:
            expected_mean, expected_deviation = MEANS[column]
            assert abs(mean - expected_mean) < 0.1 * expected_deviation, column
            assert deviation == pytest.approx(expected_deviation, rel=0.1), column


def test_correlations_lie_within_a_tenth(large: Config) -> None:
    sql = "select column_name, other_column_name, correlation from correlations"
    found = {(row[0], row[1]): row[2] for row in values(large, sql)}
    rows = [line.split() for line in ALL_CORRELATIONS.strip().splitlines()]
    for column, row in zip(COLUMNS[1:], rows, strict=True):
        for other, expected in zip(COLUMNS, row, strict=False):
            assert found[column, other] == pytest.approx(float(expected), abs=0.1), (column, other)
    assert all(found[pair] == pytest.approx(expected, abs=0.1) for pair, expected in CORRELATIONS.items())


def test_artists_have_several_songs_and_one_genre_and_genres_a_long_tail(large: Config) -> None:
    ((artists, several, most_genres),) = values(
        large, "select count(*), count(*) filter (where song_count > 1), max(genre_count) from artists"
    )
    assert most_genres == 1
    assert several > 0.2 * artists
    ((genres, largest, rare),) = values(
        large, "select count(*), max(song_share), count(*) filter (where song_share < 0.01) from genres"
    )
    assert genres == 86
    assert 0.1 < largest < 0.2
    assert rare > genres / 2


def test_harmless_defects_are_there(large: Config) -> None:
    ((repeats, repaired, unlabelled, quarantined),) = values(
        large,
        "select count(duplicate_of), count(*) filter (where is_repaired),"
        " count(*) filter (where genre is null and source = 'train'),"
        " (select count(*) from raw.quarantine) from songs",
    )
    assert repeats > 10
    assert repaired > 100
    assert 200 < unlabelled < 500
    assert quarantined == 0


def test_genres_differ_in_their_numbers(large: Config) -> None:
    sql = "select genre_group, avg(acous) from songs where genre is not null group by genre_group"
    means = dict(values(large, sql))
    assert means["adult standards"] > 2 * means["dance & electronic"]


def test_the_committed_sample_is_what_the_command_writes(tmp_path: Path) -> None:
    result = write_sample(tmp_path, 453)
    assert (result.train_rows, result.test_rows, result.defects) == (453, 113, 0)
    for name in REAL_FILES:
        assert (tmp_path / name).read_bytes() == (ROOT / "data" / "sample" / name).read_bytes()


def test_another_seed_gives_other_songs(tmp_path: Path) -> None:
    write_sample(tmp_path / "a", 50, seed=1)
    write_sample(tmp_path / "b", 50, seed=2)
    assert (tmp_path / "a" / REAL_FILES[0]).read_bytes() != (tmp_path / "b" / REAL_FILES[0]).read_bytes()


def test_ids_run_on_and_test_rows_have_no_genre(tmp_path: Path) -> None:
    write_sample(tmp_path, 6_001)
    numbers = []
    for name, fields in zip(REAL_FILES, (15, 14), strict=True):
        with (tmp_path / name).open(encoding="utf-8", newline="") as file:
            _, *rows = csv.reader(file)
        assert {len(row) for row in rows} == {fields}
        numbers += [int(row[0]) for row in rows]
    assert numbers == list(range(1, len(numbers) + 1))


def test_defects_are_all_quarantined(tmp_path: Path) -> None:
    result = write_sample(tmp_path / "raw", 200, defects=True)
    built = build(config_for(tmp_path / "raw", tmp_path / "genre.duckdb"))
    assert built.exit_code == 0
    assert sum(load.quarantined for load in built.loads) == result.defects == 26
    assert [load.loaded for load in built.loads] == [200, result.test_rows]
    assert all(load.records == load.loaded + load.quarantined for load in built.loads)


def test_nothing_is_overwritten_and_nothing_half_written(tmp_path: Path) -> None:
    write_sample(tmp_path, 10)
    with pytest.raises(UsageError, match="already exists"):
        write_sample(tmp_path, 10)
    with pytest.raises(UsageError, match="--rows should be 1 or more"):
        write_sample(tmp_path / "none", 0)

    def stop(_done: int, _total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_sample(tmp_path / "stopped", 10, progress=stop)
    assert list((tmp_path / "stopped").iterdir()) == []


def test_artists_names_are_distinct() -> None:
    names = {artist_name(number) for number in range(200_000)}
    assert len(names) == 200_000


def test_mojibake_is_that_of_cp1252() -> None:
    assert mojibake("Céline") == "CÃ©line"
    assert mojibake("“Grease”") == "â€œGreaseâ€\x9d"


@pytest.mark.slow
def test_memory_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    code = (
        "import resource, sys; from pathlib import Path; from genredb.songs.sample.write import write_sample;"
        "write_sample(Path(sys.argv[1]), int(sys.argv[2]));"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    peaks = []
    for rows in (5_000, 100_000):
        done = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path / str(rows)), str(rows)],
            capture_output=True,
            text=True,
            check=True,
        )
        peaks.append(int(done.stdout))
    assert peaks[1] < 1.3 * peaks[0]
