"""Installs the packages of a project into dbt_packages/, and writes package-lock.yml as dbt does.

A package comes from a git repository, a tarball, a folder, or a hub: an index of releases, whose address
DBT_PACKAGE_HUB_URL gives. All are fetched before any is replaced.
"""

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from genredb.deps.fetch import Fetched, fetch, refuse_differing
from genredb.drafts import draft_of, leftovers, sweep
from genredb.errors import ProjectError
from genredb.runner.artifacts.files import write_artifact
from genredb.runner.project.files import parse_yaml, read_text
from genredb.runner.project.installed import Entry, install_folder, listed, read_entries
from genredb.runner.project.package import Package, package_of, read_stated

_FETCHED, _REPLACED = ".fetched", ".replaced"
LOCK = "package-lock.yml"
_HASH = "sha1_hash"
# What dbt's digest of packages.yml has of an entry, besides where it comes from.
_HASHED: Mapping[str, Sequence[str]] = {
    "git": ("revision", "subdirectory", "warn-unpinned"),
    "package": ("version",),
    "tarball": ("name",),
}


@dataclass(frozen=True)
class Dependency:
    """An installed package: its name, where it comes from, and its version if that says more."""

    name: str
    source: str
    where: str
    version: str


def install(
    project: Package,
    target: Mapping[str, Any],
    variables: Mapping[str, Any],
    *,
    is_upgrade: bool = False,
    report: Callable[[Dependency], None] = lambda _: None,
) -> list[Dependency]:
    """Install the packages that a project and its packages ask for; report each.

    What package-lock.yml pins is installed as it pins it, unless packages.yml changed since or
    ``is_upgrade``. ProjectError if a package cannot be had; then the installed ones stay as they were.
    """
    wanted = read_entries(project, target, variables, [])
    stated_hash = _hash_of(wanted)
    locked = None if is_upgrade else _locked(project, stated_hash)
    folder = install_folder(project)
    sweep(leftovers(folder.parent, folder.name))
    draft = draft_of(folder)
    installation = _Installation(project, folder, draft, report)
    try:
        (draft / _FETCHED).mkdir(parents=True)
        if locked is None:
            installation.add_all(wanted, target, variables)
        else:
            for entry in locked:
                installation.add(entry)
        shutil.rmtree(draft / _FETCHED)
        _swap(draft, folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    pins = [{**fetched.pinned, "name": name} for name, fetched in installation.fetched.items()]
    write_artifact(
        project.root / LOCK, yaml.safe_dump({"packages": pins, _HASH: stated_hash}, sort_keys=False)
    )
    return installation.done


class _Installation:
    """Fetches packages into a draft of dbt_packages/."""

    def __init__(
        self, project: Package, folder: Path, draft: Path, report: Callable[[Dependency], None]
    ) -> None:
        self._project = project
        self._folder = folder
        self._draft = draft
        self._report = report
        self._asked: dict[str, tuple[Entry, str]] = {}  # by where it comes from, with its version
        self.fetched: dict[str, Fetched] = {}
        self.done: list[Dependency] = []

    def add_all(
        self, wanted: Sequence[Entry], target: Mapping[str, Any], variables: Mapping[str, Any]
    ) -> None:
        """Fetch packages, and what they ask for in turn."""
        waiting = list(wanted)
        while waiting:
            entry = waiting.pop(0)
            where = entry.where.removesuffix(".git")
            if where in self._asked:
                refuse_differing(entry, *self._asked[where])
                continue
            folder, version = self.add(entry)
            self._asked[where] = entry, version
            package = package_of(read_stated(folder, folder), target, variables)
            waiting += read_entries(package, target, variables, [])

    def add(self, entry: Entry) -> tuple[Path, str]:
        """Fetch one package; return its folder in the draft and its version."""
        fetched = fetch(entry, self._project, self._folder, self._draft / _FETCHED)
        stated = read_stated(fetched.folder, fetched.folder)
        if stated.name in (*self.fetched, self._project.name):
            raise ProjectError(f"several packages are called '{stated.name}'", place=entry.path)
        own = self._draft / stated.name
        if entry.source == "local":
            own.symlink_to(fetched.folder, target_is_directory=True)
        else:
            fetched.folder.rename(own)
        self.fetched[stated.name] = fetched
        self.done.append(Dependency(stated.name, entry.source, entry.where, fetched.version))
        self._report(self.done[-1])
        return own, fetched.version


def _swap(draft: Path, folder: Path) -> None:
    """Put the draft in the place of the installed packages."""
    if folder.is_symlink():
        folder.unlink()
    if folder.exists():
        folder.rename(draft / _REPLACED)
        draft.rename(folder)
        shutil.rmtree(folder / _REPLACED)
    else:
        draft.rename(folder)


def _hash_of(wanted: list[Entry]) -> str:
    """Return dbt's digest of what packages.yml asks for, by which both know whether the lock is of it."""
    texts = []
    for entry in wanted:
        keys = {key: entry.content.get(key) for key in _HASHED.get(entry.source, ())}
        stated = {**keys, entry.source: entry.where, "unrendered": entry.unrendered}
        if entry.source == "package":
            is_early = entry.content.get("install-prerelease") or entry.content.get("install_prerelease")
            stated["install_prerelease"] = bool(is_early)
        texts.append(json.dumps(stated, sort_keys=True, default=str))
    return hashlib.sha1("\n".join(sorted(texts)).encode(), usedforsecurity=False).hexdigest()


def _locked(project: Package, stated_hash: str) -> list[Entry] | None:
    """Return what package-lock.yml pins, or None if it is not of what packages.yml asks for now."""
    file = project.root / LOCK
    if not file.is_file():
        return None
    stated = parse_yaml(read_text(file), LOCK)
    return listed(stated, stated, LOCK) if stated.get(_HASH) == stated_hash else None
