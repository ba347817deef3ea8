"""Detects that a build has nothing to do without opening the database or rendering templates.

A build that leaves everything up to date writes a receipt to the target folder: it identifies the database
file and has digests of all its inputs. While both still match, there is nothing to do. If the receipt is
missing or does not match, the build only takes the slower path.
"""

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from genredb.drafts import drafts
from genredb.runner.artifacts.files import read_artifact, write_artifact
from genredb.runner.graph.identity import digest
from genredb.runner.project.config import Config
from genredb.version import LAYOUT, __version__

_RECEIPT = "current.json"


@dataclass(frozen=True)
class Receipt:
    """The inputs that a database file was built from.

    ``identity`` is the file's inode, size and change time; ``environment`` names the variables that templates
    use; ``files`` maps the paths of raw files to their sha256, which is empty for an optional file that was
    missing, and of the folders they were found in to that of the names there, since a new one may match a
    pattern; ``warnings`` counts the checks that warn.
    """

    database: str
    identity: list[int]
    inputs: str
    environment: list[str]
    raw_dir: str
    files: dict[str, str]
    warnings: int


def read_receipt(config: Config, files_digest: str) -> Receipt | None:
    """Return the last build's receipt if it still matches; ``files_digest`` covers the project's files."""
    receipt = _read(config)
    if receipt is None:
        return None
    if receipt.identity != _identity(config.database):
        return None
    if receipt.inputs != _inputs(config, files_digest, receipt.environment):
        return None
    if receipt.raw_dir != str(config.raw_dir):
        return None
    holds = all(digest_of(Path(path)) == sha256 for path, sha256 in receipt.files.items())
    return receipt if holds else None


def _read(config: Config) -> Receipt | None:
    """Return the last receipt for this database, whether it still matches or not."""
    content = read_artifact(config.target_dir / _RECEIPT)
    try:
        receipt = Receipt(**content) if content else None
    except TypeError:  # written by another version of genredb
        return None
    return receipt if receipt is not None and receipt.database == str(config.database) else None


def raw_files_changed(config: Config) -> bool:
    """Return True if raw files have changed since the last build, as far as is known.

    Files older than the database are not read. The raw folder is that of the last build, even if the next one
    would use another.
    """
    receipt = _read(config)
    if receipt is None or not config.database.exists():
        return False
    built_at = config.database.stat().st_mtime_ns
    files = [(Path(path), sha256) for path, sha256 in receipt.files.items()]
    newer = [
        (path, sha256)
        for path, sha256 in files
        if path.is_dir() or (path.is_file() and (not sha256 or path.stat().st_mtime_ns > built_at))
    ]
    return any(digest_of(path) != sha256 for path, sha256 in newer)


def digest_of(path: Path) -> str:
    """Return the sha256 of a file, or of the names in a folder, or an empty string if it does not exist."""
    if path.is_dir():
        return digest(json.dumps(sorted(one.name for one in path.iterdir())))
    if not path.is_file():
        return ""
    from genredb.warehouse.rawfile import file_digest  # noqa: PLC0415 - a query seldom needs it

    return file_digest(path)


def write_receipt(
    config: Config, files_digest: str, environment: Iterable[str], files: Mapping[Path, str], warnings: int
) -> None:
    """Record that the database file matches the project and these raw files and folders."""
    identity = _identity(config.database)
    if identity is None:
        return
    names = list(environment)
    receipt = Receipt(
        str(config.database),
        identity,
        _inputs(config, files_digest, names),
        names,
        str(config.raw_dir),
        {str(path): sha256 for path, sha256 in files.items()},
        warnings,
    )
    write_artifact(config.target_dir / _RECEIPT, json.dumps(asdict(receipt)))


def _identity(database: Path) -> list[int] | None:
    """Return what identifies one state of the file, or None if it is missing.

    Also None if a writer is running or was interrupted: its copy or its log lies beside the file.
    """
    try:
        stat = database.stat()
    except OSError:
        return None
    if drafts(database.parent, database.name) or database.with_name(f"{database.name}.wal").exists():
        return None
    return [stat.st_ino, stat.st_size, stat.st_mtime_ns]


def _inputs(config: Config, files_digest: str, environment: Iterable[str]) -> str:
    """Return one digest of everything that can change a build, except the contents of raw files."""
    return digest(
        __version__,
        LAYOUT,
        config.name,
        files_digest,
        json.dumps([config.vars_of(one.name) for one in config.packages], sort_keys=True, default=str),
        json.dumps({name: os.environ.get(name) for name in environment}),
        json.dumps(config.target["name"]),
        json.dumps(config.profile.settings, sort_keys=True, default=str),
        config.schema,
        str(config.is_sample),
        str(config.settings.is_empty),
    )
