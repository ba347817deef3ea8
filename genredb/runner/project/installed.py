"""Finds the packages of a project: those installed in dbt_packages/, and local ones where they stand."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genredb.errors import Notice, Place, ProjectError
from genredb.runner.project.files import parse_yaml, read_text, resolved, text_of
from genredb.runner.project.key_faults import check_keys
from genredb.runner.project.keys import PACKAGES
from genredb.runner.project.package import PACKAGE_FILES, PROJECT_FILE, Package, package_of, read_stated
from genredb.runner.project.yml_jinja import YmlRenderer

# The kinds of packages, by the key that says where one comes from.
SOURCES = ("local", "git", "package", "tarball", "private")


@dataclass(frozen=True)
class Entry:
    """A package that packages.yml or dependencies.yml asks for; ``source`` is its kind, one of SOURCES.

    ``path`` is what messages call that file, ``unrendered`` the entry as it stands there.
    """

    source: str
    where: str
    path: str
    content: Mapping[str, Any]
    unrendered: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Its likely name: the last part of where it comes from."""
        stated = self.content.get("name")
        last = self.where.rstrip("/").rpartition("/")[2].removesuffix(".git")
        return str(stated) if stated else last.replace("-", "_")


@dataclass(frozen=True)
class Installed:
    """The packages found; ``missing`` are the names of those asked for that are not installed."""

    packages: tuple[Package, ...]
    missing: tuple[str, ...]
    notices: tuple[Notice, ...]


def read_installed(project: Package, target: Mapping[str, Any], settings: Mapping[str, Any]) -> Installed:
    """Read the packages of a project; ProjectError if one is invalid or two share a name."""
    notices: list[Notice] = []
    wanted = read_entries(project, target, settings, notices)
    found: dict[str, Package] = {}
    for folder in _installed_folders(project):
        _add(found, folder, project, target, settings)
    waiting = list(wanted)
    while waiting:
        entry = waiting.pop(0)
        if entry.source == "local":
            folder = local_folder(entry, project)
            package = _add(found, folder, project, target, settings)
            waiting += read_entries(package, target, settings, notices) if package else ()
    missing = [entry for entry in wanted if entry.source != "local" and entry.name not in found]
    spare = len([name for name in found if name not in {entry.name for entry in wanted}])
    if missing and all(entry.source != "package" for entry in missing) and spare >= len(missing):
        missing = []  # a repository may be called otherwise than the package in it
    notices += [
        Notice(f"the package {entry.where} is not installed", Place(entry.path), cure="run `genredb deps`")
        for entry in missing
    ]
    return Installed(tuple(found.values()), tuple(entry.name for entry in missing), tuple(notices))


def install_folder(project: Package) -> Path:
    """Return the folder of the installed packages; ProjectError if it is not stated as a path."""
    return project.root / (text_of(project.content, "packages-install-path", project.path) or "dbt_packages")


def read_entries(
    package: Package, target: Mapping[str, Any], settings: Mapping[str, Any], notices: list[Notice]
) -> list[Entry]:
    """Return the packages that a project asks for; notices name keys without effect."""
    found: list[Entry] = []
    for name in PACKAGE_FILES:
        file = package.root / name
        if file.is_file():
            path = f"{package.path.removesuffix(PROJECT_FILE)}{name}"
            text = read_text(file)
            stated = parse_yaml(text, path)
            notices += check_keys(stated, PACKAGES, path, text)
            content = YmlRenderer(settings, target).render(stated, path)
            found += listed(content, stated, path)
    return found


def listed(content: Mapping[str, Any], unrendered: Mapping[str, Any], path: str) -> list[Entry]:
    """Return the entries of ``packages:`` in the file ``path``; ProjectError if one is invalid."""
    entries, stated = content.get("packages") or [], unrendered.get("packages") or []
    if not isinstance(entries, list) or not isinstance(stated, list):
        raise ProjectError("`packages:` should be a list", place=path)
    found: list[Entry] = []
    for entry, as_stated in zip(entries, stated, strict=True):
        source = next((key for key in SOURCES if isinstance(entry, Mapping) and key in entry), None)
        if source is None or not isinstance(entry[source], str):
            kinds = ", ".join(f"`{key}:`" for key in SOURCES)
            raise ProjectError(f"each entry of `packages:` needs one of {kinds}", place=path)
        found.append(Entry(source, entry[source], path, entry, as_stated))
    return found


def local_folder(entry: Entry, project: Package) -> Path:
    """Return the folder of a local package; ProjectError if it is no dbt project."""
    folder = resolved(project.root / entry.where)
    if not (folder / PROJECT_FILE).is_file():
        raise ProjectError(f"the local package {entry.where} has no {PROJECT_FILE}", place=entry.path)
    return folder


def _installed_folders(project: Package) -> list[Path]:
    folder = install_folder(project)
    if not folder.is_dir():
        return []
    return sorted(
        path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(("__", "."))
    )


def _add(
    found: dict[str, Package],
    folder: Path,
    project: Package,
    target: Mapping[str, Any],
    settings: Mapping[str, Any],
) -> Package | None:
    """Read a package and add it, unless it is there already: dbt_packages/ may link to a local one."""
    if not (folder / PROJECT_FILE).is_file():
        raise ProjectError(f"the package {folder} has no {PROJECT_FILE}", cure="run `genredb deps`")
    if any(resolved(folder) == resolved(package.root) for package in found.values()):
        return None
    stated = read_stated(folder, project.root)
    if stated.name == project.name or (stated.name in found and folder.parent == install_folder(project)):
        raise ProjectError(f"several packages are called '{stated.name}'", place=stated.path)
    if stated.name in found:
        return None
    found[stated.name] = package_of(stated, target, settings)
    return found[stated.name]
