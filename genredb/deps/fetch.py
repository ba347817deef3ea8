"""Fetches one package of a project: from a git repository, a tarball, a folder, or a hub of releases."""

import contextlib
import hashlib
import json
import os
import re
import shutil
import subprocess
import tarfile
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genredb.errors import ProjectError
from genredb.runner.project.installed import Entry, local_folder
from genredb.runner.project.package import PROJECT_FILE, Package

HUB = "DBT_PACKAGE_HUB_URL"
_AS_IT_WAS = "as it was"
_TIMEOUT = 60  # seconds without an answer
_NUMBERS = re.compile(r"(?P<sign>[<>=]*)\s*(?P<numbers>\d+(\.\d+)*)(?P<pre>[-.\w]*)")


@dataclass(frozen=True)
class Fetched:
    """A package that was fetched: its folder, and the entry of package-lock.yml that fetches it again.

    ``version`` says which one it is. The folder of a local package stays where it is.
    """

    folder: Path
    version: str
    pinned: Mapping[str, Any]


def fetch(entry: Entry, project: Package, installed: Path, scratch: Path) -> Fetched:
    """Fetch a package into a new folder below ``scratch``; ProjectError if it cannot be had.

    ``installed`` is the folder of the installed packages, where one of a hub may lie already.
    """
    place = scratch / hashlib.sha256(repr(entry).encode()).hexdigest()[:16]
    if entry.source == "local":
        return Fetched(local_folder(entry, project), "", {"local": entry.where})
    if entry.source == "git":
        return _cloned(entry, place)
    if entry.source == "tarball":
        folder = _unpacked(entry, entry.where, place)
        return Fetched(folder, "", {"tarball": entry.unrendered["tarball"]})
    if entry.source == "package":
        return _released(entry, project, installed, place)
    what = f"genredb cannot install the private package {entry.where}"
    raise ProjectError(what, place=entry.path, cure="list its repository as `git:`")


def refuse_differing(entry: Entry, first: Entry, version: str) -> None:
    """Raise ProjectError if a package is asked for again, but not as the version that was fetched."""
    if entry.source == first.source == "package":
        is_same = version == _AS_IT_WAS or all(_fits(version, one) for one in _specifiers(entry))
    else:
        keys = ("revision", "subdirectory")
        is_same = [entry.content.get(key) for key in keys] == [first.content.get(key) for key in keys]
    if not is_same:
        what = f"{entry.where} is asked for as another version than in {first.path}, which is {version}"
        raise ProjectError(what, place=entry.path)


def _cloned(entry: Entry, place: Path) -> Fetched:
    """Clone a repository and check out its ``revision:``."""
    revision = str(entry.content.get("revision") or "HEAD")
    _git(entry, "clone", "--quiet", "--", entry.where, str(place))
    commit = _commit(entry, place, revision)
    _git(entry, "-C", str(place), "checkout", "--quiet", "--detach", commit)
    subdirectory = str(entry.content.get("subdirectory") or "")
    folder = place / subdirectory
    if not folder.resolve().is_relative_to(place.resolve()) or not (folder / PROJECT_FILE).is_file():
        where = f"{entry.where}/{subdirectory}" if subdirectory else entry.where
        raise ProjectError(f"{where} has no {PROJECT_FILE} at {revision}", place=entry.path)
    shutil.rmtree(place / ".git")
    pinned = {"git": entry.unrendered["git"], "revision": commit}
    pinned |= {"subdirectory": subdirectory} if subdirectory else {}
    return Fetched(folder, commit[:12] if revision == "HEAD" else revision, pinned)


def _commit(entry: Entry, place: Path, revision: str) -> str:
    """Return the commit that a tag, a branch or the beginning of a commit's name means."""
    for name in (revision, f"origin/{revision}"):
        with contextlib.suppress(ProjectError):
            stated = f"{name}^{{commit}}"
            return _git(entry, "-C", str(place), "rev-parse", "--verify", "--end-of-options", stated).strip()
    raise ProjectError(f"{entry.where} has no revision '{revision}'", place=entry.path)


