"""How the command begins and ends where its surroundings are odd: closed streams, links, signals, no room."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from genredb.cli import prompt
from tests.conftest import ROOT
from tests.project_files import write_project

GENREDB = [sys.executable, "-m", "genredb"]


def environment(*folders: Path) -> dict[str, str]:
    return os.environ | {"PYTHONPATH": os.pathsep.join(map(str, [*folders, ROOT]))}


@pytest.mark.parametrize(
    ("command", "code"),
    [("query 'select 1' >&-", 0), ("query 'from nowhere' <&- >&- 2>&-", 2), ("shell <&-", 0)],
)
def test_a_closed_stream_is_no_error(built: Path, command: str, code: int) -> None:
    done = subprocess.run(
        ["sh", "-c", f"{sys.executable} -m genredb {command}"],
        cwd=built,
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr


def test_a_build_goes_on_when_nobody_reads_its_messages(tmp_path: Path) -> None:
    """As behind ``2>&1 | head -1``: its work is done all the same, and its exit code says how that went."""
    write_project(tmp_path, {"models/one.sql": "select 1 as n", "models/two.sql": "select nothing"})
    for code in (3, 0):
        reader, writer = os.pipe()
        os.close(reader)
        done = subprocess.run(
            [*GENREDB, "build"], cwd=tmp_path, env=environment(), stderr=writer, stdout=writer, check=False
        )
        os.close(writer)
        assert done.returncode == code
        (tmp_path / "models" / "two.sql").write_text("select 2 as n")
    assert (tmp_path / "small.duckdb").exists()


def test_a_link_that_leads_back_to_itself_is_said(built: Path, tmp_path: Path) -> None:
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    for arguments in (["query", "select 1", "--database", loop], ["query", "select 1", "-o", loop]):
        done = subprocess.run(
            [*GENREDB, *map(str, arguments)],
            cwd=built,
            env=environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (2, f"error: {loop} is a link that leads back to itself.\n")


def test_ctrl_c_during_the_imports_is_silent(tmp_path: Path) -> None:
    (tmp_path / "typer.py").write_text("import time\nprint('importing', flush=True)\ntime.sleep(60)\n")
    process = subprocess.Popen(
        [*GENREDB, "ls"],
        cwd=tmp_path,
        env=environment(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "importing\n"
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=30) == ("", "")
    assert process.returncode == 130


def test_workers_end_with_a_parent_that_was_killed() -> None:
    """They would hold its stderr open, so that whoever reads that waits."""
    code = (
        "import time; from joblib import delayed; from genredb.songs.learn.workers import answers_of;"
        "answers = answers_of(delayed(time.sleep)(n) for n in [0, 60, 60, 60]);"
        "next(answers); print('working', flush=True); next(answers)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        env=environment() | {"LOKY_MAX_CPU_COUNT": "2"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "working\n"
    started = time.monotonic()
    process.kill()
    process.communicate(timeout=30)  # ends when all that have its stderr do
    assert time.monotonic() - started < 20


def test_a_history_that_cannot_be_written_ends_no_shell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("typer.get_app_dir", lambda _name: str(tmp_path))
    history = prompt._history()
    (tmp_path / "history").unlink()
    (tmp_path / "history").mkdir()  # now writing fails as on a full disk
    history.append_string("select 1;")
    assert history.get_strings() == ["select 1;"]
