"""The guard of `genredb query`: nothing hostile gets through, and everything ends within its limits."""

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest
import yaml

HOSTILE: dict[str, dict[str, Any]] = yaml.safe_load(
    (Path(__file__).parent / "hostile_statements.yml").read_text(encoding="utf-8")
)


DRIVER = """
import functools, json, resource, sys, time
from pathlib import Path
from genredb.errors import GenredbError
from genredb.runner.project.config import Settings, read_config
from genredb.ask.query import Question, write_answer
from genredb.ask.guard import Limits, run_guarded

config = read_config(Settings(database=Path("genre.duckdb")))
limits = Limits(seconds=float(sys.argv[1]), memory=1 << 30)
for sql in json.load(sys.stdin):
    started = time.monotonic()
    with open("/dev/null", "wb") as stream:
        try:
            run_guarded(functools.partial(write_answer, config, Question(sql), "csv"), stream.write, limits)
            said = None
        except GenredbError as error:
            said = str(error)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    print(json.dumps([said, time.monotonic() - started, peak]), flush=True)
"""


@pytest.fixture
def victim(built: Path, tmp_path: Path) -> Iterator[Path]:
    """A folder with a database and secrets; whatever is asked, it must stay as it is."""
    (tmp_path / "genre.duckdb").write_bytes((built / "genre.duckdb").read_bytes())
    (tmp_path / "secret.txt").write_text("secret\n")
    (tmp_path / "secret.csv").write_text("a,b\n1,secret\n")
    (tmp_path / "secret.json").write_text('{"a": 1}\n')
    pd.DataFrame({"a": [1]}).to_parquet(tmp_path / "secret.parquet")
    with duckdb.connect(str(tmp_path / "victim.duckdb")) as connection:
        connection.execute("create table songs (id int)")

    def state() -> dict[str, str]:
        files = [path for path in tmp_path.rglob("*") if path.is_file()]
        return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}

    before = state()
    yield tmp_path
    assert state() == before
    assert not Path("/tmp/genredb_hostile.csv").exists()


def test_there_are_enough_hostile_statements() -> None:
    assert len(HOSTILE) >= 12
    assert sum(len(found["statements"]) for found in HOSTILE.values()) >= 120


@pytest.mark.parametrize("name", HOSTILE)
def test_plain_duckdb_does_what_the_guard_denies(
    name: str, built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secret.txt").write_text("secret\n")
    (tmp_path / "secret.csv").write_text("a,b\n1,secret\n")
    (tmp_path / "secret.json").write_text('{"a": 1}\n')
    pd.DataFrame({"a": [1]}).to_parquet(tmp_path / "secret.parquet")
    (tmp_path / "genre.duckdb").write_bytes((built / "genre.duckdb").read_bytes())
    monkeypatch.chdir(tmp_path)
    df = pd.DataFrame({"a": [1]})
    assert len(df) == 1
    with duckdb.connect("genre.duckdb") as connection:
        for sql in map(_text, HOSTILE[name]["plain"]):
            connection.execute(sql)
        if name == "network":
            with pytest.raises(duckdb.Error, match="httpfs"):
                connection.execute("from 'http://127.0.0.1:9/secret.csv'")


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name, found in HOSTILE.items() if not found.get("ends")])
def test_hostile_statements_are_denied(name: str, victim: Path) -> None:
    for sql, said, seconds, _ in _asked(name, victim, seconds=20):
        assert said is not None, sql
        assert seconds < 10, (sql, said)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name, found in HOSTILE.items() if found.get("ends")])
def test_hostile_statements_end_within_their_limits(name: str, victim: Path) -> None:
    for sql, said, seconds, peak in _asked(name, victim, seconds=3):
        if name != "parser depth":
            assert said is not None, sql
        assert seconds < 3 + 1, (sql[:80], said, seconds)
        assert peak <= 1 << 30, (sql[:80], said, peak)


def _text(statement: str) -> str:
    if statement.startswith("python:"):
        return str(eval(statement.removeprefix("python:")))
    return statement


def _asked(name: str, folder: Path, seconds: float) -> list[tuple[str, str | None, float, int]]:
    """Ask every statement of a class in turn; return what was said, how long it took, the peak of memory."""
    statements = [_text(statement) for statement in HOSTILE[name]["statements"]]
    done = subprocess.run(
        [sys.executable, "-c", DRIVER, str(seconds)],
        input=json.dumps(statements),
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == len(statements), done.stderr
    return [(sql, *answer) for sql, answer in zip(statements, answers, strict=True)]