def _git(entry: Entry, *arguments: str) -> str:
    """Run git without questions; ProjectError with the last line of what it said if it fails."""
    environment = {**os.environ, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    try:
        done = subprocess.run(
            ["git", *arguments], env=environment, capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        raise ProjectError(
            f"{entry.where} needs git, which is not installed", place=entry.path, cure="install git"
        ) from None
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["git failed"])[-1]
        raise ProjectError(f"{entry.where} cannot be fetched: {said}", place=entry.path)
    return done.stdout


def _released(entry: Entry, project: Package, installed: Path, place: Path) -> Fetched:
    """Fetch the newest release in a hub that fits; without a hub, take what is installed already."""
    hub = os.environ.get(HUB)
    if hub:
        releases = _releases(entry, hub)
        version = _newest(entry, list(releases))
        folder = _unpacked(entry, str(releases[version]["downloads"]["tarball"]), place)
        return Fetched(folder, version, {"package": entry.where, "version": version})
    own = installed / entry.name
    if (own / PROJECT_FILE).is_file():
        shutil.copytree(own, place, symlinks=True)
        stated = {"package": entry.where, "version": entry.content.get("version")}
        return Fetched(place, _AS_IT_WAS, stated)
    shown = own.relative_to(project.root) if own.is_relative_to(project.root) else own
    wanted = ", ".join(_specifiers(entry)) or "any version"
    raise ProjectError(
        f"{entry.where} ({wanted}) is a package of a hub, whose address {HUB} does not give",
        place=entry.path,
        cure=f"unpack its release so that {shown}/{PROJECT_FILE} exists, or list its repository as `git:`",
    )


def _releases(entry: Entry, hub: str) -> Mapping[str, Any]:
    url = f"{hub.rstrip('/')}/api/v1/{entry.where}.json"
    try:
        releases: Mapping[str, Any] = json.loads(_read(entry, url))["versions"]
    except (ValueError, KeyError, TypeError):
        raise ProjectError(f"{url} is no list of releases", place=entry.path) from None
    return releases


def _newest(entry: Entry, versions: list[str]) -> str:
    """Return the newest version that all specifiers allow; ProjectError if there is none."""
    wants_early = bool(entry.content.get("install-prerelease") or entry.content.get("install_prerelease"))
    stated = _specifiers(entry)
    fitting = [
        version
        for version in versions
        if all(_fits(version, specifier) for specifier in stated)
        and (wants_early or "-" not in version or version in stated)
    ]
    if not fitting:
        wanted = ", ".join(stated)
        raise ProjectError(
            f"no release of {entry.where} is {wanted}", place=entry.path, name=wanted, choices=versions
        )
    return max(fitting, key=_order)


def _specifiers(entry: Entry) -> list[str]:
    stated = entry.content.get("version") or []
    listed = stated if isinstance(stated, list) else [stated]
    return [part.strip() for one in listed for part in str(one).split(",") if part.strip()]


def _fits(version: str, specifier: str) -> bool:
    """Return True if a version is what ``>=1.0.0``, ``<2.0.0`` or ``=1.1.1`` allows."""
    found = _NUMBERS.fullmatch(specifier)
    if found is None:
        return False
    this, other = _order(version), _order(found["numbers"] + found["pre"])
    return {
        ">=": this >= other,
        "<=": this <= other,
        ">": this > other,
        "<": this < other,
    }.get(found["sign"], this == other)


def _order(version: str) -> tuple[tuple[int, ...], bool, str]:
    """Return what versions are ordered by: an early one, such as 1.0.0-rc1, comes before its release."""
    numbers, dash, early = version.removeprefix("v").partition("-")
    return tuple(int(part) if part.isdigit() else 0 for part in numbers.split(".")), not dash, early


def _unpacked(entry: Entry, url: str, place: Path) -> Path:
    """Download an archive and unpack it; return the folder in it that has a dbt_project.yml."""
    place.mkdir()
    archive = place / "package.tar.gz"
    archive.write_bytes(_read(entry, url))
    try:
        with tarfile.open(archive) as packed:
            packed.extractall(place / "package", filter="data")
    except (tarfile.TarError, OSError) as error:
        raise ProjectError(f"{url} cannot be unpacked: {error}", place=entry.path) from None
    folders = [place / "package", *sorted((place / "package").iterdir())]
    found = next((folder for folder in folders if (folder / PROJECT_FILE).is_file()), None)
    if found is None:
        raise ProjectError(f"{url} has no {PROJECT_FILE}", place=entry.path)
    return found


def _read(entry: Entry, url: str) -> bytes:
    """Return what an address holds; ProjectError if it cannot be read."""
    if not url.startswith(("https://", "http://", "file://")):
        raise ProjectError(f"{url} is no address of a file", place=entry.path)
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT) as answer:
            content: bytes = answer.read()
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        raise ProjectError(f"{url} cannot be read: {reason}", place=entry.path) from None
    return content
