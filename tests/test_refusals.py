"""A full disk, a limit and short memory are said as what they are, never as a damaged database."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from genredb.errors import GenredbError, ResourceError
from genredb.warehouse.duckdb_errors import noticed_damage, query_errors, sql_errors, translated_errors
from tests.conftest import ROOT
from tests.forked_cli import Ran
from tests.project_files import BASE, write_project

NO_SPACE = 'Could not write file "/a/genre.duckdb": No space left on device'
IN_JSON = NO_SPACE.replace('"', '\\"')
IN_JSON_TWICE = IN_JSON.replace("\\", "\\\\\\")

REFUSALS = [
    (duckdb.IOException(f"IO Error: {NO_SPACE}"), "genre.duckdb: No space left on device; free some space"),
    (
        duckdb.IOException(
            f'IO Error: {{"exception_type":"IO","exception_message":"{IN_JSON}","errno":"28"}}'
        ),
        "/a/genre.duckdb: No space left on device; free some space and try again.",
    ),
    (
        duckdb.IOException(
            f'IO Error: {{"exception_message":"Async write failed: {{\\"m\\":\\"{IN_JSON_TWICE}\\"}}"}}'
        ),
        "/a/genre.duckdb: No space left on device; free some space and try again.",
    ),
    (
        duckdb.FatalException(
            f'FATAL Error: {{"exception_message":"Failed to create checkpoint: {IN_JSON}"}}'
        ),
        "/a/genre.duckdb: No space left on device; free some space and try again.",
    ),
    (
        duckdb.TransactionException(f"TransactionContext Error: Failed to commit: {NO_SPACE}"),
        "/a/genre.duckdb: No space left on device; free some space and try again.",
    ),
    (
        duckdb.IOException('IO Error: Cannot open file "/a/x.csv": Permission denied'),
        "/a/x.csv: Permission denied.",
    ),
    (
        duckdb.FatalException(
            "FATAL Error: Failed: Out of Memory Error: could not allocate block of size 9 KiB"
        ),
        "Out of memory (could not allocate block of size 9 KiB).",
    ),
    (
        duckdb.FatalException(
            "FATAL Error: Failed: Out of Memory Error: could not allocate block of size 9 KiB (1.9 GiB/1.9 GiB used)"
        ),
        "DuckDB reached its memory limit of 1.9 GiB;"
        " raise --memory-limit, or `memory_limit` under `settings:` in profiles.yml.",
    ),
]


@pytest.mark.parametrize(("error", "sentence"), REFUSALS, ids=[type(error).__name__ for error, _ in REFUSALS])
def test_whatever_the_class_of_the_error_its_cause_is_said(error: duckdb.Error, sentence: str) -> None:
    path = Path("/a/genre.duckdb")
    for translated in (translated_errors(path), noticed_damage(path), sql_errors("select 1"), query_errors()):
        with pytest.raises(ResourceError) as caught, translated:
            raise error
        assert sentence in str(caught.value)
        assert caught.value.exit_code == 3


def test_a_failure_of_duckdb_itself_is_not_called_damage() -> None:
    """A cure that moves a sound database away would lose what it holds."""
    path = Path("/a/genre.duckdb")
    for inner in (sql_errors("select 1"), query_errors()):
        raised = pytest.raises(GenredbError, match=r"DuckDB failed .index 0.*`genredb doctor` says")
        with raised as caught, noticed_damage(path), inner:
            raise duckdb.InternalException("INTERNAL Error: index 0 of vector of size 0")
        assert caught.value.exit_code == 3


def limited(command: str, folder: Path) -> Ran:
    done = subprocess.run(
        ["sh", "-c", command.replace("genredb", f"exec {sys.executable} -m genredb")],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


def write_large_project(folder: Path) -> None:
    write_project(
        folder, {"models/m.sql": "{{ config(materialized='table') }} select random() as r from range(500000)"}
    )


def test_a_build_that_may_not_write_so_much_says_so_and_leaves_nothing(tmp_path: Path) -> None:
    write_large_project(tmp_path)
    done = limited("ulimit -f 1500; genredb build -q", tmp_path)
    assert done.code == 3, done.err
    assert "File too large; let files grow larger" in done.err
    assert not list(tmp_path.glob("*small.duckdb")) + list(tmp_path.glob(".*genredb*"))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 4 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = shutil.which("mount") and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if not mounted or mounted.returncode:
        pytest.skip("no small disk can be mounted here: that takes Linux and root")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.slow
def test_a_full_disk_is_said_to_be_full(small_disk: Path) -> None:
    """By builds, exports and queries; the last good state stays, and works when there is room again."""
    write_project(small_disk, {"models/s.sql": "select 1 as i"})
    assert limited("genredb build -q", small_disk).code == 0
    write_large_project(small_disk)
    for command in (
        "genredb build -q",
        'genredb query "select random() from range(500000)" -o x.csv',
        'genredb query "select random() from range(500000)" -o x.parquet',
    ):
        done = limited(command, small_disk)
        assert done.code == 3, done.err
        assert "No space left on device" in done.err
        assert "{" not in done.err
        assert "damaged" not in done.err
        assert {path.name for path in small_disk.iterdir()} <= {
            *BASE,
            "models",
            "small.duckdb",
            "small.duckdb.lock",
            "target",
        }
    (small_disk / "models" / "m.sql").unlink()
    assert limited("genredb build -q", small_disk).code == 0
