"""`genredb build --watch`: every edit is built, errors end nothing, Ctrl-C ends it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from genredb.cli import signals
from genredb.cli.console import Console
from genredb.cli.options import Context
from genredb.cli.watch import watch
from genredb.errors import DatabaseLockedError
from genredb.runner.build import build
from genredb.runner.planning.options import Options
from genredb.runner.project.config import Settings
from genredb.runner.project.edits import Watched
from tests.conftest import ROOT, rows
from tests.project_files import write_project

FILES = {
    "models/one.sql": "select 1 as x",
    "models/one.yml": "models: [{name: one, description: One.}]",
    "macros/half.sql": "{% macro half(x) %}{{ x }} / 2{% endmacro %}",
    "seeds/names.csv": "id,name\n1,a\n",
    "tests/none.sql": "select 1 as x where false",
    "data/raw/songs.csv": "id\n1\n",
}


@pytest.mark.parametrize(
    "name", [*FILES, "dbt_project.yml", "profiles.yml", "models/deep/new.sql", "data/raw/new.csv"]
)
def test_an_edit_of_whatever_a_build_reads_is_noticed(tmp_path: Path, name: str) -> None:
    watched = Watched(write_project(tmp_path, FILES))
    watched.look()
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"{path.read_text() if path.exists() else ''}\n\n")
    assert watched.wait() == [path]


def test_a_removed_file_is_an_edit_and_what_a_build_writes_is_none(tmp_path: Path) -> None:
    watched = Watched(write_project(tmp_path, FILES | {"target/compiled/one.sql": "select 1"}))
    watched.look()
    (tmp_path / "target" / "compiled" / "one.sql").unlink()
    (tmp_path / "small.duckdb").write_bytes(b"")
    (tmp_path / "macros" / "half.sql").unlink()
    assert watched.wait() == [tmp_path / "macros" / "half.sql"]


def test_a_raw_folder_that_a_build_settles_on_is_watched_from_then(tmp_path: Path) -> None:
    config = write_project(tmp_path / "here", FILES)
    other = tmp_path / "other"
    other.mkdir()
    watched = Watched(config)
    watched.look()
    watched.settled(replace(config, raw_dir=other))
    (other / "songs.csv").write_text("id\n")
    assert watched.wait() == [other / "songs.csv"]


def test_edits_are_built_and_errors_end_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    config = write_project(tmp_path, {"models/one.sql": "select 1 as x"})
    model, project = tmp_path / "models" / "one.sql", tmp_path / "dbt_project.yml"
    good = project.read_text()
    seen: list[object] = []

    def edit(path: Path, text: str | None) -> Callable[[], list[Path]]:
        def do() -> list[Path]:
            seen.append(rows(config.database, "select * from one"))
            if text is None:
                path.unlink()
            else:
                path.write_text(text)
            return [path]

        return do

    def interrupt() -> list[Path]:
        seen.append(rows(config.database, "select * from one"))
        monkeypatch.setattr(signals, "arrived", [signal.SIGINT])
        monkeypatch.setattr(signals, "ignore_the_rest", lambda: None)  # pytest is to hear them
        raise signals.InterruptedBySignal

    edits = iter(
        [
            edit(model, "select 2 as x"),
            edit(model, "select nope"),
            edit(project, None),
            edit(project, "name: ["),
            edit(project, good),
            edit(model, "select 3 as x"),
            interrupt,
        ]
    )
    monkeypatch.setattr(Watched, "wait", lambda _self: next(edits)())
    watch(Context(Settings(project_dir=tmp_path), Console(), json=False), Options())
    assert seen == [[(1,)], *[[(2,)]] * 5, [(3,)]]
    said = capsys.readouterr().err
    assert "models/one.sql changed." in said
    assert 'error: models/one.sql:1:8: Referenced column "nope"' in said
    assert f"error: {tmp_path} has no dbt_project.yml" in said
    assert "invalid YAML" in said
    assert said.endswith("Stopped watching.\n")


def test_an_edit_waits_for_another_writer_to_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    config = write_project(tmp_path, {"models/one.sql": "select 1 as x"})
    others = iter([True, True, True, False])

    def build_in_turn(*arguments: Any) -> Any:
        if next(others):
            raise DatabaseLockedError("Another process writes to small.duckdb.")
        return build(*arguments)

    def interrupt(_self: Watched) -> None:
        monkeypatch.setattr(signals, "arrived", [signal.SIGINT])
        monkeypatch.setattr(signals, "ignore_the_rest", lambda: None)  # pytest is to hear them
        raise signals.InterruptedBySignal

    monkeypatch.setattr("genredb.cli.watch.build", build_in_turn)
    monkeypatch.setattr(Watched, "wait", interrupt)
    watch(Context(Settings(project_dir=tmp_path), Console(), json=False), Options())
    assert rows(config.database, "from one") == [(1,)]
    assert capsys.readouterr().err.count("Another process writes") == 1


@pytest.mark.slow
def test_ctrl_c_ends_a_watch_well(tmp_path: Path) -> None:
    config = write_project(tmp_path, {"models/one.sql": "select 1 as x"})
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "genredb", "build", "--watch"]
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr
        said = iter(process.stderr.readline, "")
        assert any("Watching for edits" in line for line in said)
        (tmp_path / "models" / "one.sql").write_text("select 2 as x")
        assert any(line.startswith("Built small.duckdb") for line in said)
        assert rows(config.database, "from one") == [(2,)]
        time.sleep(0.5)
        for _ in range(20):  # as `timeout` does, which signals the process and then its group
            process.send_signal(signal.SIGINT)
            time.sleep(0.01)
        assert process.wait(timeout=30) == 0
        assert list(said) == ["Stopped watching.\n"]
