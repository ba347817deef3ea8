"""The quartiles of numeric_summary are those of ``quantile_cont``, found in little memory."""

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import duckdb
import pytest

from genredb.runner.compile import compile_sql
from genredb.runner.project.config import Settings, read_config

# Values that tie and that do not, with gaps, of one sign and of both; one value, and none.
AUDIO = {
    "year": "1950 + i % 70",
    "bpm": "(i * 7919 % 61)::integer",
    "nrgy": "random()",
    "dnce": "(random() * 90)::integer / 7.0",
    "db": "-random() * 60",
    "live": "if(i % 3 = 0, null, i % 11)",
    "val": "round(random() * 200 - 100, 2)",
    "dur": "i",
    "acous": "if(i % 2 = 0, i * 0.1::double, 1e9)",
    "spch": "if(i = 0, 5, null)",
    "pop": "null::integer",
}


@contextlib.contextmanager
def songs(file: Path, count: int, audio: Mapping[str, str] = AUDIO) -> Iterator[duckdb.DuckDBPyConnection]:
    """Give a database that holds so many labelled songs, and one that has no label."""
    with contextlib.closing(duckdb.connect(str(file), config={"threads": 1})) as connection:
        columns = ", ".join(f"{sql} as {name}" for name, sql in audio.items())
        connection.execute("select setseed(0.5)")
        connection.execute(
            f"create table songs as select 'pop' as genre, {columns} from range({count}) as numbers(i)"
        )
        connection.execute("insert into songs (genre, bpm, nrgy) values (null, -1000, -1000)")
        yield connection


@pytest.fixture(scope="module")
def summary(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The model's SQL, as it runs in a database of any name."""
    config = read_config(Settings(database=tmp_path_factory.mktemp("none") / "none.duckdb"))
    return compile_sql(config, "numeric_summary").replace('"none"."main".', "")


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 7, 100, 1001])
def test_quartiles_are_those_of_quantile_cont(tmp_path: Path, summary: str, count: int) -> None:
    """But for the last bit: where the processor can, DuckDB multiplies and adds in one step."""
    quartiles = "select lower_quartile, median, upper_quartile from summary where column_name ="
    with songs(tmp_path / "songs.duckdb", count) as connection:
        connection.execute(f"create table summary as {summary}")
        assert connection.execute("select column_name from summary").fetchall() == [(name,) for name in AUDIO]
        for name in AUDIO:
            shares = ", ".join(f"quantile_cont({name}, {share})" for share in (0.25, 0.5, 0.75))
            expected = connection.execute(f"select {shares} from songs where genre is not null").fetchone()
            found = connection.execute(f"{quartiles} '{name}'").fetchone()
            is_empty = expected == (None, None, None)
            assert found == (expected if is_empty else pytest.approx(expected, rel=4e-16, abs=0))


def test_the_summary_of_half_a_million_songs_fits_into_80_mb(tmp_path: Path, summary: str) -> None:
    file = tmp_path / "songs.duckdb"
    with songs(file, 500_000, dict.fromkeys(AUDIO, "i % 100::double")):
        pass
    with contextlib.closing(
        duckdb.connect(str(file), config={"memory_limit": "80MB", "threads": 1})
    ) as connection:
        assert len(connection.execute(summary).fetchall()) == len(AUDIO)
