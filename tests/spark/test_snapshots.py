"""Snapshots: which one is published, how long readers keep one, and that nothing half-written is published."""

import errno
import json
import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from genredb.errors import DatabaseCorruptError
from genredb.spark.snapshots import GRACE_SECONDS, POINTER, UNFINISHED, Snapshots, Stored, warehouse_of

DAYS = 5 * GRACE_SECONDS


def publish(folder: Path, *names: str, with_: Mapping[str, Stored] | None = None) -> dict[str, Stored]:
    """Publish a new snapshot with tables that are made for it, and some that are there already."""
    snapshots = Snapshots(folder)
    stored = dict(with_ or {})
    for name in names:
        made = snapshots.table_folder("main", name)
        snapshots.path(made).mkdir()
        (snapshots.path(made) / "part-00000.parquet").write_text(name)
        stored[f"main.{name}"] = Stored("main", name, "table", {"i": "INTEGER"}, folder=made)
    snapshots.publish(stored)
    return stored


def grow_old(folder: Path) -> None:
    """Make all that is in a folder days older."""
    for path in folder.rglob("*"):
        then = path.stat().st_mtime - DAYS
        os.utime(path, (then, then))


def tables(folder: Path) -> set[str]:
    """The tables whose files are there."""
    return {path.read_text() for path in folder.glob("snap-*/*/part-00000.parquet")}


def test_a_snapshot_that_is_replaced_days_later_stays_for_its_readers(tmp_path: Path) -> None:
    publish(tmp_path, "first")
    grow_old(tmp_path)
    read = Snapshots(tmp_path).published()
    publish(tmp_path, "second")
    assert (tmp_path / read["main.first"].folder / "part-00000.parquet").is_file()
    grow_old(tmp_path)
    publish(tmp_path, "third")
    assert tables(tmp_path) == {"second", "third"}


def test_a_table_of_an_older_snapshot_stays_for_readers_of_the_one_replaced(tmp_path: Path) -> None:
    kept = publish(tmp_path, "kept")
    publish(tmp_path, "second", with_=kept)
    grow_old(tmp_path)
    publish(tmp_path, "third")
    assert tables(tmp_path) == {"kept", "second", "third"}
    grow_old(tmp_path)
    publish(tmp_path, "fourth")
    assert tables(tmp_path) == {"third", "fourth"}


def test_tables_that_the_published_snapshot_reads_are_never_swept(tmp_path: Path) -> None:
    first = publish(tmp_path, "kept", "gone")
    kept = {"main.kept": first["main.kept"]}
    publish(tmp_path, with_=kept)
    grow_old(tmp_path)
    publish(tmp_path, with_=kept)
    assert Snapshots(tmp_path).published() == kept
    assert tables(tmp_path) == {"kept"}


def test_what_a_killed_build_left_counts_from_its_last_write(tmp_path: Path) -> None:
    killed = Snapshots(tmp_path)
    part = killed.path(killed.table_folder("main", "left")) / "part-00000.parquet"
    part.parent.mkdir()
    part.write_text("left")
    grow_old(tmp_path)
    part.write_text("left")
    publish(tmp_path, "first")
    assert tables(tmp_path) == {"left", "first"}
    grow_old(tmp_path)
    publish(tmp_path, "second")
    assert tables(tmp_path) == {"first", "second"}


def test_a_re_publication_that_fails_leaves_the_manifest_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshots = Snapshots(tmp_path)
    stored = {"main.v": Stored("main", "v", "view", {"i": "INTEGER"}, sql="select 1 as i")}
    snapshots.publish(stored)
    written = Path.write_text

    def half(path: Path, text: str, encoding: str | None = None) -> int:
        written(path, text[: len(text) // 2], encoding=encoding)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_text", half)
    with pytest.raises(OSError, match="No space left"):
        snapshots.publish(stored | {"main.w": Stored("main", "w", "view", {}, sql="select 2 as i")})
    assert Snapshots(tmp_path).published() == stored


def test_a_pointer_that_is_no_text_is_damage(tmp_path: Path) -> None:
    (tmp_path / POINTER).write_bytes(b"\xff\xfe")
    with pytest.raises(
        DatabaseCorruptError, match=r"is missing or damaged; remove .*CURRENT and build again"
    ):
        Snapshots(tmp_path).published()


def test_what_executors_did_not_finish_is_not_published(tmp_path: Path) -> None:
    snapshots = Snapshots(tmp_path)
    folder = snapshots.table_folder("main", "t")
    unfinished = snapshots.path(folder) / UNFINISHED / "0123" / "part-00000.parquet"
    unfinished.parent.mkdir(parents=True)
    unfinished.write_text("half a f")
    done = snapshots.path(folder) / "part-00000.parquet"
    done.write_text("rows")
    snapshots.publish({"main.t": Stored("main", "t", "table", {"i": "INTEGER"}, folder=folder)})
    assert [*snapshots.path(folder).rglob("*")] == [done]


def test_the_manifest_names_what_is_published(tmp_path: Path) -> None:
    publish(tmp_path, "kept")
    manifest = tmp_path / (tmp_path / POINTER).read_text(encoding="utf-8").strip() / "manifest.json"
    assert [one["name"] for one in json.loads(manifest.read_text(encoding="utf-8"))] == ["kept"]


def test_no_two_ledgers_share_a_folder() -> None:
    names = ("a", "a.db", "a.duckdb", "a.spark", "a.duckdb.spark", "b.duckdb")
    folders = {warehouse_of(Path("x") / name) for name in names}
    assert len(folders) == len(names)
