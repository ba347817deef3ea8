"""A write-ahead log beside the database: taken in where it fits, else moved aside, never left to brick it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from genredb.errors import DatabaseCorruptError
from genredb.warehouse.database import open_reader
from genredb.warehouse.publish import publication
from tests.conftest import rows
from tests.project_files import write_project
from tests.test_publish import in_another_process, publish, version
from tests.verbs import build

KILLED_WRITER = """
import duckdb, os, signal, sys
connection = duckdb.connect(sys.argv[1])
connection.execute("insert into state select range + 2 from range(100)")
connection.execute("create table more as select range from range(1000)")
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture(scope="module")
def logged(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, bytes]:
    """A database, and the log of a program that was killed after it had written to it."""
    path = tmp_path_factory.mktemp("logged") / "genre.duckdb"
    publish(path, 1)
    in_another_process(KILLED_WRITER, path)
    return path.read_bytes(), path.with_name("genre.duckdb.wal").read_bytes()


Spoil = Callable[[bytes], bytes]

TORN: dict[str, Spoil] = {
    "empty": lambda _: b"",
    "one byte": lambda log: log[:1],
    "half a header": lambda log: log[:30],
    "a header": lambda log: log[:60],
    "half": lambda log: log[: len(log) // 2],
    "all but a byte": lambda log: log[:-1],
    "foreign text": lambda _: b"remember the milk\n" * 40,
}


@pytest.mark.slow
@pytest.mark.parametrize("spoil", TORN.values(), ids=TORN)
def test_after_a_torn_log_every_next_writer_and_reader_goes_on(
    spoil: Spoil, logged: tuple[bytes, bytes], tmp_path: Path
) -> None:
    """What could be read of the log is taken in; what is left of it does not lie beside the next state."""
    database = tmp_path / "genre.duckdb"
    log = tmp_path / "genre.duckdb.wal"
    database.write_bytes(logged[0])
    log.write_bytes(spoil(logged[1]))
    for number in (1, 2):
        with publication(database) as turn:
            turn.begin().execute(f"create table made_{number} (i int)")
            turn.commit()
        assert not log.exists()
        with open_reader(database) as connection:
            assert connection.rows("select min(version) from state") == [(1,)]


def test_a_log_without_its_database_is_moved_aside_by_the_next_build(
    logged: tuple[bytes, bytes], tmp_path: Path
) -> None:
    """Deleting a database and leaving its log is what moving the database away amounts to."""
    config = write_project(tmp_path, {"models/m.sql": "select 1 as i"})
    log = tmp_path / "small.duckdb.wal"
    log.write_bytes(logged[1])
    assert build(config).exit_code == 0
    assert not log.exists()
    assert (tmp_path / "small.duckdb.wal.1").read_bytes() == logged[1]
    assert rows(config.database, "from m") == [(1,)]
    assert build(config).results == ()


def test_a_log_of_another_database_is_named_with_a_cure_that_works(
    logged: tuple[bytes, bytes], tmp_path: Path
) -> None:
    database = tmp_path / "genre.duckdb"
    publish(database, 5)
    log = tmp_path / "genre.duckdb.wal"
    for content in (logged[1], logged[1][:-200] + b"\xff" * 10 + logged[1][-190:]):
        log.write_bytes(content)
        with pytest.raises(DatabaseCorruptError, match=r"genre\.duckdb\.wal .*; move it away") as caught:
            publish(database, 6)
        assert caught.value.exit_code == 6
        with pytest.raises(DatabaseCorruptError, match="move it away"), open_reader(database):
            pass
        log.unlink()
        publish(database, 5)
        assert version(database) == 5
