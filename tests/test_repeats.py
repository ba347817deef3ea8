"""songs.duplicate_of names the first of equal songs, whatever is missing and however letters are written."""

import random
from collections.abc import Sequence

import duckdb
import pytest

from genredb.runner.graph.compiler import compile_project
from genredb.runner.graph.fingerprint import portable_sql
from genredb.runner.project.discover import read_project
from genredb.warehouse.connection import Connection
from genredb.warehouse.database import insert_rows
from tests.conftest import ROOT, config_for

AUDIO = "year bpm nrgy dnce db live val dur acous spch pop".split()
Row = dict[str, object]


@pytest.fixture(scope="module")
def sql() -> str:
    """The SQL of the model songs."""
    compilation = compile_project(read_project(config_for(ROOT / "data/sample", ROOT / "genre.duckdb")))
    return portable_sql(compilation.find("songs"), compilation)


def test_repeats_are_those_that_a_comparison_of_all_songs_finds(sql: str) -> None:
    for seed in range(40):
        rows = _songs(random.Random(seed))
        assert _found(sql, rows) == _expected(rows), seed


def _songs(draw: random.Random) -> list[Row]:
    """Return songs of so few values that many are equal, in part by what they lack."""
    sources = (("train", 1), ("more", 2), ("extra", 2), ("test", 3), ("list", 4))
    rows: list[Row] = []
    for number in range(120):
        source, rank = draw.choice(sources)
        title, artist = (
            draw.choice(["One", "ONE", "One - Mono", "Ö", "ö", None]),
            draw.choice(["a", "b", None]),
        )
        audio = dict.fromkeys(AUDIO, 5) | {
            draw.choice(AUDIO): draw.choice([5, 5, 6, None]),
            draw.choice(AUDIO[:2]): draw.choice([5, 5, None]),
        }
        key = f"{source}:{number}"
        rows.append({
            "song_key": key, "source": source, "source_rank": rank, "id": number, "title": title,
            "artist": artist, "artist_key": artist, "recording_key": "k", "genre": "pop",
            "is_remaster": False, "is_mix": False, "is_repaired": False, **audio,
        })  # fmt: skip
    draw.shuffle(rows)
    return rows


def _expected(rows: Sequence[Row]) -> dict[object, object]:
    def equal(one: Row) -> object:
        return str(one["title"]).lower(), one["artist_key"], *(one[name] for name in AUDIO)

    first: dict[object, object] = {}
    found: dict[object, object] = {}
    for row in sorted(rows, key=lambda row: (row["source_rank"], row["source"], row["id"])):
        is_named = row["title"] is not None and row["artist_key"] is not None
        original = first.setdefault(equal(row), row["song_key"]) if is_named else row["song_key"]
        found[row["song_key"]] = None if original == row["song_key"] else original
    return found


def _found(sql: str, rows: Sequence[Row]) -> dict[object, object]:
    types = {"id": "integer", "source_rank": "integer"} | dict.fromkeys(AUDIO, "integer")
    columns = ", ".join(f"{name} {types.get(name, 'varchar')}" for name in rows[0])
    with duckdb.connect() as connection:
        connection.execute("create schema staging")
        connection.execute(f"create table staging.stg_songs ({columns})")
        connection.execute(
            "create table staging.stg_genres as select 'pop' as genre, '' as genre_group, '' as genre_group_basis"
        )
        insert_rows(Connection(connection), "staging.stg_songs", [list(row.values()) for row in rows])
        return dict(connection.execute(f"select song_key, duplicate_of from ({sql})").fetchall())
