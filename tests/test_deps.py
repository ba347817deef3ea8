"""``genredb deps``: packages from repositories, archives, folders and a hub; the lock; what goes wrong."""

import json
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest
import yaml

from genredb.deps.install import Dependency, install
from genredb.errors import ProjectError
from genredb.runner.project.config import Settings, read_own_package
from tests.project_files import compiled, model_of

PROJECT = "name: small\n"
needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def deps(folder: Path, packages: str, *, is_upgrade: bool = False) -> list[Dependency]:
    write(folder, {"dbt_project.yml": PROJECT, "packages.yml": f"packages: {packages}"})
    package, target = read_own_package(Settings(project_dir=folder))
    return install(package, target, {}, is_upgrade=is_upgrade)


def a_package(folder: Path, value: str, name: str = "tools") -> Path:
    macro = f"{{% macro value() %}}{value}{{% endmacro %}}"
    return write(folder, {"dbt_project.yml": f"name: {name}", "macros/m.sql": macro})


def value_of(folder: Path, name: str = "tools") -> str:
    files = {"models/m.sql": f"select {{{{ {name}.value() }}}} as x"}
    return model_of(compiled(folder, files), "m").sql.split()[1]


def locked(folder: Path) -> list[dict[str, str]]:
    entries: list[dict[str, str]] = yaml.safe_load((folder / "package-lock.yml").read_text())["packages"]
    return entries


def git(folder: Path, *arguments: str) -> str:
    who = ["-c", "user.name=Test", "-c", "user.email=test@example.org", "-c", "init.defaultBranch=main"]
    done = subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with two commits, of which the first has the tag 1.0."""
    folder = a_package(tmp_path / "tools.git", "1")
    git(folder, "init", "--quiet")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "-m", "one")
    git(folder, "tag", "1.0")
    a_package(folder, "2")
    git(folder, "commit", "--quiet", "-a", "-m", "two")
    return folder


@needs_git
def test_a_repository_is_installed_at_its_revision(tmp_path: Path, repository: Path) -> None:
    project = tmp_path / "project"
    (found,) = deps(project, f"[{{git: {repository}, revision: '1.0'}}]")
    assert found == Dependency("tools", "git", str(repository), "1.0")
    assert value_of(project) == "1"
    assert not (project / "dbt_packages" / "tools" / ".git").exists()
    commit = git(repository, "rev-parse", "1.0")
    assert locked(project) == [{"git": str(repository), "revision": commit, "name": "tools"}]


@needs_git
def test_the_lock_holds_until_packages_yml_changes_or_an_upgrade(tmp_path: Path, repository: Path) -> None:
    project, newest = tmp_path / "project", f"[{{git: {repository}}}]"
    deps(project, newest)
    assert value_of(project) == "2"
    a_package(repository, "3")
    git(repository, "commit", "--quiet", "-a", "-m", "three")
    deps(project, newest)
    assert value_of(project) == "2"
    deps(project, newest, is_upgrade=True)
    assert value_of(project) == "3"
    deps(project, f"[{{git: {repository}, revision: '1.0'}}]")
    assert value_of(project) == "1"


@needs_git
@pytest.mark.parametrize("revision", ["2.0", "--help"])
def test_a_revision_that_does_not_exist_leaves_all_as_it_was(
    tmp_path: Path, repository: Path, revision: str
) -> None:
    project = tmp_path / "project"
    deps(project, f"[{{git: {repository}}}]")
    before = (project / "package-lock.yml").read_text()
    with pytest.raises(ProjectError, match=r"^packages.yml: .*tools.git has no revision '"):
        deps(project, f"[{{git: {repository}, revision: '{revision}'}}]")
    assert value_of(project) == "2"
    assert (project / "package-lock.yml").read_text() == before
    assert [path.name for path in project.iterdir() if "genredb" in path.name] == []


@needs_git
def test_a_package_in_a_folder_of_a_repository(tmp_path: Path) -> None:
    repository = tmp_path / "many"
    a_package(repository / "dbt" / "tools", "7")
    git(repository, "init", "--quiet")
    git(repository, "add", ".")
    git(repository, "commit", "--quiet", "-m", "one")
    project = tmp_path / "project"
    deps(project, f"[{{git: {repository}, subdirectory: dbt/tools}}]")
    assert value_of(project) == "7"
    for wrong in ("dbt", "../elsewhere"):
        with pytest.raises(ProjectError, match=r"has no dbt_project.yml at HEAD\.$"):
            deps(project, f"[{{git: {repository}, subdirectory: {wrong}}}]")


@needs_git
def test_the_lock_has_what_packages_ask_for_in_turn(tmp_path: Path, repository: Path) -> None:
    other = a_package(tmp_path / "other", "5", "other")
    stated = f"[{{git: {repository}, revision: '1.0'}}]"
    write(other, {"packages.yml": f"packages: {stated}"})
    project, wanted = tmp_path / "project", f"[{{local: ../other}}, {stated[1:-1]}]"
    for _ in range(2):  # the second time as the lock pins it
        assert [one.name for one in deps(project, wanted)] == ["other", "tools"]


@needs_git
def test_one_package_as_two_revisions_is_an_error(tmp_path: Path, repository: Path) -> None:
    other = a_package(tmp_path / "other", "5", "other")
    write(other, {"packages.yml": f"packages: [{{git: {repository}, revision: '1.0'}}]"})
    with pytest.raises(ProjectError, match="is asked for as another version than in packages.yml"):
        deps(tmp_path / "project", f"[{{git: {repository}}}, {{local: ../other}}]")


def archive(folder: Path, file: Path, name: str = "tools-1.0") -> str:
    with tarfile.open(file, "w:gz") as packed:
        packed.add(folder, arcname=name)
    return file.as_uri()


def test_an_archive_is_unpacked(tmp_path: Path) -> None:
    url = archive(a_package(tmp_path / "tools", "4"), tmp_path / "tools.tar.gz")
    project = tmp_path / "project"
    deps(project, f"[{{tarball: '{url}', name: tools}}]")
    assert value_of(project) == "4"
    assert locked(project) == [{"tarball": url, "name": "tools"}]


def test_an_archive_writes_nothing_outside_of_its_folder(tmp_path: Path) -> None:
    url = archive(a_package(tmp_path / "tools", "4"), tmp_path / "tools.tar.gz", "../../../out")
    with pytest.raises(ProjectError, match="cannot be unpacked"):
        deps(tmp_path / "project", f"[{{tarball: '{url}', name: tools}}]")


def test_local_packages_are_linked_with_those_that_they_list(tmp_path: Path) -> None:
    a_package(tmp_path / "tools", "1")
    write(a_package(tmp_path / "more", "2", "more"), {"packages.yml": "packages: [{local: ../tools}]"})
    project = tmp_path / "project"
    assert [one.name for one in deps(project, "[{local: ../more}]")] == ["more", "tools"]
    assert value_of(project) == "1"
    assert (project / "dbt_packages" / "more").readlink() == tmp_path / "more"


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A hub with three releases of the package acme/tools, one of them early."""
    versions = {}
    for version in ("0.9.0", "1.10.0", "1.9.0", "2.0.0-rc1"):
        folder = a_package(tmp_path / "releases" / version, f"'{version}'")
        url = archive(folder, tmp_path / f"{version}.tar.gz")
        versions[version] = {"downloads": {"tarball": url}}
    write(tmp_path / "hub", {"api/v1/acme/tools.json": json.dumps({"versions": versions})})
    monkeypatch.setenv("DBT_PACKAGE_HUB_URL", (tmp_path / "hub").as_uri())
    return tmp_path


