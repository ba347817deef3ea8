"""target/genredb.log holds every run: its arguments, plan, timings, warnings and errors, a line each."""

import os
import re
from pathlib import Path

import pytest

from genredb.cli.log import BYTES, logged, logger
from tests.conftest import Cli
from tests.project_files import write_project

LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (\d+) (INFO|WARNING|ERROR) (.+)")
MODEL = {"models/one.sql": "select 1 as x", "models/two.sql": "select x from {{ ref('one') }}"}


def said(log: Path) -> list[str]:
    """The messages of a log, each of whose lines is of the one format."""
    found = [LINE.fullmatch(line) for line in log.read_text(encoding="utf-8").splitlines()]
    assert all(found)
    return [one[3] for one in found if one]


def test_runs_are_logged_with_arguments_plan_timings_and_errors(cli: Cli, tmp_path: Path) -> None:
    log = write_project(tmp_path, MODEL).log_file
    assert cli("query", "select 1", cwd=tmp_path).code == 2
    assert not log.parent.exists()  # a look makes no folder
    assert cli("build", "--select", "+two", cwd=tmp_path).code == 0
    run, plan, one, two, end = said(log)
    assert run.startswith("run: genredb build --select +two (version ")
    assert plan == "plan: one, two"
    assert re.fullmatch(r"model one: success, \d+\.\d{3} s, new", one)
    assert re.fullmatch(r"model two: success, \d+\.\d{3} s, new", two)
    assert re.fullmatch(r"end: exit 0 after \d+\.\d{3} s", end)

    (tmp_path / "models" / "two.sql").write_text(
        "{{ config(materialized='table') }} select error('y') from {{ ref('one') }}"
    )
    assert cli("build", "-q", cwd=tmp_path).code == 3
    assert cli("query", "select\n  y", cwd=tmp_path).code == 2
    lines = said(log)[5:]
    wrong = next(line for line in lines if line.startswith("model two: error"))
    assert "sql changed" in wrong
    assert "y" in wrong
    assert "run: genredb query 'select⏎  y' (version" in "\n".join(lines)
    assert any(line.startswith("SQL:2:3: ") and "⏎" in line for line in lines)
    assert [line.split(" after")[0] for line in lines if line.startswith("end:")] == [
        "end: exit 3",
        "end: exit 2",
    ]


def test_a_long_log_gives_way_to_a_new_one_and_clean_removes_both(cli: Cli, tmp_path: Path) -> None:
    log = write_project(tmp_path, MODEL).log_file
    older = log.with_name("genredb.log.1")
    log.parent.mkdir()
    log.write_bytes(b"x" * BYTES)
    older.write_bytes(b"y")
    assert cli("build", cwd=tmp_path).code == 0
    assert older.read_bytes() == b"x" * BYTES
    assert said(log)
    assert cli("clean", cwd=tmp_path).code == 0
    assert not log.exists()
    assert not older.exists()


def test_a_log_that_cannot_even_be_looked_for_is_done_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logger, "handlers", [])
    config = write_project(
        tmp_path, {"dbt_project.yml": f"name: small\nprofile: small\ntarget-path: {'x' * 300}\n"}
    )
    assert logged(config) is config
    logger.error("wrong")


@pytest.mark.parametrize("obstacle", ["folder", "pipe", "link to nowhere"])
def test_no_run_fails_for_its_log(cli: Cli, tmp_path: Path, obstacle: str) -> None:
    log = write_project(tmp_path, MODEL).log_file
    log.parent.mkdir()
    if obstacle == "folder":
        log.mkdir()
    elif obstacle == "pipe":
        os.mkfifo(log)
    else:
        log.symlink_to(tmp_path / "nowhere" / "log")
    done = cli("build", "-q", cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
