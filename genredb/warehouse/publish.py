"""Publishes a new state of the database file atomically, even if the process dies at any moment.

A writer works on a copy in its own folder next to the file and replaces the file with one ``os.replace``.
Readers are never blocked and never see a partial state; a new reader sees the last published state.
``NAME.lock`` admits one writer at a time. A read-only connection to the published file keeps other
programs from writing, because the replacement would lose their changes; if one replaced the file all the
same, its file is kept.
"""

import contextlib
import itertools
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NoReturn

import filelock

from genredb.drafts import draft_of, leftovers, sweep
from genredb.errors import DatabaseLockedError
from genredb.warehouse.connection import Connection
from genredb.warehouse.database import connect, connect_read_only, spill_folder
from genredb.warehouse.duckdb_errors import noticed_damage, write_ahead_log
from genredb.warehouse.refusals import refusal
from genredb.warehouse.settings import SetUp


class Publication:
    """A writer's session on the database file, created by :func:`publication`.

    ``current`` reads the published state (None if there is no file yet). ``begin()`` returns a connection to
    a private copy; ``commit()`` publishes the copy. Without a commit nothing changes. ``set_aside`` is where
    a write-ahead log that does not belong to the file was moved, if there was one.
    """

    def __init__(self, database: Path, engine: Sequence[SetUp] = ()) -> None:
        self.database = database
        self._engine = engine
        self.current: Connection | None = None
        self.set_aside: Path | None = None
        self._folder = draft_of(database)  # DuckDB spills into it, too
        self._staging = self._folder / database.name
        self._published: tuple[int, ...] | None = None
        self._connection: Connection | None = None

    def hold(self) -> None:
        """Open the published file for reading, which also keeps other programs from writing to it."""
        self.set_aside = _checkpoint_foreign_wal(self.database) or self.set_aside
        if self.database.exists():
            self.current = connect_read_only(self.database, self._engine)
        self._published = _identity(self.database)

    @property
    def published(self) -> str:
        """The identity of the published state, whoever wrote it; empty if there is no file."""
        return " ".join(map(str, self._published or ()))

    def begin(self, other: Path | None = None) -> Connection:
        """Return a connection to a private copy of the published state, or to an empty one if there is none.

        If ``other``, the path of a state kept aside, is given, that is copied instead.
        """
        sweep([self._folder])  # left by an earlier process with the same PID
        self._folder.mkdir(mode=0o700)  # keeps the copy from users who may not read the file
        if other is not None:
            shutil.copyfile(other, self._staging)
        elif self.current is not None:
            self._copy_published()
        self._connection = connect(self._staging, self._engine, copy_of=other or self.database)
        return self._connection

    def _copy_published(self) -> None:
        # Closing any handle on a file drops all of a process's POSIX locks on it, so copying loses the lock.
        # Take it again at once; if the file changed meanwhile, another program wrote it.
        self.release()
        before = self._published
        shutil.copyfile(self.database, self._staging)
        self.hold()
        if self._published != before:
            self._refuse_other_state()

    def commit(self) -> None:
        """Publish the copy of ``begin()`` durably."""
        self._end("commit()")
        _sync(self._staging)
        if _identity(self.database) != self._published:
            self._refuse_other_state()
        os.replace(self._staging, self.database)  # noqa: PTH105 - the one call that must be atomic
        _sync(self.database.parent)
        self.discard()

    def renew(self) -> None:
        """Hold the state published by ``commit()``, so that another ``begin()`` starts from it."""
        self.release()
        self.hold()

    def _refuse_other_state(self) -> NoReturn:
        raise DatabaseLockedError(
            f"{self.database} was written by another process just now", cure="try again"
        )

    def keep(self, aside: Path) -> None:
        """Move the copy of ``begin()`` to ``aside`` instead of publishing it."""
        self._end("keep()")
        aside.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(self._staging, aside)

    def _end(self, what: str) -> None:
        """Checkpoint and close the copy of ``begin()``, with the permissions of the published file."""
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
        """Close and remove the copy if it was not published."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        shutil.rmtree(self._folder, ignore_errors=True)


@contextlib.contextmanager
def publication(database: Path, engine: Sequence[SetUp] = ()) -> Iterator[Publication]:
    """Start a writer's session; DatabaseLockedError at once if another process is writing."""
    with writers_lock(database):
        turn = Publication(database, engine)
        try:
            turn.hold()
            with noticed_damage(database):
                yield turn
        finally:
            turn.discard()
            turn.release()


def lock_of(database: Path) -> Path:
    """Return the lock file that writers of the database hold."""
    return database.with_name(f"{database.name}.lock")


def leftovers_of(database: Path) -> list[Path]:
    """Return what dead writers and readers left next to the file: copies and DuckDB's spill files."""
    names = (database.name, spill_folder(database).name)
    return [path for name in names for path in leftovers(database.parent, name)]


@contextlib.contextmanager
def writers_lock(database: Path) -> Iterator[list[Path]]:
    """Hold the lock of genredb's writers; yield the leftovers of dead writers that were removed.

    Raises DatabaseLockedError at once if another process has the lock.
    """
    lock_file = lock_of(database)
    lock = filelock.FileLock(lock_file)
    try:
        lock_file.touch()  # without permission this fails clearly; acquire() would report a timeout
        lock.acquire(timeout=0)
    except filelock.Timeout:
        raise DatabaseLockedError(
            f"Another genredb is writing {database}", cure="try again when it is done"
        ) from None
    except OSError as error:
        raise (refusal(error) or error) from None
    try:
        yield sweep(leftovers_of(database))
    finally:
        lock.release()


def _checkpoint_foreign_wal(database: Path) -> Path | None:
    """Checkpoint another program's write-ahead log: next to a replaced file it would make it unreadable.

    If there is no file, or DuckDB leaves the log in place, move the log aside; return its new path.
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
    """Return the identity of a file's state; None if there is no file."""
    try:
        stat = path.stat()
    except FileNotFoundError:
        return None
    return stat.st_ino, stat.st_size, stat.st_mtime_ns


def _sync(path: Path) -> None:
    """Flush a file or folder to disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