@pytest.mark.parametrize(
    ("stated", "taken"),
    [
        ("'>=0.9.0,<2.0.0'", "1.10.0"),
        ("['>=0.9.0', '<1.10.0']", "1.9.0"),
        ("0.9.0", "0.9.0"),
        ("'>1.9.0', install-prerelease: true", "2.0.0-rc1"),
        ("'>1.9.0'", "1.10.0"),
    ],
)
def test_the_newest_release_that_fits_is_taken(hub: Path, stated: str, taken: str) -> None:
    project = hub / "project"
    deps(project, f"[{{package: acme/tools, version: {stated}}}]")
    assert value_of(project) == f"'{taken}'"
    assert locked(project) == [{"package": "acme/tools", "version": taken, "name": "tools"}]


def test_no_release_that_fits_is_an_error(hub: Path) -> None:
    with pytest.raises(ProjectError, match=r"^packages.yml: no release of acme/tools is >=3\.0\."):
        deps(hub / "project", "[{package: acme/tools, version: '>=3.0'}]")


def test_without_a_hub_it_says_what_to_put_where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DBT_PACKAGE_HUB_URL", raising=False)
    project, stated = tmp_path / "project", "[{package: acme/tools, version: ['>=1.0', '<2.0']}]"
    with pytest.raises(ProjectError) as raised:
        deps(project, stated)
    assert str(raised.value) == (
        "packages.yml: acme/tools (>=1.0, <2.0) is a package of a hub, whose address DBT_PACKAGE_HUB_URL does"
        " not give; unpack its release so that dbt_packages/tools/dbt_project.yml exists, or list its"
        " repository as `git:`."
    )
    a_package(project / "dbt_packages" / "tools", "6")
    deps(project, stated)
    assert value_of(project) == "6"


def test_a_private_package_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="cannot install the private package acme/tools; list its repos"):
        deps(tmp_path / "project", "[{private: acme/tools}]")
