"""The wheel carries the project it ships, and runs in an empty folder without the checkout."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.conftest import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(folder), str(ROOT)], check=True
    )
    (path,) = folder.glob("*.whl")
    return path


def test_the_wheel_carries_sql_seeds_sample_and_yml(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    shipped = [
        path.relative_to(ROOT)
        for pattern in ("sql/**/*.sql", "sql/**/*.yml", "data/seeds/*", "data/sample/*", "*.yml")
        for path in ROOT.glob(pattern)
    ]
    assert len(shipped) > 25
    assert {f"genredb/shipped/{path.as_posix()}" for path in shipped} <= names
    assert not [name for name in names if name.startswith(("tests/", "bench/")) or "data/raw" in name]


def test_the_wheel_runs_in_an_empty_folder(wheel: Path, tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "venv")], check=True)
    binaries = tmp_path / "venv" / "bin"
    subprocess.run([str(binaries / "pip"), "install", "-q", str(wheel)], check=True)
    empty = tmp_path / "empty"
    empty.mkdir()
    for arguments in (["build"], ["predict"], ["export", "-o", "submission.csv"], ["doctor"]):
        done = subprocess.run(
            [str(binaries / "genredb"), *arguments], cwd=empty, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
    assert len((empty / "submission.csv").read_text().splitlines()) == 114
    assert (empty / "genre.duckdb").is_file()
