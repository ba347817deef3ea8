"""`genredb site`: which folder it writes, that it is whole, and serving it."""

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from genredb.catalog import Catalog
from genredb.errors import UsageError
from genredb.look.site import pages
from genredb.look.site.write import write_site
from genredb.runner.project.config import Config
from tests.conftest import ROOT, Cli
from tests.project_files import write_project


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def written(config: Config, folder: Path) -> dict[str, bytes]:
    with Catalog(config) as catalog:
        write_site(catalog, folder)
    return files_of(folder)


@pytest.mark.slow
def test_the_same_database_gives_the_same_bytes(evaluated: Config, tmp_path: Path) -> None:
    first = written(evaluated, tmp_path / "one")
    assert first == written(evaluated, tmp_path / "two")
    assert first == written(evaluated, tmp_path / "one")  # in the place of the first


@pytest.mark.slow
def test_the_number_of_threads_changes_nothing(evaluated: Config, tmp_path: Path) -> None:
    reports = []
    for threads in (1, 4):
        with Catalog(evaluated) as catalog:
            catalog.connection.engine.execute(f"set threads = {threads}")
            write_site(catalog, tmp_path / "site")
        reports.append(files_of(tmp_path / "site"))
    assert reports[0] == reports[1]


@pytest.mark.slow
def test_pages_that_are_gone_leave_no_file_behind(evaluated: Config, tmp_path: Path) -> None:
    written(evaluated, tmp_path / "site")
    (tmp_path / "site" / "old.html").write_text("of an earlier report")
    assert "old.html" not in written(evaluated, tmp_path / "site")
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


@pytest.mark.parametrize("name", ["", "..", "site/mine.txt"])
def test_a_folder_of_ones_own_is_kept(evaluated: Config, tmp_path: Path, name: str) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "mine.txt").write_text("mine")
    before = files_of(tmp_path)
    for folder in (tmp_path / "site", tmp_path / "site" / name):
        with Catalog(evaluated) as catalog, pytest.raises(UsageError):
            write_site(catalog, folder)
    assert files_of(tmp_path) == before


@pytest.mark.slow
def test_a_report_that_fails_leaves_the_earlier_one(
    evaluated: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = written(evaluated, tmp_path / "site")
    with monkeypatch.context() as patch:
        patch.setitem(pages.PAGES, "broken", pages.Page("Broken", lambda _: 1 / 0))  # type: ignore[arg-type,return-value]
        with Catalog(evaluated) as catalog, pytest.raises(ZeroDivisionError):
            write_site(catalog, tmp_path / "site")
    assert files_of(tmp_path / "site") == before
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


def test_the_command_says_what_it_wrote(cli: Cli, built: Path) -> None:
    done = cli("site", "-o", "report", "--json", cwd=built)
    found = json.loads(done.out)
    assert found == {
        "path": "report/index.html",
        "files": len(files_of(built / "report")),
        "bytes": sum(map(len, files_of(built / "report").values())),
        "is_sample": False,
    }
    assert re.fullmatch(
        r"Wrote report/index.html: \d+ files, \d\.\d MB\.\n", cli("site", "-o", "report", cwd=built).err
    )


def test_a_database_must_have_been_built(cli: Cli, tmp_path: Path) -> None:
    done = cli("site", cwd=tmp_path)
    assert (done.code, done.out) == (2, "")
    assert "genredb build" in done.err
    assert not (tmp_path / "site").exists()


def test_the_sql_shown_is_that_of_the_last_build(cli: Cli, tmp_path: Path) -> None:
    files = {"models/one.sql": "select {{ var('least', 3) }} as least"}
    home = write_project(tmp_path, files).home
    assert cli("build", "--vars", "least: 7", cwd=home).code == 0
    assert cli("site", cwd=home).code == 0
    [page] = (home / "site" / "node").glob("model-*-one.html")
    compiled = re.sub(r"<[^>]*>", "", page.read_text(encoding="utf-8"))
    assert "select 7 as least" in compiled
    assert "select 3 as least" not in compiled


@pytest.mark.slow
def test_it_is_served_until_ctrl_c(built: Path) -> None:
    command = [sys.executable, "-m", "genredb", "site", "-o", "served", "--serve"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, cwd=built, env=environment, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr
        lines = [server.stderr.readline() for _ in range(2)]
        address = lines[1].removeprefix("Serving it at ").removesuffix(" until Ctrl-C.\n")
        with urllib.request.urlopen(address) as answer:
            assert answer.read() == (built / "served" / "index.html").read_bytes()
        server.send_signal(signal.SIGINT)
        assert server.wait(20) == 0
        assert server.stderr.read() == ""
