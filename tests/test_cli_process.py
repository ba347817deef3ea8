"""The command line as a process: imports, pipes, signals, terminals, and what it says of its own bugs."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pexpect
import pytest

from tests.conftest import ROOT


def test_heavy_libraries_are_not_imported_without_need(tmp_path: Path) -> None:
    code = (
        "import sys; from genredb.cli.app import app; import typer.main;"
        "typer.main.get_command(app);"
        "print([n for n in ('duckdb', 'pandas', 'sklearn', 'jinja2', 'sqlglot', 'pyarrow', 'numpy') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout == "[]\n"


def test_a_closed_pipe_is_silent(built: Path) -> None:
    done = subprocess.run(
        f"{sys.executable} -m genredb query --format csv 'select * from range(300000)' | head -n 1;"
        "echo ${PIPESTATUS[0]}",
        shell=True,
        executable="/bin/bash",
        cwd=built,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("range\n0\n", "")


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_build_leaves_nothing(tmp_path: Path, number: int, code: int) -> None:
    subprocess.run(
        [sys.executable, "-m", "genredb", "sample", "--rows", "60000", "-o", "raw"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        check=True,
        capture_output=True,
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "genredb", "build", "--raw-dir", "raw"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
    )
    while not list(tmp_path.glob(".genre.duckdb.genredb-*")) and process.poll() is None:
        time.sleep(0.005)
    time.sleep(0.1)
    process.send_signal(number)
    _, error = process.communicate(timeout=60)
    assert process.returncode == code, error
    assert "Traceback" not in error
    assert {path.name for path in tmp_path.iterdir()} <= {"raw", "genre.duckdb.lock", "target"}


@pytest.mark.slow
def test_colours_and_progress_are_for_terminals(built: Path, tmp_path: Path) -> None:
    shutil.copytree(built / "data", tmp_path / "data")
    environment = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "CI")}
    environment |= {"PYTHONPATH": str(ROOT), "TERM": "xterm-256color"}
    command = f"{sys.executable} -m genredb build --database"
    coloured = in_a_terminal(f"{command} a.duckdb", tmp_path, environment)
    assert "\x1b[32m" in coloured
    assert "Built a.duckdb" in coloured
    bare = in_a_terminal(f"{command} b.duckdb", tmp_path, environment | {"NO_COLOR": "1"})
    assert "\x1b[3" not in bare
    assert "Built b.duckdb" in bare


def in_a_terminal(command: str, folder: Path, environment: dict[str, str]) -> str:
    """What a command writes to a terminal of 120 columns."""
    child = pexpect.spawn(
        command, cwd=str(folder), env=environment, encoding="utf-8", dimensions=(40, 120), timeout=60
    )
    written: str = child.read()
    child.close()
    return written


def test_a_bug_is_called_a_bug(tmp_path: Path) -> None:
    code = (
        "import genredb.runner.build, genredb.cli.app as app; genredb.runner.build.build = None; app.main()"
    )
    for environment, expected in (
        ({}, "This is an internal error; please report it"),
        ({"GENREDB_TRACEBACK": "1"}, "Traceback"),
    ):
        done = subprocess.run(
            [sys.executable, "-c", code, "build"],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert expected in done.stderr
        assert done.returncode == (1 if environment else 70)


@pytest.mark.parametrize(
    ("arguments", "unwanted"),
    [
        (["--help"], "duckdb jinja2 rich pydantic sqlglot sklearn numpy"),
        (["build"], "duckdb jinja2 rich pydantic sqlglot sklearn numpy filelock"),
    ],
)
def test_what_a_command_does_not_need_is_not_imported(
    arguments: list[str], unwanted: str, built: Path
) -> None:
    """A build with nothing to do opens no database; the one before it wrote a receipt."""
    subprocess.run([sys.executable, "-m", "genredb", "build", "-q"], cwd=built, check=True)
    code = (
        "import sys, genredb.cli.app as app\n"
        "try: app.main()\n"
        "except SystemExit as end: print(end.code, *sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=built, capture_output=True, text=True, check=True
    )
    end = done.stderr.splitlines()[-1].split()
    assert end[0] == "0"
    assert not {name.split(".")[0] for name in end} & set(unwanted.split())
