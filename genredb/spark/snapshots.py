"""The warehouse folder of Spark's relations: snapshots of Parquet, one pointer to the published one.

    CURRENT                       the name of the published snapshot
    snap-ID/manifest.json         its relations, in the order in which they were made
    snap-ID/SCHEMA.TABLE/         the rows of a table that was made for it

A table that did not change stays where it is; the manifest of a later snapshot names it there. A reader
resolves CURRENT once, so it sees one snapshot for the time of grace, which starts when that is replaced. What
a task has not finished is in SCHEMA.TABLE/_temporary, also while Spark writes.
"""

import contextlib
import json
import os
import shutil
import time
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import quote

from genredb.drafts import whole_file
from genredb.errors import DatabaseCorruptError

POINTER = "CURRENT"
_MANIFEST = "manifest.json"
_PREFIX = "snap-"
UNFINISHED = "_temporary"  # as Spark names it; neither Spark nor DuckDB reads such a folder
# For this long after it was replaced, a snapshot can still be read.
GRACE_SECONDS = 24 * 60 * 60


@dataclass(frozen=True)
class Stored:
    """A relation: ``columns`` has its DuckDB types; a table has a folder, a view its query.

    ``query`` is that in DuckDB's SQL, ``sql`` in Spark's. A table that is computed, not built, ``reads``
    other relations; ``inputs`` is a digest of their rows.
    """

    schema: str
    name: str
    kind: str
    columns: Mapping[str, str]
    folder: str = ""
    sql: str = ""
    query: str = ""
    mark: str = ""
    reads: Sequence[str] = ()
    inputs: str = ""

    @property
    def qualified_name(self) -> str:
        """``schema.name``."""
        return f"{self.schema}.{self.name}"


def warehouse_of(database: Path) -> Path:
    """Return the folder of Spark's relations that belongs to a ledger; no other ledger has the same."""
    return database.with_name(f"{database.name}.spark")


class Snapshots:
    """The snapshots of one warehouse folder, of which a writer makes one new."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._new = f"{_PREFIX}{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}-{uuid.uuid4().hex[:8]}"
        self._may_be_published = False

    def published(self) -> dict[str, Stored]:
        """Return the relations of the published snapshot, none if there is none."""
        name = self._published_name()
        return self._read(name) if name else {}

    def table_folder(self, schema: str, name: str) -> str:
        """Return a folder for a table of the new snapshot, relative to the warehouse; nothing is in it."""
        folder = f"{self._new}/{quote(f'{schema}.{name}', safe='. ')}"
        shutil.rmtree(self.folder / folder, ignore_errors=True)
        (self.folder / self._new).mkdir(parents=True, exist_ok=True)
        return folder

    def path(self, folder: str) -> Path:
        """Return the path of a table's folder."""
        return self.folder / folder

    def publish(self, relations: Mapping[str, Stored]) -> None:
        """Make the new snapshot the published one, durably, and remove old ones."""
        snapshot = self.folder / self._new
        snapshot.mkdir(parents=True, exist_ok=True)
        for unfinished in snapshot.glob(f"*/{UNFINISHED}"):  # of executors that died
            shutil.rmtree(unfinished, ignore_errors=True)
        content = json.dumps([asdict(one) for one in relations.values()], indent=1)
        _write_whole(snapshot / _MANIFEST, content)
        for path in (*snapshot.rglob("*"), snapshot):
            _sync(path)
        self._start_grace()
        self._may_be_published = True
        _write_whole(self.folder / POINTER, f"{self._new}\n")
        _sync(self.folder)
        self._sweep(relations)

    def discard(self) -> None:
        """Remove what was made for the new snapshot, unless it was published, by now perhaps replaced."""
        if not self._may_be_published:
            shutil.rmtree(self.folder / self._new, ignore_errors=True)

    def _published_name(self) -> str:
        try:
            return (self.folder / POINTER).read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            return ""
        except UnicodeDecodeError:
            return POINTER  # which is no folder: whoever reads its manifest says that it is damaged

    def _read(self, name: str) -> dict[str, Stored]:
        path = self.folder / name / _MANIFEST
        try:
            stated = json.loads(path.read_text(encoding="utf-8"))
            found = [Stored(**one | {"reads": tuple(one.get("reads", ()))}) for one in stated]
        except (FileNotFoundError, NotADirectoryError, ValueError, TypeError) as error:
            cure = f"remove {self.folder / POINTER} and build again"
            raise DatabaseCorruptError(f"{path} is missing or damaged", cure=cure) from error
        return {one.qualified_name: one for one in found}

    def _start_grace(self) -> None:
        """Touch what readers of the published snapshot read, for it is about to be replaced."""
        name = self._published_name()
        read = [one.folder for one in self.published().values() if one.folder]
        for path in (f"{name}/{_MANIFEST}", *read) if name else ():
            with contextlib.suppress(FileNotFoundError):  # damaged; --full-refresh makes it anew
                os.utime(self.folder / path)
                _sync(self.folder / path)

    def _sweep(self, relations: Mapping[str, Stored]) -> None:
        """Remove old tables and manifests after their time of grace, but for tables still read."""
        kept = {self.folder / one.folder for one in relations.values() if one.folder}
        oldest = time.time() - GRACE_SECONDS
        for snapshot in self.folder.glob(f"{_PREFIX}*"):
            # Readers make and remove folders for their answers meanwhile.
            with contextlib.suppress(FileNotFoundError):
                if snapshot.name != self._new:
                    _sweep_snapshot(snapshot, kept, oldest)


def _sweep_snapshot(snapshot: Path, kept: Collection[Path], oldest: float) -> None:
    is_old = snapshot.stat().st_mtime < oldest
    for path in [*snapshot.iterdir()]:
        if path not in kept and _last_written(path) < oldest:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    if is_old and not any(snapshot.iterdir()):
        snapshot.rmdir()


def _write_whole(target: Path, text: str) -> None:
    """Write a file that is never seen in part, not even after a power failure."""
    with whole_file(target) as draft:
        draft.write_text(text, encoding="utf-8")
        _sync(draft)


def _last_written(path: Path) -> float:
    """Return when a table or manifest was last written, or its time of grace started."""
    return max(one.stat().st_mtime for one in (path, *path.rglob("*")))


def _sync(path: Path) -> None:
    """Flush a file or folder to disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
