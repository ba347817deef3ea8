"""``genredb diff``: what one database holds that another does not."""

import json
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner

from genredb.ask.diff import diff
from genredb.cli.app import add_commands, app
from genredb.errors import DatabaseCorruptError, UsageError
from genredb.runner.project.config import Config
from tests.conftest import changed

TABLES = """
    create table kept as select i as id, 'x' || i as name, i * 1.5 as value from range(10) as numbers(i);
    create table heap as select i % 3 as n from range(9) as numbers(i);
    create table pairs as select i // 3 as a, i % 3 as b, i as c from range(9) as numbers(i);
    create schema meta;
    create table meta.runs as select now() as at;
    create table meta.mine as select 1 as i;
"""


def database(path: Path, *statements: str) -> Path:
    with duckdb.connect(str(path)) as connection:
        for statement in (TABLES, *statements):
            connection.execute(statement)
    return path


def test_rows_are_told_apart_by_their_key(tmp_path: Path) -> None:
    before = database(tmp_path / "before.duckdb", "create table gone as select 1 as x")
    after = database(
        tmp_path / "after.duckdb",
        "delete from kept where id < 2; insert into kept values (77, 'new', 1)",
        "update kept set value = null, name = 'y' where id = 5; update kept set value = 0 where id = 6",
        "alter table kept add column more int; alter table pairs alter c type varchar",
        "update pairs set c = 'z' where a = 1",
        "delete from heap where n = 1; insert into heap values (1), (5)",
        "create view added as select 1 as x",
    )
    sizes = {path: path.read_bytes() for path in (before, after)}
    found = diff(before, after)
    by_name = {one.relation: one for one in found.relations}
    assert (found.compared, list(by_name)) == (
        6,
        ["main.added", "main.gone", "main.heap", "main.kept", "main.pairs"],
    )
    assert [by_name[f"main.{name}"].is_before for name in ("added", "gone")] == [False, True]
    kept = by_name["main.kept"]
    assert kept.added_columns == ("more",)
    assert kept.rows is not None
    assert (kept.rows.key, kept.rows.before, kept.rows.after) == (("id",), 10, 9)
    assert (kept.rows.added, kept.rows.removed, kept.rows.changed) == (1, 2, 2)
    assert kept.rows.columns == {"name": 1, "value": 2}
    pairs, heap = by_name["main.pairs"], by_name["main.heap"]
    assert pairs.retyped == {"c": ("BIGINT", "VARCHAR")}
    assert pairs.rows is not None
    assert (pairs.rows.key, pairs.rows.is_different) == (("a", "b"), False)
    assert heap.rows is not None
    assert (heap.rows.key, heap.rows.added, heap.rows.removed) == ((), 1, 2)
    assert {path: path.read_bytes() for path in sizes} == sizes


def test_changed_predictions_are_listed_with_their_songs(predicted: Config, tmp_path: Path) -> None:
    other = changed(predicted, tmp_path, "update ml.predictions set genre = 'pop' where song_key = 'test:14'")
    (song,) = diff(predicted.database, other.database).predictions
    assert (song.song_key, song.title, song.before, song.after) == ("test:14", "Asked 14", "disco", "pop")
    add_commands(["diff"])
    arguments = ["diff", str(predicted.database), str(other.database)]
    shown = CliRunner().invoke(app, arguments).stdout
    assert "1 prediction changed:\n    Asked 14 (test:14): disco 0." in shown
    assert "predictions: 4 rows → 4: 1 changed (by song_key)\n" in shown
    assert (
        json.loads(CliRunner().invoke(app, [*arguments, "--json"]).stdout)["predictions"][0]["after"] == "pop"
    )


def test_what_is_no_other_database_is_said(tmp_path: Path) -> None:
    before = database(tmp_path / "before.duckdb")
    assert diff(before, database(tmp_path / "same.duckdb")).relations == ()
    for other, error, message in (
        (tmp_path / "none.duckdb", UsageError, "There is no database"),
        (before, UsageError, "are the same file"),
        (tmp_path / "text.duckdb", DatabaseCorruptError, "is not a DuckDB database"),
    ):
        (tmp_path / "text.duckdb").write_text("text\n" * 4000)
        with pytest.raises(error, match=message):
            diff(before, other)
