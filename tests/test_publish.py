"""Publishing: the old state or the new one, whatever happens in between."""

import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import duckdb
import pytest

from genredb.errors import DatabaseCorruptError, DatabaseLockedError
from genredb.warehouse.publish import leftovers_of, publication

OPEN_FOR_WRITING = "import duckdb, sys; duckdb.connect(sys.argv[1]).execute('create table foreigner (i int)')"


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "genre.duckdb"
    publish(path, 1)
    return path


def publish(path: Path, version: int) -> None:
    with publication(path) as turn:
        turn.begin().execute(f"create or replace table state as select {version} as version")
        turn.commit()


def version(path: Path) -> int:
    with duckdb.connect(str(path), read_only=True) as connection:
        row = connection.execute("select version from state").fetchone()
    assert row is not None
    return int(row[0])


def beside(path: Path) -> set[str]:
    return {other.name for other in path.parent.iterdir()} - {path.name, path.name + ".lock"}


def in_another_process(code: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True, check=False
    )


def test_a_commit_replaces_the_file_and_leaves_nothing_beside(database: Path) -> None:
    before = database.stat().st_ino
    publish(database, 2)
    assert version(database) == 2
    assert database.stat().st_ino != before
    assert beside(database) == set()


def test_without_a_commit_nothing_changes(database: Path) -> None:
    content = database.read_bytes()
    with publication(database) as turn:
        turn.begin().execute("drop table state")
    with pytest.raises(ZeroDivisionError), publication(database) as turn:
        turn.begin().execute("drop table state")
        _ = 1 / 0
    assert database.read_bytes() == content
    assert beside(database) == set()


def test_a_reader_that_is_open_keeps_its_state_and_a_new_one_sees_the_next(database: Path) -> None:
    code = textwrap.dedent(
        """
        import duckdb, sys
        connection = duckdb.connect(sys.argv[1], read_only=True)
        print(connection.execute("select version from state").fetchone()[0], flush=True)
        sys.stdin.readline()
        print(connection.execute("select version from state").fetchone()[0], flush=True)
        """
    )
    reader = subprocess.Popen(
        [sys.executable, "-c", code, str(database)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert reader.stdout is not None
    assert reader.stdout.readline() == "1\n"
    publish(database, 2)
    assert version(database) == 2
    out, _ = reader.communicate("\n", timeout=60)
    assert out == "1\n"


def test_a_second_writer_is_told_at_once(database: Path) -> None:
    with (
        publication(database),
        pytest.raises(DatabaseLockedError, match="Another genredb is writing"),
        publication(database),
    ):
        pass


def test_foreign_writers_are_kept_out_from_the_first_moment_to_the_last(database: Path) -> None:
    """Also after the copy: closing a handle on a file drops the locks that its process holds on it."""
    with publication(database) as turn:
        assert "Could not set lock" in in_another_process(OPEN_FOR_WRITING, database).stderr
        connection = turn.begin()
        assert "Could not set lock" in in_another_process(OPEN_FOR_WRITING, database).stderr
        connection.execute("create or replace table state as select 2 as version")
        turn.commit()
    assert version(database) == 2


def test_a_foreign_writer_is_named_by_its_pid(database: Path) -> None:
    writer = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print(1, flush=True); sys.stdin.readline()",
            str(database),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert writer.stdout is not None
    writer.stdout.readline()
    with (
        pytest.raises(DatabaseLockedError, match=f"is being written by process {writer.pid}"),
        publication(database),
    ):
        pass
    writer.communicate("\n", timeout=60)


def test_a_write_ahead_log_of_a_killed_writer_is_folded_in(database: Path) -> None:
    code = "import duckdb, os, sys; c = duckdb.connect(sys.argv[1]); c.execute('insert into state values (7)'); os.kill(os.getpid(), 9)"
    in_another_process(code, database)
    assert database.with_name(database.name + ".wal").exists()
    with publication(database) as turn:
        turn.begin().execute("create table more (i int)")
        turn.commit()
    with duckdb.connect(str(database), read_only=True) as connection:
        assert connection.execute("select version from state order by all").fetchall() == [(1,), (7,)]
    assert beside(database) == set()


def test_what_a_dead_writer_left_is_swept_by_the_next(database: Path) -> None:
    code = textwrap.dedent(
        """
        import os, sys
        from pathlib import Path
        from genredb.warehouse.publish import publication
        with publication(Path(sys.argv[1])) as turn:
            turn.begin().execute("create or replace table state as select 2 as version")
            os.kill(os.getpid(), 9)
        """
    )
    done = in_another_process(code, database)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert leftovers_of(database)
    assert version(database) == 1
    publish(database, 3)
    assert version(database) == 3
    assert beside(database) == set()


def test_views_survive_the_replacement_and_a_renaming(database: Path) -> None:
    with publication(database) as turn:
        turn.begin().execute('create view seen as select * from "genre"."main"."state"')
        turn.commit()
    moved = database.rename(database.with_name("other.duckdb"))
    with duckdb.connect(str(moved), read_only=True) as connection:
        assert connection.execute("from seen").fetchall() == [(1,)]


def test_what_is_no_database_is_said_to_be_none(tmp_path: Path) -> None:
    path = tmp_path / "genre.duckdb"
    path.write_text("this is a shopping list, not a database\n" * 500)
    with pytest.raises(DatabaseCorruptError, match="is not a DuckDB database"), publication(path):
        pass
    sqlite = tmp_path / "other.duckdb"
    sqlite.write_bytes(b"SQLite format 3\0" + b"\0" * 4096)
    with pytest.raises(DatabaseCorruptError), publication(sqlite):
        pass


def test_the_lock_ends_with_its_process(database: Path) -> None:
    code = "import os, sys; from pathlib import Path; from genredb.warehouse.publish import publication\nwith publication(Path(sys.argv[1])): os.kill(os.getpid(), 9)"
    in_another_process(code, database)
    publish(database, 2)
    assert version(database) == 2
