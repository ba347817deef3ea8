"""Work in the making: whole or not at all, swept once its writer is dead, never confused with what people keep."""

import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from genredb.ask.export import export
from genredb.drafts import draft_of, drafts, leftovers, temporary_folder, whole_file
from genredb.errors import DatabaseLockedError
from genredb.init import init
from genredb.runner.artifacts.files import write_artifact
from genredb.runner.clean import clean
from genredb.runner.project.config import Config
from genredb.songs.sample.songs import Row, SongMaker
from genredb.songs.sample.write import TEST_FILE, TRAIN_FILE, write_sample
from genredb.warehouse.publish import publication
from tests.conftest import ROOT, TRAIN_HEADER, song
from tests.project_files import write_project
from tests.test_publish import publish, version
from tests.verbs import build

DEAD = 99_999_999


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "genre.duckdb"
    publish(path, 1)
    return path


@pytest.mark.parametrize(
    "name",
    ["genre.duckdb.build-20241124", "genre.duckdb.backup", "genre.duckdb.tmp", ".genre.duckdb.genredb-old"],
)
def test_what_people_keep_beside_the_database_stays(name: str, database: Path) -> None:
    backup = database.with_name(name)
    backup.write_text("mine")
    publish(database, 2)
    assert backup.read_text() == "mine"


def test_what_a_living_writer_makes_is_not_swept_and_what_a_dead_one_left_is(database: Path) -> None:
    """The copy lies in one folder with what DuckDB spilled beside it."""
    living = database.with_name(f".genre.duckdb.genredb-{os.getppid()}")
    dead = database.with_name(f".genre.duckdb.genredb-{DEAD}")
    spilled = database.with_name(f".genre.duckdb.spill.genredb-{DEAD}")
    for folder in (living, dead, spilled):
        (folder / "genre.duckdb.tmp").mkdir(parents=True)
        (folder / "genre.duckdb.tmp" / "storage-0.tmp").write_text("spilled")
    publish(database, 2)
    assert (living.exists(), dead.exists(), spilled.exists()) == (True, False, False)


def test_a_database_that_another_program_put_there_during_a_build_is_not_overwritten(database: Path) -> None:
    other = database.with_name("other.duckdb")
    publish(other, 7)
    with (
        pytest.raises(DatabaseLockedError, match="written by another process"),
        publication(database) as turn,
    ):
        turn.begin().execute("create or replace table state as select 2 as version")
        other.replace(database)
        turn.commit()
    assert version(database) == 7


def test_a_database_that_appears_during_the_first_build_is_not_overwritten(tmp_path: Path) -> None:
    database, other = tmp_path / "genre.duckdb", tmp_path / "other.duckdb"
    publish(other, 7)
    with (
        pytest.raises(DatabaseLockedError, match="written by another process"),
        publication(database) as turn,
    ):
        turn.begin().execute("create table state as select 2 as version")
        other.replace(database)
        turn.commit()
    assert version(database) == 7


