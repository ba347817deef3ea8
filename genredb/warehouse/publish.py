"""Publishing a new state of the database file: all of it or nothing, at whatever moment a process dies.

A writer works on a copy in a folder of its own beside the file, and puts it in the file's place with one
``os.replace``. Readers are never blocked and never see a half-made state; a new reader sees the last
published one. ``NAME.lock`` keeps genredb's writers apart, and a read-only connection to the published
file keeps foreign writers out, whose changes the replacement would otherwise lose; a file that somebody
put there all the same is not replaced.
"""

import contextlib
import itertools
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import filelock

from genredb.drafts import draft_of, leftovers, sweep
from genredb.errors import DatabaseLockedError
from genredb.warehouse.database import Connection, connect, connect_read_only, spill_folder
from genredb.warehouse.duckdb_errors import noticed_damage, write_ahead_log
from genredb.warehouse.refusals import refusal


class Publication:
    """One writer's turn at the database file. Made by :func:`publication`.

    ``current`` reads the published state (None where there is no file yet). ``begin()`` gives the
    connection to change a copy through; ``commit()`` publishes it. Without a commit nothing changes.
    ``set_aside`` is where a write-ahead log was moved that belongs to no state of the file, if one was.
    """

    def __init__(self, database: Path) -> None:
        self.database = database
        self.current: Connection | None = None
        self.set_aside: Path | None = None
        self._folder = draft_of(database)  # what DuckDB spills goes there, too
        self._staging = self._folder / database.name
        self._published: tuple[int, ...] | None = None
        self._connection: Connection | None = None

    def hold(self) -> None:
        """Read the published file, keeping writers that are not genredb out of it."""
        self.set_aside = _settle_wal(self.database) or self.set_aside
        if self.database.exists():
            self.current = connect_read_only(self.database)
        self._published = _identity(self.database)

    @property
    def published(self) -> str:
        """What tells the published state from others, whoever wrote them; empty where there is no file."""
        return " ".join(map(str, self._published or ()))

    def begin(self, other: Path | None = None) -> Connection:
        """Return a connection to a private copy of the published state (empty where there is none).

        The copy is one of ``other`` where that is given: a state that was kept aside.
        """
        sweep([self._folder])  # of an earlier process with this number
        self._folder.mkdir(mode=0o700)  # the copy is nobody's whom the file may not be
        if other is not None:
            shutil.copyfile(other, self._staging)
        elif self.current is not None:
            self._copy_published()
        self._connection = connect(self._staging, copy_of=other or self.database)
        return self._connection

    def _copy_published(self) -> None:
        # Closing any handle on a file drops all of a process's POSIX locks on it, so the copy ends the
        # hold: it is taken up again at once, and a file that changed meanwhile is somebody's write.
        self.release()
        before = self._published
        shutil.copyfile(self.database, self._staging)
        self.hold()
        if self._published != before:
            self._refuse_other_state()

    def commit(self) -> None:
        """Publish what the connection of ``begin()`` has made, durably."""
        self._end("commit()")
        _sync(self._staging)
        if _identity(self.database) != self._published:
            self._refuse_other_state()
        os.replace(self._staging, self.database)  # noqa: PTH105 - the one call that must be atomic
        _sync(self.database.parent)
        self.discard()

    def _refuse_other_state(self) -> NoReturn:
        raise DatabaseLockedError(f"{self.database} was written by another process just now; try again.")

    def keep(self, aside: Path) -> None:
        """Move the copy of ``begin()`` aside instead of publishing it."""
        self._end("keep()")
        aside.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(self._staging, aside)

    def _end(self, what: str) -> None:
        """Close the copy of ``begin()``, whole, for those who may read or write the published file."""
        if self._connection is None:
            raise RuntimeError(f"{what} without begin()")
        self._connection.execute("checkpoint")
        self._connection.close()
        self._connection = None
        if self.database.exists():
            shutil.copymode(self.database, self._staging)

    def release(self) -> None:
        """Close the connection to the published file."""
        if self.current is not None:
            self.current.close()
            self.current = None

    def discard(self) -> None:
        """Close the copy and remove it, if it was not published."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        shutil.rmtree(self._folder, ignore_errors=True)


@contextlib.contextmanager
def publication(database: Path) -> Iterator[Publication]:
    """Take the writer's turn; DatabaseLockedError at once where another process has it."""
    with writers_lock(database):
        turn = Publication(database)
        try:
            turn.hold()
            with noticed_damage(database):
                yield turn
        finally:
            turn.discard()
            turn.release()


def lock_of(database: Path) -> Path:
    """Return the file that whoever writes the database holds a lock on."""
    return database.with_name(f"{database.name}.lock")


def leftovers_of(database: Path) -> list[Path]:
    """Return what writers and readers that died left beside the file: copies, and what DuckDB spilled."""
    names = (database.name, spill_folder(database).name)
    return [path for name in names for path in leftovers(database.parent, name)]


@contextlib.contextmanager
def writers_lock(database: Path) -> Iterator[list[Path]]:
    """Keep other writers of genredb out; give what was swept of those that died.

    DatabaseLockedError at once where another process has the lock.
    """
    lock_file = lock_of(database)
    lock = filelock.FileLock(lock_file)
    try:
        lock_file.touch()  # where that is not permitted, its error says so; a lock would call it taken
        lock.acquire(timeout=0)
    except filelock.Timeout:
        raise DatabaseLockedError(
            f"Another genredb is writing {database}; try again when it is done."
        ) from None
    except OSError as error:
        raise (refusal(error) or error) from None
    try:
        yield sweep(leftovers_of(database))
    finally:
        lock.release()


def _settle_wal(database: Path) -> Path | None:
    """Fold a foreign writer's write-ahead log into the file: beside a replaced file it would brick it.

    Where there is no file, or DuckDB does not take the log for one, it is moved aside; return where to.
    """
    log = write_ahead_log(database)
    if log.exists() and database.exists():
        connection = connect(database)
        try:
            connection.execute("checkpoint")
        finally:
            connection.close()
    if not log.exists():
        return None
    numbered = (log.with_name(f"{log.name}.{number}") for number in itertools.count(1))
    return log.rename(next(path for path in numbered if not path.exists()))


def _identity(path: Path) -> tuple[int, ...] | None:
    """Return what tells one state of a file from another; None where there is no file."""
    try:
        stat = path.stat()
    except FileNotFoundError:
        return None
    return stat.st_ino, stat.st_size, stat.st_mtime_ns


def _sync(path: Path) -> None:
    """Flush a file or folder to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
