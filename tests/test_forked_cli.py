"""The command line that the tests fork answers as the one that a person starts."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, Cli
from tests.forked_cli import Ran


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "stdin"),
    [
        (["--version"], ""),
        (["build", "--help"], ""),
        (["biuld"], ""),
        (["build"], ""),
        (["ls", "--json"], ""),
        (["query", "select song_key, title, 'é\r\n' as t from songs"], ""),
        (["query", "--format", "csv"], "from songs"),
        (["query", "drop table songs"], ""),
        (["query", "-o", "/dev/stdout", "--format", "csv", "from genres"], ""),
        (["shell"], "select 42;\n.nonsense\nselect titel from songs;\n"),
        (["explain", "14"], ""),
        (["describe"], ""),
    ],
)
def test_a_fork_does_what_a_process_does(built: Path, cli: Cli, arguments: list[str], stdin: str) -> None:
    cli("build", "-q", cwd=built)  # checks what was predicted, so that both have nothing to build
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("GENREDB_")}
    done = subprocess.run(
        [sys.executable, "-m", "genredb", *arguments],
        cwd=built,
        env=inherited | {"COLUMNS": "120", "PYTHONPATH": str(ROOT)},
        input=stdin,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert cli(*arguments, cwd=built, stdin=stdin) == Ran(done.returncode, done.stdout, done.stderr)


def test_forks_share_nothing(tmp_path: Path, cli: Cli) -> None:
    """A folder, a variable, a log or a database of one call is not that of the next."""
    (tmp_path / "a").mkdir()
    assert cli("build", cwd=tmp_path / "a", env={"GENREDB_QUIET": "1"}).err == ""
    assert cli("query", "select 1", cwd=tmp_path).code == 2
    assert cli("query", "select 1 as one", "--format", "csv", cwd=tmp_path / "a").out == "one\n1\n"
    assert (tmp_path / "a" / "target" / "genredb.log").read_text().count(" run: ") == 2