@pytest.mark.slow
def test_a_load_that_is_killed_leaves_no_copy_of_the_csv_in_the_temporary_folder(tmp_path: Path) -> None:
    raw, temporary = tmp_path / "raw", tmp_path / "temporary"
    raw.mkdir()
    temporary.mkdir()
    (raw / TRAIN_FILE).write_text(f"{TRAIN_HEADER}\n1,One,Artist,1999,{song(1)},pop\n2,Short\n")
    (raw / TEST_FILE).write_text("")
    code = f"""
        import os
        from pathlib import Path
        from tests.verbs import load
        from genredb.warehouse.raw_table import RawTable
        from tests.conftest import config_for
        RawTable._judge = lambda *_: os.kill(os.getpid(), 9)
        load(config_for(Path({str(raw)!r}), Path({str(tmp_path / "genre.duckdb")!r})))
    """
    environment = os.environ | {"TMPDIR": str(temporary), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == -9, done.stderr
    assert list(temporary.iterdir()) == []
    [left] = leftovers(tmp_path)
    assert list(left.rglob("records.csv"))
    publish(tmp_path / "genre.duckdb", 1)
    assert not left.exists()


def test_the_next_file_in_a_folder_sweeps_what_dead_writers_left(predicted: Config, tmp_path: Path) -> None:
    """Exports, artifacts, samples and new projects alike; `clean` does so for the project's folder."""
    left = [tmp_path / f".{name}.genredb-{DEAD}" for name in ("old.csv", "manifest.json", TRAIN_FILE)]

    def leave() -> None:
        for path in left:
            path.write_text("half")

    def left_over() -> list[Path]:
        return leftovers(tmp_path)

    leave()
    export(predicted, "songs", tmp_path / "songs.csv")
    assert left_over() == []
    leave()
    write_artifact(tmp_path / "other.json", "{}")
    assert left_over() == []
    leave()
    write_sample(tmp_path, 5)
    assert left_over() == []
    (tmp_path / f".shop.genredb-{DEAD}" / "data").mkdir(parents=True)
    init(tmp_path / "shop")
    assert left_over() == []
    leave()
    assert set(left) <= set(clean(write_project(tmp_path, {})))


def test_a_temporary_folder_vanishes_and_takes_those_of_dead_processes_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What `export -o -` proves before it prints it, and names for files of odd paths."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (tmp_path / f".x.genredb-{DEAD}").mkdir()
    (tmp_path / f".x.genredb-{os.getppid()}").mkdir()
    (tmp_path / "genredb-mine").mkdir()
    with temporary_folder() as folder:
        (folder / "export").write_text("rows")
        assert folder in drafts(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {f".x.genredb-{os.getppid()}", "genredb-mine"}


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "kept.txt"
    target.write_text("before")
    with pytest.raises(ZeroDivisionError), whole_file(target) as draft:
        draft.write_text(str(1 / 0))
    assert [path.name for path in tmp_path.iterdir()] == ["kept.txt"]
    with pytest.raises(OSError, match="No space left") as caught, whole_file(target):
        raise OSError(28, "No space left on device")
    assert caught.value.filename == str(target)
    with whole_file(target) as draft:
        assert draft == draft_of(target)
        draft.write_text("after")
    assert target.read_text() == "after"


def test_a_sample_that_fails_half_way_leaves_neither_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that the next try is not refused because the first one's training file is there."""
    chunks = SongMaker.chunks

    def full(maker: SongMaker, number: int, first_id: int, count: int) -> Iterator[list[Row]]:
        if number:
            raise OSError(28, "No space left on device")
        return chunks(maker, number, first_id, count)

    with monkeypatch.context() as patch:
        patch.setattr(SongMaker, "chunks", full)
        with pytest.raises(OSError, match="No space left"):
            write_sample(tmp_path, 20)
    assert list(tmp_path.iterdir()) == []
    write_sample(tmp_path, 20)
    assert {path.name for path in tmp_path.iterdir()} == {TRAIN_FILE, TEST_FILE}


def test_a_dead_writers_leftovers_do_not_keep_builds_from_seeing_that_nothing_changed(tmp_path: Path) -> None:
    config = write_project(tmp_path, {"models/m.sql": "select 1 as i"})
    build(config)
    (tmp_path / f".small.duckdb.genredb-{DEAD}" / "small.duckdb.tmp").mkdir(parents=True)
    build(config)
    before = config.database.stat()
    assert leftovers(tmp_path) == []
    assert build(config).results == ()
    assert config.database.stat() == before


def test_who_may_read_a_file_stays_who_may_read_it(database: Path, tmp_path: Path) -> None:
    """A database or export that was made private is private after the next build or export, too."""
    text = tmp_path / "export.csv"
    text.touch()
    for path in (database, text):
        path.chmod(0o600)
    with publication(database) as turn:
        turn.begin()
        assert draft_of(database).stat().st_mode & 0o077 == 0
        turn.commit()
    with whole_file(text) as draft:
        draft.write_text("private")
    assert [path.stat().st_mode & 0o777 for path in (database, text)] == [0o600, 0o600]
